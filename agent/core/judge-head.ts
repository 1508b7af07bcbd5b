/**
 * Whether the device's chain as the collector has it is the one in the journal. It is not when the journal was lost, or came
 * out of an old backup: then numbers that this device has signed are free in the journal, and signing them anew would be
 * what a cloned key does. The collector shows the device's own signed proof, so it cannot make one up.
 */
import type { Hex } from '../../protocol/hex.ts';
import type { TrafficProof } from '../../protocol/traffic-proof.ts';

/** The newest proof that the collector has in the device's chain. */
export type ChainHead = { readonly proof: Pick<TrafficProof, 'seq' | 'epoch'>; readonly digest: Hex };

export type HeadJudgement =
  | { readonly kind: 'in-step' }
  /** Go on after the collector's number, in an epoch that was never signed for: so no (epoch, seq) is ever signed twice. */
  | { readonly kind: 'forked'; readonly nextSeq: bigint; readonly prev: Hex; readonly minEpoch: bigint };

/**
 * `nextSeq` as the journal has it; `digestOf` the journal's digest of a number, undefined if it is forgotten or was never
 * there; `epoch` that of the wall clock.
 */
export function judgeHead(
  own: { readonly nextSeq: bigint; readonly digestOf: (seq: bigint) => Hex | undefined },
  head: ChainHead | undefined,
  epoch: bigint,
): HeadJudgement {
  if (head === undefined) return { kind: 'in-step' };
  const { seq } = head.proof;
  const known = seq < own.nextSeq ? (own.digestOf(seq) ?? head.digest) : undefined;
  if (known === head.digest) return { kind: 'in-step' };
  const newest = head.proof.epoch > epoch ? head.proof.epoch : epoch;
  return { kind: 'forked', nextSeq: seq + 1n, prev: head.digest, minEpoch: newest + 1n };
}
