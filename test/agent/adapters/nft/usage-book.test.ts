/** What truly passed, from plans that are older than the kernel. */
import fc from 'fast-check';
import t from 'tap';
import { UsageBook } from '../../../../agent/adapters/nft/usage-book.ts';
import type { CounterKey, CounterReading, SessionGrant } from '../../../../agent/core/model.ts';
import { grant, station } from '../../../support/nft-grants.ts';

const KEYS: readonly CounterKey[] = ['up:aa:bb:cc:00:00:01', 'down:192.168.77.20', 'down:2001:db8:77:1::20'];
const STATIONS = [station('aa:bb:cc:00:00:01', ['192.168.77.20', '2001:db8:77:1::20'])];

type Amounts = readonly bigint[];

const readingsOf = (amounts: Amounts, sessionId = 1): CounterReading[] =>
  KEYS.map((key, i) => ({ sessionId, key, bytes: amounts[i] ?? 0n, packets: 1n }));
const totalOf = (amounts: Amounts): bigint => amounts.reduce((sum, bytes) => sum + bytes, 0n);

/** The grant as a plan made at that moment would have it. */
function grantAt(amounts: Amounts): SessionGrant {
  const counters = new Map(KEYS.map((key, i) => [key, amounts[i] ?? 0n]));
  return grant(1, STATIONS, { usedBytes: totalOf(amounts), counters });
}

t.test('the total is what the kernel counted, from a plan of any earlier moment, and never falls', (t) => {
  const growth = fc.array(fc.tuple(...KEYS.map(() => fc.bigInt({ min: 0n, max: 1n << 40n }))), { maxLength: 8 });
  fc.assert(
    fc.property(growth, (steps) => {
      const book = new UsageBook();
      const moments: Amounts[] = [KEYS.map(() => 0n)];
      let known = 0n;
      for (const step of steps) {
        const now = step.map((more, i) => more + (moments.at(-1)?.[i] ?? 0n));
        moments.push(now);
        book.note(readingsOf(now));
        for (const moment of moments) t.equal(book.usedBytes(grantAt(moment)), totalOf(now));
        t.ok(totalOf(now) >= known);
        known = totalOf(now);
      }
    }),
    { numRuns: 40 },
  );
  t.end();
});

t.test('a plan that knows more than the kernel is believed', (t) => {
  const book = new UsageBook();
  book.note(readingsOf([10n, 20n, 30n]));
  t.equal(book.usedBytes(grantAt([100n, 20n, 30n])), 150n);
  t.same(book.baseOf(grantAt([100n, 20n, 30n]), KEYS[0] as CounterKey), { sessionId: 1, bytes: 100n, packets: 1n });
  t.same(book.baseOf(grantAt([5n, 20n, 30n]), KEYS[0] as CounterKey), { sessionId: 1, bytes: 10n, packets: 1n });
  t.end();
});

t.test('a counter that is gone still counts in the total, that of another session does not', (t) => {
  const book = new UsageBook();
  book.note([{ sessionId: 1, key: 'down:192.168.77.99', bytes: 7n, packets: 1n }]);
  book.note(readingsOf([1_000n, 1_000n, 1_000n], 2));
  t.equal(book.usedBytes(grantAt([1n, 2n, 3n])), 13n);
  t.end();
});

t.test('a forgotten session starts from its plan, a counter never read from nothing', (t) => {
  const book = new UsageBook();
  book.note(readingsOf([10n, 20n, 30n]));
  book.forget(1);
  t.equal(book.usedBytes(grantAt([1n, 2n, 3n])), 6n);
  t.same(book.reading(1, 'up:aa:bb:cc:00:00:01'), {
    sessionId: 1,
    key: 'up:aa:bb:cc:00:00:01',
    bytes: 0n,
    packets: 0n,
  });
  t.end();
});
