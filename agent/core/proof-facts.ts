/** What the journal holds for the collector, and what the collector answers. */
import type { SignedClockCorrection, SignedClockStatement } from '../../protocol/clock-statement.ts';
import type { Hex } from '../../protocol/hex.ts';
import type { SignedServiceOffer } from '../../protocol/service-offer.ts';
import type { SignedTrafficProof } from '../../protocol/traffic-proof.ts';
import type { SignedProofReceipt } from '../../protocol/verdict.ts';

/** A proof closed but not yet acknowledged by the collector. */
export type OutboxItem = { readonly digest: Hex; readonly seq: bigint; readonly body: Uint8Array };

/** An interval closed but not signed yet (core/proof-draft.ts). */
export type DraftItem = { readonly id: bigint; readonly run: string; readonly body: Uint8Array };

/** What the collector has not got yet. */
export type WaitingProofs = {
  readonly signed: number;
  readonly signedBytes: number;
  readonly drafts: number;
  readonly draftBytes: number;
};

/** A question the collector answered; `message` says why it did not, for the log. */
export type CollectorAnswer<T> = ({ readonly ok: true } & T) | { readonly ok: false; readonly message: string };

/** Numbers of proofs, both ends inclusive. */
export type MissingProofs = { readonly from: bigint; readonly to: bigint };

/** Sends one proof to the collector, and asks it what a proof needs to be signed. */
export type ProofUploader = {
  /** The newest proof in this device's chain, as signed by the device, and the receipt for it; absent: it has none. */
  readonly head?: () => Promise<
    CollectorAnswer<{ readonly head?: { readonly proof: SignedTrafficProof; readonly receipt: SignedProofReceipt } }>
  >;
  /** What time it is, signed against a fresh nonce. */
  readonly time?: () => Promise<CollectorAnswer<{ readonly statement: SignedClockStatement }>>;
  /** Tells what the node offers; `isTaken` false: the collector has an offer of this serial number or a higher one. */
  readonly publish?: (offer: SignedServiceOffer) => Promise<CollectorAnswer<{ readonly isTaken: boolean }>>;
  readonly correct?: (correction: SignedClockCorrection) => Promise<CollectorAnswer<object>>;
  /** `missing`: numbers before it that the collector has not got, though it needs them to judge this one. */
  readonly upload: (
    body: Uint8Array,
  ) => Promise<CollectorAnswer<{ readonly receipt: SignedProofReceipt; readonly missing?: readonly MissingProofs[] }>>;
};
