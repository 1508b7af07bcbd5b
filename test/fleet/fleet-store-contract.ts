/** What every ProofLog, FleetStore and Claims must hold, whatever it is made of: written against the interfaces alone. */
import type { Test } from 'tap';
import type { Claims } from '../../fleet/claims.ts';
import { totalSegments } from '../../fleet/day-totals.ts';
import type { FleetStore } from '../../fleet/fleet-store.ts';
import { encodeLogEntry, type UploadEntry } from '../../fleet/proof-entry.ts';
import type { ProofLog } from '../../fleet/proof-log.ts';
import type { Verdict } from '../../protocol/verdict.ts';
import { bodyOf, digestOf, FakeRouter, NOW_S } from './fake-router.ts';
import '../support/own-testdir.ts';

export type Storage = { readonly log: ProofLog; readonly store: FleetStore; readonly claims: Claims };

export type OpenStorage = (directory: string, nowMs: () => number) => Promise<Storage>;

function entryOf(router: FakeRouter, verdict: Verdict = 'valid', joinsChain = true): UploadEntry {
  const upload = router.next([{ guest: 1, up: 10n, down: 90n, paid: 5n }]);
  const judgement = { verdict, reason: 'as the test says', joinsChain };
  return { kind: 'upload', body: bodyOf(upload), upload, digest: digestOf(upload), judgement, receivedS: NOW_S };
}

export function holdFleetContract(t: Test, open: OpenStorage): void {
  holdLog(t, open);
  holdTransactions(t, open);
  holdGaps(t, open);
  holdHeld(t, open);
  holdClaims(t, open);
}

function holdLog(t: Test, open: OpenStorage): void {
  t.test('a log gives back what it took, in order, and all of a group or none', async (t) => {
    const { log, store, claims } = await open(t.testdir(), () => 0);
    const positions = await log.appendAll([Buffer.from('a'), Buffer.from('b')]);
    const third = await log.append(Buffer.from('c'));
    t.strictSame(log.end(), third);
    const after: string[] = [];
    for await (const { payload } of log.frames(positions[0])) after.push(Buffer.from(payload).toString());
    t.strictSame(after, ['b', 'c']);
    t.strictSame(await log.appendAll([]), []);
    await log.close();
    await t.rejects(log.append(Buffer.from('d')), { code: 'LOG_CLOSED' });
    store.close();
    claims.close();
  });
}

function holdTransactions(t: Test, open: OpenStorage): void {
  t.test('a transaction that throws leaves nothing, one that ends is seen', async (t) => {
    const { log, store, claims } = await open(t.testdir(), () => 0);
    const router = new FakeRouter();
    const entry = entryOf(router);
    const { device } = entry.upload.proof;
    await t.rejects(
      store.tx(async (tx) => {
        await tx.apply(entry);
        t.match(await tx.place(device, 1n), { before: { digest: entry.digest } }, 'it sees itself');
        throw new Error('changed my mind');
      }),
      { message: 'changed my mind' },
    );
    t.strictSame(await store.verdicts(device, 0n, 10), []);
    await store.tx(async (tx) => {
      await tx.apply(entry);
      await tx.setPosition({ segment: 1, offset: 99 });
    });
    t.strictSame(await store.position(), { segment: 1, offset: 99 });
    t.match(await store.chain(device), { nextSeq: 1n, prev: entry.digest, missing: [] });
    await store.clear();
    t.match([await store.chain(device), await store.position()], [{ nextSeq: 0n }, { segment: 0, offset: 0 }]);
    await log.close();
    store.close();
    claims.close();
  });
}

function holdGaps(t: Test, open: OpenStorage): void {
  t.test('gaps open and close, and are named', async (t) => {
    const { log, store, claims } = await open(t.testdir(), () => 0);
    const router = new FakeRouter();
    const entries = Array.from({ length: 8 }, () => entryOf(router));
    const { device } = (entries[0] as UploadEntry).upload.proof;
    const missing = async (...seqs: number[]) => {
      for (const seq of seqs) await store.tx(async (tx) => await tx.apply(entries[seq] as UploadEntry));
      return (await store.chain(device)).missing.map(({ from, to }) => [Number(from), Number(to)]);
    };
    t.strictSame(await missing(0, 7), [[1, 6]]);
    t.strictSame(await missing(3), [
      [1, 2],
      [4, 6],
    ]);
    t.strictSame(await missing(1, 2, 6), [[4, 5]]);
    t.strictSame(await missing(4, 5), []);
    await log.close();
    store.close();
    claims.close();
  });
}

function holdHeld(t: Test, open: OpenStorage): void {
  t.test(
    'what came before its turn is held until nothing before it is missing, and does not count before it',
    async (t) => {
      const { log, store, claims } = await open(t.testdir(), () => 0);
      const router = new FakeRouter();
      const [zero, one, two] = [0, 1, 2].map(() => entryOf(router)) as [UploadEntry, UploadEntry, UploadEntry];
      const { device } = zero.upload.proof;
      const { id } = router.guest(1);
      const apply = async (entry: UploadEntry) => await store.tx(async (tx) => await tx.apply(entry));
      await apply(zero);
      await apply(two);
      await store.tx(async (tx) => {
        t.match(await tx.place(device, 1n), { hasLater: true, before: { digest: zero.digest } });
        t.strictSame((await tx.channels([id], 1n)).get(id), { bytes: 100n, paid: 5n });
        t.strictSame((await tx.channels([id])).get(id), { bytes: 200n, paid: 10n });
        t.strictSame(await tx.sharesAfter(id, 1n), [{ seq: 2n, bytes: 100n, paid: 5n, amount: 15n, ackBytes: 300n }]);
        t.match(await tx.held(device, 2n), { verdict: 'valid', receivedS: NOW_S });
        t.equal(await tx.held(device, 0n), undefined);
      });
      await apply(one);
      await store.tx(async (tx) => {
        t.strictSame([await tx.held(device, 2n), await tx.sharesAfter(id, 0n)], [undefined, []]);
        t.match(await tx.place(device, 3n), { hasLater: false });
      });
      await log.close();
      store.close();
      claims.close();
    },
  );
}

function holdClaims(t: Test, open: OpenStorage): void {
  t.test('each sealed segment is counted once, also when a worker dies', async (t) => {
    let nowMs = 0;
    const { log, store, claims } = await open(t.testdir(), () => nowMs);
    const router = new FakeRouter();
    const entries = [entryOf(router), entryOf(router), entryOf(router, 'late')];
    for (const entry of entries) await log.append(encodeLogEntry(entry));
    const dead = await claims.claim(log, 'dead', 100);
    t.ok(dead !== null);
    const sealed = await log.segments();
    t.ok(sealed.length >= 2, 'the storage under test seals a segment for each frame');
    nowMs = 101;
    t.equal(await totalSegments(claims, log, 'other'), sealed.length, 'the lease has ended');
    if (dead !== null)
      await t.rejects(
        claims.finish(dead, 'dead', async () => undefined),
        RangeError,
      );
    t.equal(await totalSegments(claims, log, 'other'), 0);
    const { device, endS } = (entries[0] as UploadEntry).upload.proof;
    const [total] = await claims.totals(device, 0n, endS / 86_400n + 1n);
    t.match(total, { verdict: 'valid', proofs: 2n, bytes: 200n, paid: 10n });
    await log.close();
    store.close();
    claims.close();
  });
}
