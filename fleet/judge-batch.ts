/** Judges uploads one after another inside a transaction, each knowing the ones before; and again those that came too early. */
import type { Address } from '../protocol/address.ts';
import type { Hex } from '../protocol/hex.ts';
import type { ProofUpload } from '../protocol/traffic-proof-wire.ts';
import { datedVerdict } from './correct-clock.ts';
import { type KnownDevice, standingFlaw } from './device-standing.ts';
import type { FleetTx, MissingRange, Place, StoredVerdict } from './fleet-store.ts';
import { judgeAgain } from './judge-again.ts';
import { type CollectorDeployment, type JudgeContext, type Judgement, judgeContent } from './judge-proof.ts';
import { encodeLogEntry, type LogEntry } from './proof-entry.ts';
import { hashOf } from './proof-rows.ts';

export type JudgeDeps = {
  readonly deployment: CollectorDeployment;
  /** As the registry is now: asked again at the verdict, so that a key revoked meanwhile counts as revoked. */
  readonly devices: (address: Address) => KnownDevice | undefined;
  /** Unix seconds. */
  readonly nowS: () => bigint;
  /** A proof whose interval ended longer ago is late. */
  readonly lateAfterS: bigint;
};

export type Pending = {
  readonly body: Uint8Array;
  readonly upload: ProofUpload;
  readonly digest: Hex;
  /** What was found without looking anything up. */
  readonly origin: Judgement | undefined;
  readonly evidence: Judgement | 'sound';
  /** Written by judgePending. */
  result: StoredVerdict & { readonly missing: readonly MissingRange[] };
};

/** Gives each upload its result. @returns the frames to be made durable, in order */
export async function judgePending(batch: readonly Pending[], tx: FleetTx, deps: JudgeDeps): Promise<Uint8Array[]> {
  const frames: Uint8Array[] = [];
  const receivedS = deps.nowS();
  const keep = async (entry: LogEntry): Promise<void> => {
    frames.push(encodeLogEntry(entry));
    await tx.apply(entry);
  };
  for (const pending of batch) {
    const place = await placeOf(pending, tx, deps, keep);
    // Nothing of the kind is on file, for nearly all: a question less to wait for.
    const isNew = place.same === undefined && !place.hasRejected;
    const known = isNew ? undefined : await knownVerdict(pending, place, tx);
    if (known !== undefined) {
      pending.result = { ...known, missing: await missingAfter(known, pending, tx) };
      continue;
    }
    const { body, upload, digest } = pending;
    const judgement = await judge(pending, place, tx, deps, receivedS);
    await keep({ kind: 'upload', body, upload, digest, judgement, receivedS });
    const isDated = upload.proof.clockState === 1n;
    const verdict = isDated ? judgement.verdict : await datedVerdict(upload, judgement, receivedS, tx, deps, keep);
    const stored = { digest, verdict, receivedS };
    if (judgement.joinsChain && place.hasLater) await judgeAgain(upload, tx, deps, keep);
    pending.result = { ...stored, missing: verdict === 'gap' ? await tx.missing(upload.proof.device) : [] };
  }
  return frames;
}

/** A chain that goes on from another key's gets its start before its first proof: the log alone can then tell where it is. */
async function placeOf(
  { upload: { proof }, origin }: Pending,
  tx: FleetTx,
  { devices }: JudgeDeps,
  keep: (entry: LogEntry) => Promise<void>,
): Promise<Place> {
  const { device, seq } = proof;
  const place = await tx.place(device, seq);
  if (origin !== undefined || place.before !== undefined || place.same !== undefined || seq === 0n) return place;
  const start = devices(device)?.tookOver;
  if (start === undefined || start.fromSeq === 0n || (await tx.startOf(device)) !== undefined) return place;
  await keep({ kind: 'chain-start', device, seq: start.fromSeq, prev: start.prev });
  return await tx.place(device, seq);
}

async function missingAfter({ verdict }: StoredVerdict, { upload }: Pending, tx: FleetTx) {
  return verdict === 'gap' ? await tx.missing(upload.proof.device) : [];
}

/** The verdict on this proof, or at least on these very bytes, from before. */
async function knownVerdict({ body, digest, origin }: Pending, { same, hasRejected }: Place, tx: FleetTx) {
  if (origin === undefined && same?.digest === digest) return same;
  if (!hasRejected) return undefined;
  const rejected = await tx.rejected(hashOf(body));
  // It was a stranger then, and is enrolled now.
  return rejected?.verdict === 'unknown-device' && origin === undefined ? undefined : rejected;
}

async function judge(
  pending: Pending,
  place: Place,
  tx: FleetTx,
  deps: JudgeDeps,
  receivedS: bigint,
): Promise<Judgement> {
  const { upload, origin, evidence } = pending;
  if (origin !== undefined) return origin;
  const { device: address } = upload.proof;
  const device = deps.devices(address);
  if (device === undefined) {
    return { verdict: 'revoked', reason: `device ${address} was revoked meanwhile`, joinsChain: false };
  }
  const flaw = standingFlaw(upload.proof, device);
  if (flaw !== undefined) return flaw;
  const context: JudgeContext = {
    digest: pending.digest,
    deployment: deps.deployment,
    device,
    neighbours: place,
    channels: await tx.channels(
      upload.leaves.map(({ channelId }) => channelId),
      place.hasLater ? upload.proof.seq : undefined,
    ),
    receivedS,
    lateAfterS: deps.lateAfterS,
  };
  return judgeContent(upload, context, evidence);
}
