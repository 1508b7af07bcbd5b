/**
 * Proofs whose clock was not set say seconds since a boot. Once the device has signed when that was, they are judged by the
 * corrected time: neither as of 1970 nor as of the correction's arrival, and counted for the day that they belong to. The first
 * correction of a number stays; it is an entry of the log, so a rebuilt store knows it.
 */
import type { ClockCorrection } from '../protocol/clock-statement.ts';
import type { ProofUpload } from '../protocol/traffic-proof-wire.ts';
import type { Verdict } from '../protocol/verdict.ts';
import type { KnownDevice } from './device-standing.ts';
import type { FleetTx, UndatedProof } from './fleet-store.ts';
import { type Judgement, judgeTimes } from './judge-proof.ts';
import type { LogEntry, RejudgementEntry } from './proof-entry.ts';

export type CorrectClockDeps = {
  readonly devices: (address: ClockCorrection['device']) => KnownDevice | undefined;
  readonly lateAfterS: bigint;
};

type Keep = (entry: LogEntry) => Promise<void>;
type Correction = Pick<ClockCorrection, 'device' | 'fromSeq' | 'toSeq' | 'bootS'>;

const DAY_S = 86_400n;

/** Takes up a correction that the device signed; numbers that are not on file, or were corrected before, stay as they are. */
export async function correctClock(
  { device, fromSeq, toSeq, bootS }: Correction,
  tx: FleetTx,
  deps: CorrectClockDeps,
  keep: Keep,
): Promise<void> {
  const open: UndatedProof[] = [];
  for (const proof of await tx.undated(device, fromSeq, toSeq)) {
    if ((await tx.bootOf(device, proof.seq)) === undefined) open.push(proof);
  }
  const [first, last] = [open[0], open.at(-1)];
  if (first === undefined || last === undefined) return;
  await keep({ kind: 'clock-correction', device, fromSeq: first.seq, toSeq: last.seq, bootS });
  let endS: bigint | undefined;
  for (const proof of open) {
    const before = endS ?? (await tx.place(device, proof.seq)).before?.endS;
    await keep(redated(device, proof, { bootS, before }, deps));
    endS = proof.endS + bootS;
  }
}

/** The verdict on an upload that was just kept, by the corrected time if it was corrected before it came (sent anew, after a loss). */
export async function datedVerdict(
  { proof }: ProofUpload,
  { verdict, reason, joinsChain }: Judgement,
  receivedS: bigint,
  tx: FleetTx,
  deps: CorrectClockDeps,
  keep: Keep,
): Promise<Verdict> {
  if (proof.clockState === 1n || !joinsChain) return verdict;
  const { device } = proof;
  const bootS = await tx.bootOf(device, proof.seq);
  if (bootS === undefined) return verdict;
  const before = (await tx.place(device, proof.seq)).before?.endS;
  const entry = redated(device, { ...proof, verdict, reason, receivedS }, { bootS, before }, deps);
  await keep(entry);
  return entry.verdict;
}

/** Moves a proof to its day, with the verdict that it has there; one that was found wrong for another reason stays so. */
function redated(
  device: ClockCorrection['device'],
  { seq, startS, endS, bytesUp, bytesDown, paid, verdict: from, reason: fromReason, receivedS }: UndatedProof,
  { bootS, before }: { readonly bootS: bigint; readonly before: bigint | undefined },
  { devices, lateAfterS }: CorrectClockDeps,
): RejudgementEntry {
  const judged =
    from === 'clock-unsynced'
      ? judgeTimes(
          { startS, endS, bytesUp, bytesDown, clockState: 0n },
          {
            receivedS,
            lateAfterS,
            bootS,
            device: devices(device),
            neighbours: before === undefined ? {} : { before: { digest: '0x', endS: before } },
          },
        )
      : { verdict: from, reason: fromReason };
  const { verdict, reason } = judged;
  const days = { day: endS / DAY_S, toDay: (endS + bootS) / DAY_S };
  return { kind: 'rejudgement', device, seq, from, verdict, reason, ...days, bytes: bytesUp + bytesDown, paid };
}
