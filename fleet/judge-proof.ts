/**
 * What a collector makes of one upload. Pure: everything it needs to know beside the upload is in the context.
 *
 * The origin is judged first, by itself: only what the device really signed may take a place in the device's chain. Then
 * the place in the chain, then what travels with the proof, then whether the figures can be true. Cheap checks come first.
 */

import type { Address } from '../protocol/address.ts';
import { type ChannelsDeployment, channelId } from '../protocol/channel.ts';
import { type Hex, hexFromBytes } from '../protocol/hex.ts';
import { type CompactSignature, recoverSigner } from '../protocol/signature.ts';
import {
  GENESIS_PREV,
  type RegistryDeployment,
  type SessionLeaf,
  sessionsRoot,
  type TrafficProof,
  trafficProofDigest,
  trafficProofDigestHex,
} from '../protocol/traffic-proof.ts';
import type { ProofUpload, ProofVoucher } from '../protocol/traffic-proof-wire.ts';
import type { Verdict } from '../protocol/verdict.ts';
import { voucherDigest } from '../protocol/voucher.ts';
import { type KnownDevice, standingFlaw, unvouchedFlaw } from './device-standing.ts';

/** Who signed a 32-byte digest, or undefined: nobody. `expected` who should have: it can be asked faster. Never throws. */
export type Recover = (digest: Uint8Array, signature: CompactSignature, expected: Address) => Address | undefined;

export type CollectorDeployment = ChannelsDeployment & RegistryDeployment;

/** The proofs on file around a device's proof number; absent = none is. */
export type Neighbours = {
  readonly same?: { readonly digest: Hex };
  /** `endS` only if that proof's clock was good. */
  readonly before?: { readonly digest: Hex; readonly endS?: bigint };
  readonly after?: { readonly prev: Hex };
};

/** What the device's proofs of lower numbers say about a channel, whenever they came. */
export type ProvenChannel = { readonly bytes: bigint; readonly paid: bigint };

export type JudgeContext = {
  /** Of the proof, where it is known already: it is dear to compute. */
  readonly digest?: Hex;
  readonly deployment: CollectorDeployment;
  readonly device: KnownDevice | undefined;
  readonly neighbours: Neighbours;
  readonly channels: ReadonlyMap<Hex, ProvenChannel>;
  /** Unix seconds of the collector's clock. */
  readonly receivedS: bigint;
  /** A proof whose interval ended longer ago than this comes too late for its epoch. */
  readonly lateAfterS: bigint;
  /** What the device has said since of its seconds, if its clock was not set (protocol/clock-statement.ts). */
  readonly bootS?: bigint | undefined;
  /** Default: noble, which is always there and slow. */
  readonly recover?: Recover;
};

export type Judgement = {
  readonly verdict: Verdict;
  /** Subject, what is wrong, expected, got. */
  readonly reason: string;
  /** Whether the proof takes its number in the device's chain: the next one must name it. */
  readonly joinsChain: boolean;
};

/** Two clocks that are both set may differ so much. */
const CLOCK_SKEW_S = 300n;
/** 2026-01-01T00:00:00Z: no device ran before. */
const EARLIEST_START_S = 1_767_225_600n;

export function judgeProof(upload: ProofUpload, context: JudgeContext): Judgement {
  return judgeOrigin(upload, context) ?? judgeContent(upload, context);
}

/** Why the upload is not the word of a device in good standing, or undefined if it is. */
export function judgeOrigin(
  { proof }: ProofUpload,
  { deployment, device, recover = recoverSigner }: Pick<JudgeContext, 'deployment' | 'device' | 'recover'>,
  digest: Uint8Array = trafficProofDigest(deployment, proof),
): Judgement | undefined {
  if (device === undefined) return outside('unknown-device', `device ${proof.device} is not enrolled here`);
  const signer = recover(digest, proof.signature, proof.device);
  if (signer !== proof.device) {
    return outside('bad-signature', `the proof is signed by ${signer ?? 'nobody'}, expected ${proof.device}`);
  }
  return standingFlaw(proof, device);
}

/** The verdict on an upload whose origin is good. `evidence` is what judgeEvidence found, where it was asked before. */
export function judgeContent(
  upload: ProofUpload,
  context: JudgeContext,
  evidence: Judgement | 'sound' = judgeEvidence(upload, context) ?? 'sound',
): Judgement {
  return judgeFork(upload, context) ?? (evidence === 'sound' ? undefined : evidence) ?? judgeFigures(upload, context);
}

/** Duplicates, and proofs that contradict what is on file. */
function judgeFork({ proof }: ProofUpload, context: JudgeContext): Judgement | undefined {
  const { same, before, after } = context.neighbours;
  const digest = context.digest ?? trafficProofDigestHex(context.deployment, proof);
  if (same?.digest === digest) return outside('duplicate', `proof ${proof.seq} is on file already`);
  if (same !== undefined) {
    return outside('equivocation', `proof ${proof.seq} is on file as ${same.digest}, got ${digest}`);
  }
  if (before !== undefined && before.digest !== proof.prev) {
    return outside(
      'equivocation',
      `proof ${proof.seq} follows ${proof.prev}, expected ${before.digest}, which is on file`,
    );
  }
  if (after !== undefined && after.prev !== digest) {
    return outside(
      'equivocation',
      `proof ${proof.seq + 1n} on file follows ${after.prev}, got ${digest} for proof ${proof.seq}`,
    );
  }
  return undefined;
}

/** Leaves and vouchers: what the device's totals rest on. Depends on nothing on file, so it can be asked ahead. */
export function judgeEvidence(
  { proof, leaves, vouchers }: ProofUpload,
  { deployment, recover = recoverSigner }: Pick<JudgeContext, 'deployment' | 'recover'>,
): Judgement | undefined {
  const root = sessionsRoot(leaves);
  if (root !== proof.sessionsRoot) {
    return outside('bad-signature', `the leaves hash to ${root}, the device signed ${proof.sessionsRoot}`);
  }
  const totals = [
    ['bytes up', proof.bytesUp, sum(leaves, ({ bytesUp }) => bytesUp)],
    ['bytes down', proof.bytesDown, sum(leaves, ({ bytesDown }) => bytesDown)],
    ['units paid', proof.paid, sum(leaves, ({ paid }) => paid)],
  ] as const;
  const wrong = totals.find(([, signed, summed]) => signed !== summed);
  if (wrong !== undefined)
    return outside('bad-voucher', `the leaves add up to ${wrong[2]} ${wrong[0]}, the proof says ${wrong[1]}`);
  if (new Set(leaves.map((leaf) => leaf.channelId)).size !== leaves.length) {
    return outside('bad-voucher', 'a channel has more than one leaf');
  }
  if (vouchers.length !== leaves.length) {
    return outside('bad-voucher', `${leaves.length} leaves need as many vouchers, got ${vouchers.length}`);
  }
  const byChannel = new Map(vouchers.map((voucher) => [voucher.channelId, voucher]));
  for (const leaf of leaves) {
    const flaw = flawOf(leaf, byChannel.get(leaf.channelId), proof.device, deployment, recover);
    if (flaw !== undefined) return outside('bad-voucher', flaw);
  }
  return undefined;
}

function flawOf(
  leaf: SessionLeaf,
  voucher: ProofVoucher | undefined,
  device: Address,
  deployment: CollectorDeployment,
  recover: Recover,
): string | undefined {
  const id = leaf.channelId;
  if (voucher === undefined) return `channel ${id} has a leaf but no voucher`;
  const { config } = voucher;
  const configId = channelId(deployment, config);
  if (configId !== id) return `the config of channel ${id} is that of ${configId}`;
  if (config.device !== device) return `channel ${id} is served by ${config.device}, not by ${device}`;
  const digestBytes = voucherDigest(deployment, voucher);
  const digest = hexFromBytes(digestBytes);
  if (digest !== leaf.voucherDigest)
    return `the leaf of channel ${id} names voucher ${leaf.voucherDigest}, got ${digest}`;
  const signer = recover(digestBytes, voucher.signature, config.signer);
  if (signer !== config.signer)
    return `the voucher of channel ${id} is signed by ${signer ?? 'nobody'}, expected ${config.signer}`;
  return undefined;
}

/**
 * Whether the figures of a whole and well-placed proof can be true, and count. All of these verdicts take the proof's number:
 * they follow from what is on file, so that the order in which proofs came makes no difference in the end.
 */
export function judgeFigures(upload: ProofUpload, context: JudgeContext): Judgement {
  const { proof } = upload;
  const { neighbours } = context;
  if (proof.seq === 0n ? proof.prev !== GENESIS_PREV : neighbours.before === undefined) {
    return inside('gap', `proof ${proof.seq} follows ${proof.prev}, which is not on file`);
  }
  const charged = chargeAboveVoucher(upload, context);
  if (charged !== undefined) return inside('bad-voucher', charged);
  const below = ackAboveProven(upload, context);
  if (below !== undefined) return inside('bytes-below-ack', below);
  return judgeTimes(proof, context);
}

/** What a proof says of its time. */
export type TimedFigures = Pick<TrafficProof, 'startS' | 'endS' | 'bytesUp' | 'bytesDown' | 'clockState'>;

/** The last part of judgeFigures: whether the interval can be, and is not too old; by the corrected time if there is one. */
export function judgeTimes(
  stated: TimedFigures,
  context: Pick<JudgeContext, 'receivedS' | 'lateAfterS' | 'device' | 'neighbours' | 'bootS'>,
): Judgement {
  const { receivedS, lateAfterS, bootS } = context;
  const proof = datedBy(stated, bootS);
  const clock = clockFlaw(proof, receivedS);
  if (clock !== undefined) return inside('clock-unsynced', clock);
  const unvouched = unvouchedFlaw(proof.endS, context.device);
  if (unvouched !== undefined) return inside('revoked', unvouched);
  const over = overCapacity(proof, context);
  if (over !== undefined) return inside('over-link-capacity', over);
  const ageS = receivedS - proof.endS;
  if (ageS > lateAfterS) return inside('late', `the interval ended ${ageS} s ago, at most ${lateAfterS} s count`);
  return inside(
    'valid',
    proof === stated ? 'all checks passed' : `all checks passed, with the clock put right by ${bootS} s`,
  );
}

function datedBy(stated: TimedFigures, bootS: bigint | undefined): TimedFigures {
  if (bootS === undefined || stated.clockState === 1n) return stated;
  return { ...stated, startS: stated.startS + bootS, endS: stated.endS + bootS, clockState: 1n };
}

/** No channel may be charged more, over all proofs up to this one, than its voucher covers. */
function chargeAboveVoucher({ leaves, vouchers }: ProofUpload, { channels }: JudgeContext): string | undefined {
  for (const [i, { channelId: id, paid }] of leaves.entries()) {
    const charged = (channels.get(id)?.paid ?? 0n) + paid;
    const amount = voucherOf(vouchers, id, i)?.amount ?? 0n;
    if (charged > amount) return `channel ${id} was charged ${charged}, its voucher covers ${amount}`;
  }
  return undefined;
}

/** A guest acknowledges what was metered; so a router that proves less than that hides bytes, or invented the voucher. */
function ackAboveProven({ leaves, vouchers }: ProofUpload, { channels }: JudgeContext): string | undefined {
  for (const [i, leaf] of leaves.entries()) {
    const proven = (channels.get(leaf.channelId)?.bytes ?? 0n) + leaf.bytesUp + leaf.bytesDown;
    const acknowledged = voucherOf(vouchers, leaf.channelId, i)?.ackBytes ?? 0n;
    if (acknowledged > proven) {
      return `the guest of channel ${leaf.channelId} acknowledged ${acknowledged} bytes, proofs so far say ${proven}`;
    }
  }
  return undefined;
}

/** Nearly always at the place of its leaf. */
function voucherOf(vouchers: readonly ProofVoucher[], id: Hex, i: number): ProofVoucher | undefined {
  const there = vouchers[i];
  return there?.channelId === id ? there : vouchers.find(({ channelId }) => channelId === id);
}

function clockFlaw(proof: TimedFigures, receivedS: bigint): string | undefined {
  if (proof.clockState === 0n) return 'the device says that its clock was not set';
  if (proof.startS < EARLIEST_START_S) return `the interval starts at ${proof.startS}, before any device ran`;
  if (proof.endS < proof.startS) return `the interval ends at ${proof.endS}, before its start at ${proof.startS}`;
  if (proof.endS > receivedS + CLOCK_SKEW_S) return `the interval ends at ${proof.endS}, it is ${receivedS} now`;
  return undefined;
}

/** Time that the proof before has used up counts once; one second for the rounding of both ends. */
function overCapacity(
  proof: TimedFigures,
  { neighbours, device }: Pick<JudgeContext, 'neighbours' | 'device'>,
): string | undefined {
  if (device === undefined) return undefined;
  const fromS = larger(proof.startS, neighbours.before?.endS ?? 0n);
  const seconds = larger(proof.endS - fromS, 0n) + 1n;
  const capacity = seconds * device.linkBytesPerS;
  const most = larger(proof.bytesUp, proof.bytesDown);
  return most > capacity ? `${most} bytes one way in ${seconds} s, the link carries at most ${capacity}` : undefined;
}

function larger(a: bigint, b: bigint): bigint {
  if (a > b) return a;
  return b;
}

function sum(leaves: readonly SessionLeaf[], pick: (leaf: SessionLeaf) => bigint): bigint {
  return leaves.reduce((total, leaf) => total + pick(leaf), 0n);
}

function outside(verdict: Verdict, reason: string): Judgement {
  return { verdict, reason, joinsChain: false };
}

function inside(verdict: Verdict, reason: string): Judgement {
  return { verdict, reason, joinsChain: true };
}
