import { readdirSync, readlinkSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { openDatabase } from '../../../../agent/adapters/journal/database.ts';
import { LogSync, MAX_LOG_SYNCS } from '../../../../agent/adapters/journal/log-sync.ts';
import '../../../support/own-testdir.ts';

/** How many descriptors of this process are open on the file. */
const openOn = (path: string) =>
  readdirSync('/proc/self/fd').filter((fd) => {
    try {
      return readlinkSync(`/proc/self/fd/${fd}`) === path;
    } catch {
      return false;
    }
  }).length;

t.test(
  'the log is synced, now or in threads; each sync under way has a descriptor, closed only after it',
  async (t) => {
    const path = join(t.testdir(), 'journal.db');
    const database = openDatabase(path, 1000);
    database.exec('CREATE TABLE t (a)');
    const before = openOn(`${path}-wal`);
    const log = new LogSync(path);
    t.equal(openOn(`${path}-wal`), before + MAX_LOG_SYNCS + 1);
    log.syncNow();
    for (let i = 0; i <= MAX_LOG_SYNCS; i++) await log.sync();
    const underWay = Promise.all(Array.from({ length: MAX_LOG_SYNCS }, () => log.sync()));
    await t.rejects(log.sync(), /2 syncs are under way/, 'no two on one descriptor');
    log.close();
    log.close();
    t.equal(openOn(`${path}-wal`), before + MAX_LOG_SYNCS, 'not under a sync that still runs');
    await underWay;
    t.equal(openOn(`${path}-wal`), before);
    await t.rejects(log.sync(), /it is closed/);
    database.close();
  },
);

t.test('what the kernel says is passed on', async (t) => {
  const path = join(t.testdir(), 'journal.db');
  // No file can be made durable through a descriptor of /dev/null.
  symlinkSync('/dev/null', `${path}-wal`);
  const log = new LogSync(path);
  t.throws(() => log.syncNow(), { code: 'EINVAL' });
  await t.rejects(log.sync(), { code: 'EINVAL' });
  log.close();
});

t.test('a database without a log is no database that was opened', (t) => {
  t.throws(() => new LogSync(join(t.testdir(), 'none.db')), { code: 'ENOENT' });
  t.end();
});
