/** What survives a crash: the facts that the journal keeps, and the picture it gives back at a start. */
import type { Hex } from '../../protocol/hex.ts';
import type { SignedTrafficProof } from '../../protocol/traffic-proof.ts';
import type { TokenAmount } from '../../protocol/units.ts';
import type { SignedProofReceipt } from '../../protocol/verdict.ts';
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
  /** Over and done with: only its final claim stays, in the totals. */
  | { readonly kind: 'channel-forgotten'; readonly channel: Channel }
  | { readonly kind: 'transaction'; readonly transaction: SentTransaction }
  | { readonly kind: 'session'; readonly session: Session; readonly counters: readonly CounterReading[] }
  | { readonly kind: 'session-forgotten'; readonly sessionId: SessionId }
  | { readonly kind: 'proof'; readonly record: ProofRecord; readonly body: Uint8Array }
  | { readonly kind: 'receipt'; readonly digest: Hex; readonly receipt: SignedProofReceipt }
  | { readonly kind: 'trial'; readonly mac: Mac; readonly dayS: bigint; readonly usedBytes: bigint };

/** Sums over channels and transactions that the journal has forgotten. */
export type SettledTotals = { readonly channels: bigint; readonly units: TokenAmount; readonly gasGwei: bigint };

export type JournalSnapshot = {
  readonly channels: readonly Channel[];
  /** Of channels that are among the above. Absent: none. */
  readonly ticks?: readonly TickCredit[];
  readonly sessions: readonly { readonly session: Session; readonly counters: readonly CounterReading[] }[];
  readonly trials: readonly { readonly mac: Mac; readonly dayS: bigint; readonly usedBytes: bigint }[];
  readonly lastProof?: ProofRecord;
  /** Absent: nothing was ever forgotten. */
  readonly totals?: SettledTotals;
};
