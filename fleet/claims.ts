/**
 * Work on sealed segments, shared among workers: each segment is processed once, and its effects are in the same
 * transaction as the mark that says so. A worker that dies loses its lease, and another one takes the segment.
 */
import type { Address } from '../protocol/address.ts';
import type { Verdict } from '../protocol/verdict.ts';
import type { Awaitable } from './fleet-store.ts';
import type { ProofLog, SegmentRef } from './proof-log.ts';

/** What a device did on a day (UTC, by the end of the interval), by verdict. */
export type DayTotal = {
  readonly device: Address;
  /** Days since 1970-01-01. */
  readonly day: bigint;
  readonly verdict: Verdict;
  readonly proofs: bigint;
  readonly bytes: bigint;
  readonly paid: bigint;
};

export type ClaimTx = {
  /** Adds to the total of the same device, day and verdict; negative figures take away. */
  readonly add: (total: DayTotal) => Awaitable<void>;
};

export type Claims = {
  /** A sealed segment that nobody has processed or holds, for so long; null: there is none. */
  readonly claim: (log: ProofLog, worker: string, leaseMs: number) => Promise<SegmentRef | null>;
  /** Effects and the mark "processed", or neither. @throws RangeError if `worker` no longer holds the segment */
  readonly finish: (ref: SegmentRef, worker: string, effects: (tx: ClaimTx) => Promise<void>) => Promise<void>;
  readonly totals: (device: Address, fromDay: bigint, toDay: bigint) => Awaitable<readonly DayTotal[]>;
  readonly clear: () => Awaitable<void>;
  readonly close: () => void;
};
