import { join } from 'node:path';
import t from 'tap';
import { SegmentLog } from '../../fleet/segment-log.ts';
import { SqliteClaims } from '../../fleet/sqlite-claims.ts';
import { SqliteStore } from '../../fleet/sqlite-store.ts';
import { bodyOf, digestOf, FakeRouter, NOW_S } from './fake-router.ts';
import { holdFleetContract } from './fleet-store-contract.ts';
import '../support/own-testdir.ts';

holdFleetContract(t, async (directory, nowMs) => ({
  log: await SegmentLog.open({ directory: join(directory, 'log'), segmentBytes: 10 }),
  store: new SqliteStore(join(directory, 'store.db')),
  claims: new SqliteClaims(join(directory, 'totals.db'), nowMs),
}));

t.test('of the proofs behind a hole that is never filled, only so many newest are held', async (t) => {
  const store = new SqliteStore(join(t.testdir(), 'store.db'), 10, 3);
  const router = new FakeRouter();
  const uploads = Array.from({ length: 9 }, () => router.next([{ guest: 1, up: 1n, down: 1n, paid: 1n }]));
  const judgement = { verdict: 'valid', reason: 'as the test says', joinsChain: true } as const;
  for (const upload of uploads.slice(1)) {
    const entry = { kind: 'upload', body: bodyOf(upload), upload, digest: digestOf(upload), judgement } as const;
    await store.tx(async (tx) => await tx.apply({ ...entry, receivedS: NOW_S }));
  }
  const { id } = router.guest(1);
  const held = await store.tx(async (tx) => {
    const ones = await Promise.all(uploads.map(({ proof }) => tx.held(router.key.address, proof.seq)));
    return [ones.map((one) => one !== undefined), (await tx.sharesAfter(id, 0n)).map(({ seq }) => Number(seq))];
  });
  t.strictSame(held, [
    [false, false, false, false, false, false, true, true, true],
    [6, 7, 8],
  ]);
  store.close();
});
