import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import SqliteDatabase from 'better-sqlite3';
import fc from 'fast-check';
import t from 'tap';
import { SqliteJournal } from '../../../../agent/adapters/journal/sqlite-journal.ts';
import { channel, sessionEntry, trialEntry } from './entries.ts';
import { activeChannel, openIn, sample, threeProofs } from './open-journal.ts';
import '../../../support/own-testdir.ts';

t.test('a file that is no database is moved aside once, with an error, and an empty journal started', async (t) => {
  const path = join(t.testdir({ 'journal.db': 'x'.repeat(4096) }), 'journal.db');
  const quarantinedAs = `${path}.corrupt-1`;
  const journal = new SqliteJournal({ path });
  t.throws(() => journal.load(), { code: 'JOURNAL_CORRUPT', quarantinedAs, message: /was moved to/ });
  t.equal(readFileSync(quarantinedAs, 'utf8'), 'x'.repeat(4096));
  t.match(journal.load(), { channels: [], quarantined: quarantinedAs });
  journal.close();
  const reopened = new SqliteJournal({ path });
  t.match(reopened.load(), { quarantined: quarantinedAs }, 'and it is still known after a restart');
  const [{ record, body }] = threeProofs();
  await reopened.commit([{ kind: 'proof', record, body }]);
  t.equal(reopened.load().quarantined, undefined, 'until the chain goes on');
  reopened.close();
});

t.test('a damaged page is found on load', async (t) => {
  const { journal, path } = openIn(t);
  await journal.commit(fc.sample(channel, { seed: 4, numRuns: 40 }).map((it) => ({ kind: 'channel', channel: it })));
  journal.close();
  const bytes = readFileSync(path);
  for (let page = 3; page < bytes.length / 1024; page++) bytes.fill(0xa5, page * 1024, page * 1024 + 64);
  writeFileSync(path, bytes);
  const damaged = new SqliteJournal({ path });
  t.throws(() => damaged.load(), { code: 'JOURNAL_CORRUPT', quarantinedAs: `${path}.corrupt-1` });
  t.strictSame(damaged.load().channels, []);
  damaged.close();
});

t.test('rows that break an invariant count as damage', async (t) => {
  const { journal, path } = openIn(t);
  await journal.commit([{ kind: 'channel', channel: activeChannel(900n) }, sample(sessionEntry), sample(trialEntry)]);
  journal.close();
  const intact = readFileSync(path);
  const edits = [
    "UPDATE channels SET phase = 'free'",
    "UPDATE sessions SET stations = '[['",
    `UPDATE sessions SET counters = '[["up:x","1","1"]]'`,
    `UPDATE sessions SET counters = '[["down:10.0.0.1","-1","1"]]'`,
    "UPDATE sessions SET ended = 'because'",
    "UPDATE trials SET mac = 'nobody'",
  ];
  for (const [i, sql] of edits.entries()) {
    const copy = `${path}-${i}`;
    writeFileSync(copy, intact);
    const database = new SqliteDatabase(copy);
    database.exec(sql);
    database.close();
    const damaged = new SqliteJournal({ path: copy });
    t.throws(() => damaged.load(), { code: 'JOURNAL_CORRUPT' }, sql);
    damaged.close();
  }
});

t.test('only the last three damaged files are kept', (t) => {
  const path = join(t.testdir(), 'journal.db');
  for (let i = 1; i <= 5; i++) {
    writeFileSync(path, `garbage ${i} `.repeat(300));
    new SqliteJournal({ path }).close();
  }
  const kept = [1, 2, 3, 4, 5].filter((i) => existsSync(`${path}.corrupt-${i}`));
  t.strictSame(kept, [3, 4, 5]);
  t.end();
});
