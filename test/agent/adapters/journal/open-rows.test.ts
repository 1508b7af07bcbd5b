import { join } from 'node:path';
import SqliteDatabase from 'better-sqlite3';
import t from 'tap';
import { SqliteJournal } from '../../../../agent/adapters/journal/sqlite-journal.ts';
import { MAX_OPENS_PER_DAY } from '../../../../agent/core/limits.ts';
import { LAPTOP, PHONE } from '../../core/support/story.ts';
import '../../../support/own-testdir.ts';

t.test('opens come back in their order, the newest of a full day', async (t) => {
  const path = join(t.testdir(), 'ledger.db');
  const first = new SqliteJournal({ path, windowMs: 0 });
  t.equal(first.load().opens, undefined);
  const many = Array.from(
    { length: MAX_OPENS_PER_DAY },
    (_, i) => ({ kind: 'open', mac: PHONE, atS: BigInt(i) }) as const,
  );
  await first.commit(many);
  await first.commit([{ kind: 'open', mac: LAPTOP, atS: 7_000n }]);
  first.close();
  const second = new SqliteJournal({ path, windowMs: 0 });
  const { opens = [] } = second.load();
  t.equal(opens.length, MAX_OPENS_PER_DAY);
  t.same(opens[0], { mac: PHONE, atS: 1n });
  t.same(opens.at(-1), { mac: LAPTOP, atS: 7_000n });
  await second.commit([{ kind: 'open-refused', mac: LAPTOP }]);
  await second.commit([{ kind: 'open-refused', mac: LAPTOP }]);
  t.same(second.load().opens?.at(-1), { mac: PHONE, atS: BigInt(MAX_OPENS_PER_DAY) - 1n }, 'it cost nothing');
  t.equal(second.load().opens?.length, MAX_OPENS_PER_DAY - 1, 'once, and nobody else’s');
  second.close();
  const file = new SqliteDatabase(path);
  file.exec("UPDATE opens SET mac = 'everybody' WHERE row = 2");
  file.close();
  const third = new SqliteJournal({ path, windowMs: 0 });
  t.throws(() => third.load(), { code: 'JOURNAL_CORRUPT', message: /open of everybody: not a MAC/ });
  third.close();
});
