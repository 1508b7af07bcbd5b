/** What survives a crash: the facts that the journal keeps, and the picture it gives back at a start. */
import type { Address } from '../../protocol/address.ts';
import type { Hex } from '../../protocol/hex.ts';
import type { SignedTrafficProof } from '../../protocol/traffic-proof.ts';
import type { TokenAmount } from '../../protocol/units.ts';
import type { SignedProofReceipt } from '../../protocol/verdict.ts';
import type { Custody } from './custody.ts';
import type { Channel, CounterReading, Mac, Session, SessionId } from './model.ts';
import type { SentTransaction } from './sent-transaction.ts';
import type { TickCredit } from './tick-account.ts';

/** A proof with its digest, and the collector's receipt once there is one. */
export type ProofRecord = {
  readonly proof: SignedTrafficProof;
  readonly digest: Hex;
  readonly receipt?: SignedProofReceipt;
};

/** Facts that survive a crash. One commit is one transaction; the promise resolves when it is on disk. */
export type JournalEntry =
  | { readonly kind: 'channel'; readonly channel: Channel }
  /** An active channel of which nothing but the voucher is new: what a session writes most. */
  | { readonly kind: 'voucher'; readonly channel: Channel }
  /** The channel's tick voucher and the furthest coin of its chain that was seen. */
  | ({ readonly kind: 'ticks' } & TickCredit)
  /** The newest hand-over of a channel; a later one takes its place, never an earlier one. */
  | { readonly kind: 'custody'; readonly custody: Custody }
  /** Its channel has expired. */
  | { readonly kind: 'custody-forgotten'; readonly channelId: Hex }
  /** Over and done with: only its final claim stays, in the totals. */
  | { readonly kind: 'channel-forgotten'; readonly channel: Channel }
  | { readonly kind: 'transaction'; readonly transaction: SentTransaction }
  | { readonly kind: 'session'; readonly session: Session; readonly counters: readonly CounterReading[] }
  | { readonly kind: 'session-forgotten'; readonly sessionId: SessionId }
  | { readonly kind: 'proof'; readonly record: ProofRecord; readonly body: Uint8Array }
  /** An interval to be signed later; it gets the next id. */
  | { readonly kind: 'draft'; readonly run: string; readonly body: Uint8Array }
  /** In place of the draft with this id: it and later ones in one. */
  | { readonly kind: 'draft-merged'; readonly id: bigint; readonly body: Uint8Array }
  /** Signed, or in another one now. */
  | { readonly kind: 'draft-gone'; readonly id: bigint }
  /** The chain goes on after this proof, which an earlier life of the device signed and the collector has. */
  | { readonly kind: 'chain-rebased'; readonly head: ProofRecord; readonly minEpoch: bigint }
  | { readonly kind: 'receipt'; readonly digest: Hex; readonly receipt: SignedProofReceipt }
  | ({ readonly kind: 'trial' } & StoredTrial)
  /** A guest's open is about to be relayed. */
  | ({ readonly kind: 'open' } & StoredOpen)
  /** The chain refused the newest open of this MAC before anything was sent: it counts for nobody after a restart. */
  | { readonly kind: 'open-refused'; readonly mac: Mac }
  /** All that the owner gave away on that day. */
  | { readonly kind: 'gifts'; readonly dayS: bigint; readonly bytes: bigint };

/** Whose open was relayed, and when: unix seconds, 0 while the clock was not set. */
export type StoredOpen = { readonly mac: Mac; readonly atS: bigint };

/** What a MAC had of the free allowance on a day, and which key asked for it. */
export type StoredTrial = {
  readonly mac: Mac;
  readonly dayS: bigint;
  readonly usedBytes: bigint;
  readonly key?: Address;
};

/** Sums over channels and transactions that the journal has forgotten. */
export type SettledTotals = { readonly channels: bigint; readonly units: TokenAmount; readonly gasGwei: bigint };

export type JournalSnapshot = {
  readonly channels: readonly Channel[];
  /** Of channels that are among the above. Absent: none. */
  readonly ticks?: readonly TickCredit[];
  readonly sessions: readonly { readonly session: Session; readonly counters: readonly CounterReading[] }[];
  /** Absent: no channel was ever handed over. */
  readonly custody?: readonly Custody[];
  readonly trials: readonly StoredTrial[];
  /** Oldest first; absent: none. */
  readonly opens?: readonly StoredOpen[];
  /** Of the last day on which any were made; absent: none ever. */
  readonly gifts?: { readonly dayS: bigint; readonly bytes: bigint };
  readonly lastProof?: ProofRecord;
  /** See ProofChain.minEpoch. */
  readonly minEpoch?: bigint;
  /** Absent: nothing was ever forgotten. */
  readonly totals?: SettledTotals;
};
