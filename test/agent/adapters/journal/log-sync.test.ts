import { readdirSync, readlinkSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { openDatabase } from '../../../../agent/adapters/journal/database.ts';
import { LogSync } from '../../../../agent/adapters/journal/log-sync.ts';

/** How many descriptors of this process are open on the file. */
const openOn = (path: string) =>
  readdirSync('/proc/self/fd').filter((fd) => {
    try {
      return readlinkSync(`/proc/self/fd/${fd}`) === path;
    } catch {
      return false;
    }
  }).length;

t.test('the log is synced, now or in a thread, and its descriptor is closed after the last sync', async (t) => {
  const path = join(t.testdir(), 'journal.db');
  const database = openDatabase(path, 1000);
  database.exec('CREATE TABLE t (a)');
  const before = openOn(`${path}-wal`);
  const log = new LogSync(path);
  t.equal(openOn(`${path}-wal`), before + 1);
  log.syncNow();
  await log.sync();
  const underWay = Promise.all([log.sync(), log.sync()]);
  log.close();
  t.equal(openOn(`${path}-wal`), before + 1, 'not under a sync that still runs');
  await underWay;
  t.equal(openOn(`${path}-wal`), before);
  await t.rejects(log.sync(), { code: 'EBADF' }, 'what the kernel says is passed on');
  database.close();
});

t.test('a database without a log is no database that was opened', (t) => {
  t.throws(() => new LogSync(join(t.testdir(), 'none.db')), { code: 'ENOENT' });
  t.end();
});
