import { existsSync, statSync } from 'node:fs';
import { join } from 'node:path';
import SqliteDatabase from 'better-sqlite3';
import fc from 'fast-check';
import t from 'tap';
import { assertSettings, openDatabase } from '../../../../agent/adapters/journal/database.ts';
import { GroupCommit } from '../../../../agent/adapters/journal/group-commit.ts';
import { SqliteJournal } from '../../../../agent/adapters/journal/sqlite-journal.ts';
import { closeTables, openTables, transactionsOn } from '../../../../agent/adapters/journal/tables.ts';
import { sessionEntry } from './entries.ts';
import { activeChannel, openIn } from './open-journal.ts';
import '../../../support/own-testdir.ts';

t.test('the settings that make a commit durable are in force', (t) => {
  const database = openDatabase(join(t.testdir(), 'journal.db'), 1000);
  const read = (name: string): unknown => database.pragma(name, { simple: true });
  t.strictSame(
    [read('journal_mode'), read('synchronous'), read('locking_mode'), read('page_size')],
    ['wal', 2n, 'exclusive', 1024n],
  );
  t.strictSame([read('trusted_schema'), read('cell_size_check'), read('wal_autocheckpoint')], [0n, 1n, 0n]);
  database.close();
  t.end();
});

t.test('a setting that did not take keeps the journal closed', (t) => {
  const { journal, path } = openIn(t);
  journal.close();
  const database = new SqliteDatabase(path);
  database.defaultSafeIntegers(true);
  database.pragma('schema_version');
  t.equal(database.pragma('synchronous', { simple: true }), 1n, 'better-sqlite3 opens a WAL file with NORMAL');
  t.throws(() => assertSettings(database, [{ name: 'synchronous', set: 'FULL', reads: 2n }]), {
    code: 'JOURNAL_PRAGMA',
    message: /PRAGMA synchronous of .* reads 1, expected 2 after setting FULL/,
  });
  database.close();
  t.end();
});

t.test('only the transaction that is synced by hand does without the sync of SQLite', async (t) => {
  const modes: unknown[] = [];
  const tables = openTables({ path: join(t.testdir(), 'journal.db') });
  const { database } = tables;
  const look = () => modes.push(database.pragma('synchronous', { simple: true }));
  const commits = new GroupCommit<'good' | 'bad'>(
    {
      ...transactionsOn(() => tables),
      apply: (request) => {
        look();
        if (request === 'bad') throw new RangeError('bad');
        database.exec("INSERT OR REPLACE INTO facts (name, value) VALUES ('a', 'b')");
      },
    },
    0,
  );
  look();
  await commits.add('good');
  look();
  await t.rejects(commits.add('bad'), { code: 'JOURNAL_REFUSED' });
  look();
  t.strictSame(modes, [2n, 1n, 2n, 1n, 2n]);
  closeTables(tables);
});

t.test('a file made with other pages is refused', (t) => {
  const path = join(t.testdir(), 'journal.db');
  const database = new SqliteDatabase(path);
  database.exec('PRAGMA page_size = 4096; CREATE TABLE t (a)');
  database.close();
  t.throws(() => new SqliteJournal({ path }), { code: 'JOURNAL_PRAGMA', message: /page_size/ });
  t.end();
});

t.test('the write-ahead log is copied into the file and written anew when it is 1 MiB long', async (t) => {
  const { journal, path } = openIn(t, { windowMs: 0 });
  const base = activeChannel(0n);
  for (let i = 1n; i <= 1000n; i++) {
    const voucher = { ...base.voucher, amount: i };
    const phase = i % 2n === 0n ? 'active' : 'grace';
    await journal.commit([{ kind: 'channel', channel: { ...base, voucher, phase } }]);
  }
  const bytes = statSync(`${path}-wal`).size;
  t.ok(bytes < 1.2 * 1024 * 1024, `the log is ${bytes} bytes after 1000 commits`);
  t.equal(journal.load().channels[0]?.voucher.amount, 1000n);
  journal.close();
  t.notOk(existsSync(`${path}-wal`), 'closing leaves no log');
});

t.test('beyond the size limit commits fail, store nothing, and later ones may succeed', async (t) => {
  const { journal } = openIn(t, { maxBytes: 64 * 1024, windowMs: 0 });
  let stored = 0;
  const fill = async (): Promise<void> => {
    for (const entry of fc.sample(sessionEntry, { seed: 2, numRuns: 500 })) {
      await journal.commit([{ ...entry, session: { ...entry.session, id: stored + 1 }, counters: [] }]);
      stored += 1;
    }
  };
  await t.rejects(fill(), { code: 'JOURNAL_FULL' });
  t.equal(journal.load().sessions.length, stored);
  await journal.commit([{ kind: 'session-forgotten', sessionId: 1 }]);
  await journal.commit([{ kind: 'session-forgotten', sessionId: 2 }]);
  t.equal(journal.load().sessions.length, stored - 2);
  journal.close();
});

t.test('a second agent cannot open the journal of a running one', (t) => {
  const { journal, path } = openIn(t);
  t.throws(() => new SqliteJournal({ path }), { code: 'JOURNAL_LOCKED' });
  journal.close();
  new SqliteJournal({ path }).close();
  t.end();
});

t.test('a journal written by a later version is left alone', (t) => {
  const { journal, path } = openIn(t);
  journal.close();
  const database = new SqliteDatabase(path);
  database.pragma('user_version = 99');
  database.close();
  t.throws(() => new SqliteJournal({ path }), { code: 'JOURNAL_NEWER_SCHEMA', message: /schema version 99/ });
  t.end();
});

t.test('time online in rows of before: free where nobody has paid yet', async (t) => {
  const { journal, path } = openIn(t);
  const [entry] = fc.sample(sessionEntry, { seed: 3, numRuns: 1 });
  if (entry === undefined) throw new Error('no sample');
  const { channelId: _, freeMs: __, ...session } = entry.session;
  const usage = { ...session.usage, onlineMs: 7_000 };
  const paid = { ...session, id: 2, usage, channelId: activeChannel(1n).id };
  await journal.commit([
    { kind: 'session', session: { ...session, id: 1, usage }, counters: [] },
    { kind: 'session', session: paid, counters: [] },
  ]);
  journal.close();
  const database = new SqliteDatabase(path);
  database.exec(`ALTER TABLE sessions DROP COLUMN free_ms; ALTER TABLE channels DROP COLUMN stale;
    DELETE FROM migrations WHERE version > 9`);
  database.pragma('user_version = 9');
  database.close();
  const later = new SqliteJournal({ path });
  t.strictSame(
    later.load().sessions.map(({ session: { freeMs } }) => freeMs),
    [7_000, undefined],
  );
  later.close();
});

t.test('the file is readable by its owner alone', (t) => {
  const { journal, path } = openIn(t);
  t.equal(statSync(path).mode & 0o777, 0o600);
  t.equal(statSync(`${path}-wal`).mode & 0o777, 0o600);
  t.notOk(existsSync(`${path}-shm`));
  journal.close();
  t.end();
});
