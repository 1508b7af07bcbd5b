/** The funnel of each day: carried and paid, named in a proof, accepted by the collector; and where bytes stopped. */
import type { BusTable } from './bus-port.ts';
import type { ProofRecord } from './ports.ts';

/** What no proof names yet; it belongs to today. */
export type OpenInterval = { readonly bytes: bigint; readonly units: bigint; readonly heldBecause?: string };

type Day = {
  bytes: bigint;
  paidUnits: bigint;
  provenBytes: bigint;
  acceptedBytes: bigint;
  readonly reasons: Map<string, { readonly stage: string; readonly reason: string; bytes: bigint }>;
};

const DAY_S = 86_400n;
export const MAX_EARNINGS_DAYS = 31;

/**
 * @param records of at least the last `days` days, any order
 * @param nowS Unix seconds; days are UTC. Newest day first, every day is there.
 */
export function earningsTable(
  records: readonly ProofRecord[],
  open: OpenInterval,
  days: number,
  nowS: bigint,
): { readonly days: readonly BusTable[]; readonly undated_bytes: bigint } {
  const today = nowS / DAY_S;
  const byDay = new Map<bigint, Day>();
  for (let back = 0n; back < BigInt(days); back += 1n) byDay.set(today - back, emptyDay());
  let undatedBytes = 0n;
  for (const { proof, receipt } of records) {
    const bytes = proof.bytesUp + proof.bytesDown;
    if (proof.clockState === 0n) undatedBytes += bytes;
    const day = proof.clockState === 0n ? undefined : byDay.get(proof.endS / DAY_S);
    if (day === undefined) continue;
    day.bytes += bytes;
    day.provenBytes += bytes;
    day.paidUnits += proof.paid;
    if (receipt?.verdict === 'valid') day.acceptedBytes += bytes;
    else if (receipt === undefined) addReason(day, 'upload', 'waiting', bytes);
    else addReason(day, 'collector', receipt.verdict, bytes);
  }
  const current = byDay.get(today);
  if (current !== undefined) {
    current.bytes += open.bytes;
    current.paidUnits += open.units;
    addReason(current, 'sign', open.heldBecause ?? 'open-interval', open.bytes);
  }
  return { days: [...byDay].map(([day, sums]) => dayTable(day, sums)), undated_bytes: undatedBytes };
}

function emptyDay(): Day {
  return { bytes: 0n, paidUnits: 0n, provenBytes: 0n, acceptedBytes: 0n, reasons: new Map() };
}

function addReason(day: Day, stage: string, reason: string, bytes: bigint): void {
  if (bytes === 0n) return;
  const key = `${stage} ${reason}`;
  const known = day.reasons.get(key) ?? { stage, reason, bytes: 0n };
  known.bytes += bytes;
  day.reasons.set(key, known);
}

function dayTable(day: bigint, sums: Day): BusTable {
  return {
    date: new Date(Number(day * DAY_S) * 1000).toISOString().slice(0, 10),
    bytes: sums.bytes,
    paid_units: `${sums.paidUnits}`,
    proven_bytes: sums.provenBytes,
    accepted_bytes: sums.acceptedBytes,
    reasons: [...sums.reasons.values()],
  };
}
