import fc from 'fast-check';
import t from 'tap';
import { keccak256 } from '../../protocol/keccak.ts';
import { isLaterTick, MAX_TICKS, tickChain } from '../../protocol/payword.ts';
import { anyBytes } from '../support/protocol-arbitraries.ts';

const SEED = keccak256(new Uint8Array([1]));
const CHAIN = tickChain(SEED, MAX_TICKS);
const tickAt = (index: number) => ({ index, preimage: CHAIN[index] as Uint8Array });

t.test('each word of a chain is the hash of the next, and the last is the seed', (t) => {
  fc.assert(
    fc.property(anyBytes(32), fc.integer({ min: 1, max: 20 }), (seed, ticks) => {
      const chain = tickChain(seed, ticks);
      t.equal(chain.length, ticks + 1);
      t.same(chain[ticks], seed);
      for (let i = 0; i < ticks; i++) t.same(keccak256(chain[i + 1] as Uint8Array), chain[i]);
    }),
    { numRuns: 20 },
  );
  t.end();
});

t.test('a later coin is known from any earlier one, however many were lost between', (t) => {
  fc.assert(
    fc.property(fc.nat(MAX_TICKS), fc.nat(MAX_TICKS), (a, b) => isLaterTick(tickAt(a), tickAt(b)) === b > a),
    { numRuns: 60 },
  );
  t.end();
});

t.test('the last coin of the longest chain is known from its anchor', (t) => {
  t.ok(isLaterTick(tickAt(0), tickAt(MAX_TICKS)));
  t.end();
});

t.test('a coin under another index, of another chain or of another length is none', (t) => {
  const anchor = tickAt(0);
  t.notOk(isLaterTick(anchor, { ...tickAt(5), index: 6 }));
  t.notOk(isLaterTick(anchor, { ...tickAt(5), index: 4 }));
  t.notOk(isLaterTick(anchor, { index: 1, preimage: SEED }));
  t.notOk(isLaterTick(anchor, { index: 5, preimage: tickAt(5).preimage.subarray(1) }));
  t.notOk(isLaterTick({ index: 0, preimage: new Uint8Array() }, tickAt(1)));
  for (const index of [0, -1, 0.5, Number.NaN, MAX_TICKS + 1, 2 ** 32]) {
    t.notOk(isLaterTick(anchor, { index, preimage: tickAt(1).preimage }), `index ${index}`);
  }
  t.end();
});

t.test('a chain of no ticks, of too many or of a short seed is not made', (t) => {
  for (const ticks of [0, -1, 1.5, MAX_TICKS + 1]) t.throws(() => tickChain(SEED, ticks), /1\.\.256 ticks/);
  t.throws(() => tickChain(SEED.subarray(1), 1), /32 bytes, got 31/);
  t.end();
});

t.test('changing the seed afterwards changes no word', (t) => {
  const seed = new Uint8Array(32).fill(7);
  const chain = tickChain(seed, 2);
  seed.fill(0);
  t.same(chain[2], new Uint8Array(32).fill(7));
  t.end();
});
