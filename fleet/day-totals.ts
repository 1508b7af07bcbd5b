/** Totals by device, day and verdict, from sealed segments: what statements and dashboards add up. */
import type { Claims, ClaimTx, DayTotal } from './claims.ts';
import { decodeLogEntry, type LogEntry } from './proof-entry.ts';
import type { ProofLog, SegmentRef } from './proof-log.ts';

const DAY_S = 86_400n;
const LEASE_MS = 600_000;
const LOOK_MS = 30_000;

/** Processes every sealed segment that waits. @returns how many */
export async function totalSegments(claims: Claims, log: ProofLog, worker: string): Promise<number> {
  for (let done = 0; ; done++) {
    const ref = await claims.claim(log, worker, LEASE_MS);
    if (ref === null) return done;
    const totals = await totalsOf(log, ref);
    await claims.finish(ref, worker, async (tx: ClaimTx) => {
      for (const total of totals) await tx.add(total);
    });
  }
}

/** Looks for sealed segments from time to time. @returns ends it, after one last look; tells how many were processed */
export function startDayTotals(claims: Claims, log: ProofLog): () => Promise<number> {
  const worker = `process ${process.pid}`;
  let done = 0;
  let looking: Promise<void> = Promise.resolve();
  const look = (): Promise<void> => {
    looking = looking.then(async () => {
      done += await totalSegments(claims, log, worker);
    });
    return looking;
  };
  const timer = setInterval(() => {
    look().catch((error: unknown) => process.stderr.write(`collector: totals not made: ${String(error)}\n`));
  }, LOOK_MS).unref();
  return async () => {
    clearInterval(timer);
    await look();
    return done;
  };
}

async function totalsOf(log: ProofLog, ref: SegmentRef): Promise<readonly DayTotal[]> {
  const totals = new Map<string, DayTotal>();
  for await (const { payload } of log.read(ref)) {
    for (const total of totalsFrom(decodeLogEntry(payload))) {
      const key = `${total.device} ${total.day} ${total.verdict}`;
      const before = totals.get(key) ?? { proofs: 0n, bytes: 0n, paid: 0n };
      totals.set(key, {
        ...total,
        proofs: before.proofs + total.proofs,
        bytes: before.bytes + total.bytes,
        paid: before.paid + total.paid,
      });
    }
  }
  return [...totals.values()];
}

/** A proof that is judged again leaves its first verdict and goes to the new one. */
function totalsFrom(entry: LogEntry): readonly DayTotal[] {
  if (entry.kind === 'upload') {
    const { device, endS, bytesUp, bytesDown, paid } = entry.upload.proof;
    const { verdict } = entry.judgement;
    return [{ device, day: endS / DAY_S, verdict, proofs: 1n, bytes: bytesUp + bytesDown, paid }];
  }
  if (entry.kind === 'clock-correction' || entry.kind === 'chain-start') return [];
  const { device, day, toDay = day, bytes, paid } = entry;
  return [
    { device, day: toDay, verdict: entry.verdict, proofs: 1n, bytes, paid },
    { device, day, verdict: entry.from, proofs: -1n, bytes: -bytes, paid: -paid },
  ];
}
