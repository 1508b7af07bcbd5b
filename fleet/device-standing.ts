/** What a device may sign: whether it is in good standing, and which numbers of a chain and which intervals are its own. */
import type { Address } from '../protocol/address.ts';
import type { Hex } from '../protocol/hex.ts';
import type { TrafficProof } from '../protocol/traffic-proof.ts';

export type KnownDevice = {
  readonly isRevoked: boolean;
  /** What the device's uplink can carry in either direction. */
  readonly linkBytesPerS: bigint;
  /** Intervals that end later (Unix seconds) are nobody's word any more: an attestation's end, a vendor's key taken back. */
  readonly vouched?: { readonly untilS: bigint; readonly why: string } | undefined;
  /** The key has signed that `successor` goes on in its place from this number on. */
  readonly handedOver?: { readonly fromSeq: bigint; readonly successor: Address } | undefined;
  /** The key goes on in `device`'s place: numbers before this one are that key's. */
  readonly tookOver?: { readonly fromSeq: bigint; readonly prev: Hex; readonly device: Address } | undefined;
};

/** As judge-proof.ts has it: the proof takes no place in a chain. */
export type StandingFlaw = {
  readonly verdict: 'revoked' | 'bad-signature';
  readonly reason: string;
  readonly joinsChain: false;
};

/** Why a proof that the device has signed is not its to sign, or undefined. Asked again at the verdict: it may have changed. */
export function standingFlaw(
  { device: address, seq }: Pick<TrafficProof, 'device' | 'seq'>,
  { isRevoked, handedOver, tookOver }: KnownDevice,
): StandingFlaw | undefined {
  if (isRevoked) return outside('revoked', `device ${address} is revoked`);
  if (handedOver !== undefined && seq >= handedOver.fromSeq) {
    const { fromSeq, successor } = handedOver;
    const who = 'a copy of the key, or a router out of an old backup, has signed this one';
    return outside('revoked', `${address} gave its chain to ${successor} from proof ${fromSeq} on; ${who}`);
  }
  if (tookOver !== undefined && seq < tookOver.fromSeq) {
    const { fromSeq, device: before } = tookOver;
    return outside('bad-signature', `proof ${seq} is for ${before} to sign; ${address} signs from ${fromSeq} on`);
  }
  return undefined;
}

/** Why an interval that ended at `endS` (Unix seconds, by a clock that is believed) counts no more, or undefined. */
export function unvouchedFlaw(endS: bigint, device: KnownDevice | undefined): string | undefined {
  const vouched = device?.vouched;
  if (vouched === undefined || endS <= vouched.untilS) return undefined;
  return `the interval ended at ${endS}, after ${vouched.untilS}: ${vouched.why}`;
}

function outside(verdict: StandingFlaw['verdict'], reason: string): StandingFlaw {
  return { verdict, reason, joinsChain: false };
}
