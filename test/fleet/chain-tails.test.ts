import { join } from 'node:path';
import fc from 'fast-check';
import t from 'tap';
import { BoundedCache } from '../../fleet/bounded-cache.ts';
import type { FleetTx } from '../../fleet/fleet-store.ts';
import type { LogEntry } from '../../fleet/proof-entry.ts';
import { SqliteStore } from '../../fleet/sqlite-store.ts';
import type { Verdict } from '../../protocol/verdict.ts';
import { bodyOf, digestOf, FakeRouter, NOW_S } from './fake-router.ts';
import '../support/own-testdir.ts';

const PROOFS = 12;

/** Proofs of two routers, by number. */
function uploadsOf(name: string) {
  const router = new FakeRouter(name);
  return Array.from({ length: PROOFS }, (_, i) => router.next([{ guest: 1, up: BigInt(i), down: 9n, paid: 1n }]));
}
const UPLOADS = [uploadsOf('router'), uploadsOf('other')];

type Step = {
  readonly router: number;
  readonly seq: number;
  readonly verdict: Verdict;
  readonly joinsChain: boolean;
  readonly how: 'apply' | 'rejudge' | 'fail';
};
const anyStep: fc.Arbitrary<Step> = fc.record({
  router: fc.nat(1),
  seq: fc.nat(PROOFS - 1),
  verdict: fc.constantFrom('valid', 'clock-unsynced', 'bad-voucher'),
  joinsChain: fc.constantFrom(true, true, true, false),
  how: fc.constantFrom('apply', 'apply', 'apply', 'rejudge', 'fail'),
});

function entryOf({ router, seq, verdict, joinsChain, how }: Step): LogEntry {
  const upload = UPLOADS[router]?.[seq];
  if (upload === undefined) throw new RangeError('no such proof');
  const reason = 'as the test says';
  if (how !== 'rejudge') {
    const judgement = { verdict, reason, joinsChain };
    return { kind: 'upload', body: bodyOf(upload), upload, digest: digestOf(upload), judgement, receivedS: NOW_S };
  }
  const { device } = upload.proof;
  return { kind: 'rejudgement', device, seq: BigInt(seq), from: 'gap', verdict, reason, day: 0n, bytes: 0n, paid: 0n };
}

async function answersOf(tx: FleetTx): Promise<unknown> {
  const places = UPLOADS.flatMap((uploads) =>
    [...uploads.keys(), PROOFS, PROOFS + 1].map((seq) => tx.place(uploads[0]?.proof.device ?? '0x', BigInt(seq))),
  );
  const ids = UPLOADS.map((uploads) => uploads[0]?.leaves[0]?.channelId ?? '0x');
  return [await Promise.all(places), [...(await tx.channels(ids))]];
}

t.test(
  'what is kept in memory answers like what is on disk, in any order of numbers, after failures too',
  async (t) => {
    t.testdir();
    let run = 0;
    await fc.assert(
      fc.asyncProperty(fc.array(anyStep, { maxLength: 25 }), async (steps) => {
        const path = join(t.testdirName, `store-${run++}.db`);
        const store = new SqliteStore(path);
        for (const step of steps) {
          const before = await store.tx(answersOf);
          const done = store.tx(async (tx) => {
            await tx.apply(entryOf(step));
            if (step.how === 'fail') throw new Error('the log did not take it');
          });
          if (step.how === 'fail') {
            await t.rejects(done, { message: 'the log did not take it' });
            t.strictSame(await store.tx(answersOf), before, 'nothing of it is remembered');
          } else await done;
        }
        const remembered = await store.tx(answersOf);
        store.close();
        const fresh = new SqliteStore(path, 1);
        t.strictSame(remembered, await fresh.tx(answersOf), JSON.stringify(steps));
        fresh.close();
      }),
      { seed: 6, numRuns: 15 },
    );
  },
);

t.test('a cache holds no more than it has room for, and forgets what it is told to', (t) => {
  const cache = new BoundedCache<number>(3);
  for (let i = 0; i < 100; i++) cache.put(`name ${i}`, i);
  t.equal(cache.size, 3);
  t.equal(cache.get('name 99'), 99, 'the newest is there');
  cache.put('name 99', -1);
  t.equal(cache.get('name 99'), -1);
  cache.delete('name 99');
  cache.delete('name 99');
  t.strictSame([cache.size, cache.get('name 99')], [2, undefined]);
  for (let i = 0; i < 3; i++) cache.put(`more ${i}`, i);
  t.equal(cache.size, 3);
  cache.clear();
  t.strictSame([cache.size, cache.get('more 2')], [0, undefined]);
  t.end();
});
