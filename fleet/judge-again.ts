/**
 * A proof that comes after later ones changes what stands before those. They are judged again as if all had come in the order
 * of their numbers, so that an honest router whose uploads were delivered out of order loses nothing, and a lie stays one.
 */
import type { Hex } from '../protocol/hex.ts';
import { decodeProofUpload, type ProofUpload } from '../protocol/traffic-proof-wire.ts';
import type { KnownDevice } from './device-standing.ts';
import type { FleetTx, HeldProof, HeldShare } from './fleet-store.ts';
import { type CollectorDeployment, judgeFigures, type ProvenChannel } from './judge-proof.ts';
import type { RejudgementEntry } from './proof-entry.ts';

export type JudgeAgainDeps = {
  readonly deployment: CollectorDeployment;
  readonly devices: (address: Hex) => KnownDevice | undefined;
  readonly lateAfterS: bigint;
};

/** Judges again what `upload`, just applied, may have changed; `keep` applies each new verdict. */
export async function judgeAgain(
  upload: ProofUpload,
  tx: FleetTx,
  deps: JudgeAgainDeps,
  keep: (entry: RejudgementEntry) => Promise<void>,
): Promise<void> {
  const { device, seq } = upload.proof;
  const seqs = await touchedBy(upload, tx);
  if ((await tx.held(device, seq + 1n)) !== undefined) seqs.add(seq + 1n);
  const waiting = [...seqs].sort((a, b) => Number(a - b));
  for (let i = 0; i < waiting.length; i++) {
    const at = waiting[i] as bigint;
    const held = await tx.held(device, at);
    if (held === undefined) continue;
    const entry = await verdictAgain(held, tx, deps);
    if (entry === undefined) continue;
    await keep(entry);
    // The end of an interval bounds the next one only if its clock is believed.
    const isClockMatter = entry.from === 'clock-unsynced' || entry.verdict === 'clock-unsynced';
    if (isClockMatter && waiting[i + 1] !== at + 1n) waiting.splice(i + 1, 0, at + 1n);
  }
}

/** Numbers of the later proofs for which `upload` turns the comparison with their voucher, on any of its channels. */
async function touchedBy({ proof, leaves }: ProofUpload, tx: FleetTx): Promise<Set<bigint>> {
  const touched = new Set<bigint>();
  for (const leaf of leaves) {
    const later = await tx.sharesAfter(leaf.channelId, proof.seq);
    if (later.length === 0) continue;
    // With this proof in it already.
    const upTo = (await tx.channels([leaf.channelId], proof.seq + 1n)).get(leaf.channelId);
    let bytes = upTo?.bytes ?? 0n;
    let paid = upTo?.paid ?? 0n;
    for (const share of later) {
      bytes += share.bytes;
      paid += share.paid;
      const without = { bytes: bytes - leaf.bytesUp - leaf.bytesDown, paid: paid - leaf.paid };
      if (flaws(without, share) !== flaws({ bytes, paid }, share)) touched.add(share.seq);
    }
  }
  return touched;
}

/** The two comparisons that rest on totals, as one number. */
function flaws({ bytes, paid }: ProvenChannel, { amount, ackBytes }: HeldShare): number {
  return (paid > amount ? 1 : 0) + (ackBytes > bytes ? 2 : 0);
}

async function verdictAgain(held: HeldProof, tx: FleetTx, deps: JudgeAgainDeps): Promise<RejudgementEntry | undefined> {
  const decoded = decodeProofUpload(held.body);
  if (!decoded.ok)
    throw new RangeError(`a proof on file is no upload: expected ${decoded.expected}, got ${decoded.got}`);
  const upload = decoded.value;
  const { device, seq, endS, bytesUp, bytesDown, paid } = upload.proof;
  const bootS = upload.proof.clockState === 0n ? await tx.bootOf(device, seq) : undefined;
  const { verdict, reason } = judgeFigures(upload, {
    deployment: deps.deployment,
    device: deps.devices(device),
    neighbours: await tx.place(device, seq),
    channels: await tx.channels(
      upload.leaves.map(({ channelId }) => channelId),
      seq,
    ),
    receivedS: held.receivedS,
    lateAfterS: deps.lateAfterS,
    bootS,
  });
  if (verdict === held.verdict) return undefined;
  const counts = { day: (endS + (bootS ?? 0n)) / 86_400n, bytes: bytesUp + bytesDown, paid };
  return { kind: 'rejudgement', device, seq, from: held.verdict, verdict, reason, ...counts };
}
