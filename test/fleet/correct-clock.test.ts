/** Proofs of a clock that was not set: judged by the corrected time, whenever the correction comes, and after a rebuild too. */
import t, { type Test } from 'tap';
import { catchUp } from '../../fleet/catch-up.ts';
import { totalSegments } from '../../fleet/day-totals.ts';
import { type IntakeResult, ProofIntake } from '../../fleet/proof-intake.ts';
import { SegmentLog } from '../../fleet/segment-log.ts';
import { SqliteClaims } from '../../fleet/sqlite-claims.ts';
import { SqliteStore } from '../../fleet/sqlite-store.ts';
import type { ProofUpload } from '../../protocol/traffic-proof-wire.ts';
import { bodyOf, DEPLOYMENT, FakeRouter, NOW_S } from './fake-router.ts';
import '../support/own-testdir.ts';

const USAGE = [{ guest: 1, up: 1000n, down: 9000n, paid: 10n }];
const DAY_S = 86_400n;
const NO_STATEMENT = `0x${'00'.repeat(32)}` as const;

class Bench {
  nowS = NOW_S;
  readonly router = new FakeRouter('router', 0n);
  readonly log: SegmentLog;
  readonly store: SqliteStore;
  readonly intake: ProofIntake;

  constructor(log: SegmentLog, store: SqliteStore) {
    this.log = log;
    this.store = store;
    this.intake = new ProofIntake({
      log,
      store,
      deployment: DEPLOYMENT,
      devices: () => ({ isRevoked: false, linkBytesPerS: 1000n }),
      nowS: () => this.nowS,
      monotonicMs: () => 0,
      lateAfterS: 37n * DAY_S,
      onFailure: (error) => {
        throw error;
      },
    });
  }

  /** 60 s by the seconds of a run; `usage` of 9,000 bytes fits 60 s of the link. */
  undated(changes = {}): ProofUpload {
    return this.router.next(USAGE, { clockState: 0n, ...changes });
  }

  async send(...uploads: readonly ProofUpload[]): Promise<readonly string[]> {
    const results: IntakeResult[] = [];
    for (const upload of uploads) results.push(await this.intake.take(bodyOf(upload), 'test'));
    return results.map((result) => (result.ok ? result.verdict : result.reason));
  }

  correct(fromSeq: bigint, toSeq: bigint, bootS: bigint): Promise<void> {
    const { address: device } = this.router.key;
    return this.intake.correctClock({ device, fromSeq, toSeq, bootS, statement: NO_STATEMENT });
  }

  verdicts(store = this.store) {
    return store
      .verdicts(this.router.key.address, 0n, 100)
      .toSorted((a, b) => Number(a.seq - b.seq))
      .map(({ verdict }) => verdict);
  }
}

async function open(t: Test): Promise<Bench> {
  const directory = t.testdir();
  // Each entry in a segment of its own, so that all but the last are sealed.
  const log = await SegmentLog.open({ directory: `${directory}/log`, segmentBytes: 1 });
  const store = new SqliteStore(`${directory}/store.db`);
  t.teardown(async () => {
    await log.close();
    store.close();
  });
  return new Bench(log, store);
}

t.test('proofs with seconds of a run count once the device says when it began; sent again they say so', async (t) => {
  const bench = await open(t);
  const uploads = [bench.undated(), bench.undated(), bench.router.next(USAGE, { startS: NOW_S - 60n, endS: NOW_S })];
  t.strictSame(await bench.send(...uploads), ['clock-unsynced', 'clock-unsynced', 'valid']);
  await bench.correct(0n, 1n, NOW_S - 600n);
  t.strictSame(bench.verdicts(), ['valid', 'valid', 'valid']);
  t.strictSame(await bench.send(...uploads), ['valid', 'valid', 'valid'], 'the receipt of now');
  const end = bench.log.end();
  await bench.correct(0n, 1n, 1n);
  t.strictSame(bench.log.end(), end, 'what was said first stays');
  t.strictSame(bench.verdicts(), ['valid', 'valid', 'valid']);
});

t.test('late, from the future or before any device ran: by the corrected time', async (t) => {
  const cases = [
    [NOW_S - 38n * DAY_S, 'late'],
    [NOW_S - 36n * DAY_S, 'valid'],
    [NOW_S + 600n, 'clock-unsynced'],
    [1_000_000_000n, 'clock-unsynced'],
  ] as const;
  for (const [bootS, verdict] of cases) {
    await t.test(`${bootS}: ${verdict}`, async (t) => {
      const bench = await open(t);
      t.strictSame(await bench.send(bench.undated()), ['clock-unsynced']);
      bench.nowS += 30n * DAY_S;
      await bench.correct(0n, 0n, bootS);
      t.strictSame(bench.verdicts(), [verdict], 'and by when the proof came, not the correction');
    });
  }
});

t.test('two intervals cannot use the same second: what the one before used up counts', async (t) => {
  const bench = await open(t);
  const much = [{ guest: 1, up: 0n, down: 55_000n, paid: 10n }];
  const first = bench.router.next(much, { clockState: 0n });
  const second = bench.router.next(much, { clockState: 0n, startS: first.proof.startS, endS: first.proof.endS });
  t.strictSame(await bench.send(first, second), ['clock-unsynced', 'clock-unsynced']);
  await bench.correct(0n, 1n, NOW_S - 600n);
  t.strictSame(bench.verdicts(), ['valid', 'over-link-capacity']);
});

t.test('what was wrong for another reason stays so, and a gap that is filled later is dated', async (t) => {
  const bench = await open(t);
  const [first, second] = [bench.undated(), bench.undated()];
  t.strictSame(await bench.send(second), ['gap']);
  await bench.correct(0n, 1n, NOW_S - 600n);
  t.strictSame(bench.verdicts(), ['gap']);
  t.strictSame(await bench.send(first), ['clock-unsynced'], 'it was not on file when the correction came');
  t.strictSame(bench.verdicts(), ['clock-unsynced', 'valid']);
  await bench.correct(0n, 1n, NOW_S - 600n);
  t.strictSame(bench.verdicts(), ['valid', 'valid']);
});

t.test('later corrections say something of later numbers only', async (t) => {
  const bench = await open(t);
  const uploads = Array.from({ length: 7 }, () => bench.undated());
  await bench.send(...uploads);
  await bench.correct(3n, 4n, NOW_S - 36n * DAY_S);
  await bench.correct(0n, 6n, NOW_S - 38n * DAY_S);
  t.strictSame(bench.verdicts(), ['late', 'late', 'late', 'valid', 'valid', 'late', 'late']);
});

t.test('days add up by the corrected time, and a store and totals made anew from the log say the same', async (t) => {
  const bench = await open(t);
  await bench.send(bench.undated(), bench.undated());
  const bootS = NOW_S - DAY_S;
  await bench.correct(0n, 1n, bootS);
  await bench.send(bench.router.next([]));
  const claims = new SqliteClaims(`${t.testdirName}/totals.db`);
  t.teardown(() => claims.close());
  await totalSegments(claims, bench.log, 'test');
  const totals = claims.totals(bench.router.key.address, 0n, NOW_S / DAY_S).filter(({ proofs }) => proofs !== 0n);
  t.match(totals, [{ day: bootS / DAY_S, verdict: 'valid', proofs: 2n, bytes: 20_000n, paid: 20n }]);
  const rebuilt = new SqliteStore(`${t.testdirName}/rebuilt.db`);
  t.teardown(() => rebuilt.close());
  await catchUp(rebuilt, bench.log);
  t.strictSame(bench.verdicts(rebuilt), bench.verdicts());
  const again = new Bench(bench.log, rebuilt);
  const end = bench.log.end();
  await again.correct(0n, 1n, 5n);
  t.strictSame(bench.log.end(), end, 'it knows the correction');
});
