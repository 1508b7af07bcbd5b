/**
 * What the collector looks up: each device's chain, what is proven of each channel, verdicts, evidence of cloning. Made from
 * the proof log alone and never ahead of it, so a lost store is made anew. Embedded default: sqlite-store.ts; a distributed
 * implementation has to pass test/fleet/fleet-store-contract.ts.
 */
import type { Address } from '../protocol/address.ts';
import type { Hex } from '../protocol/hex.ts';
import type { SignedTrafficProof } from '../protocol/traffic-proof.ts';
import type { Verdict } from '../protocol/verdict.ts';
import type { Neighbours, ProvenChannel } from './judge-proof.ts';
import type { LogEntry } from './proof-entry.ts';
import type { LogPosition } from './proof-log.ts';

/** A store in the same process answers at once, one across a network later. */
export type Awaitable<T> = T | Promise<T>;

export type StoredVerdict = { readonly digest: Hex; readonly verdict: Verdict; readonly receivedS: bigint };

/** What is on file around a number of a device's chain. */
export type Place = Neighbours & {
  readonly same?: StoredVerdict;
  /** Whether any higher number is on file: then this one comes out of its turn. */
  readonly hasLater: boolean;
  /** Whether any upload of the device is on file that did not join its chain: only then can this one be among them. */
  readonly hasRejected: boolean;
};

/** The first number of a chain that goes on from another key's, and the digest of the proof before it. */
export type ChainStart = { readonly seq: bigint; readonly prev: Hex };

/** A proof with numbers missing before it: its verdict may change when they arrive. */
export type HeldProof = { readonly body: Uint8Array; readonly verdict: Verdict; readonly receivedS: bigint };

/** What one held proof adds to a channel, and the voucher that came with it. */
export type HeldShare = {
  readonly seq: bigint;
  readonly bytes: bigint;
  readonly paid: bigint;
  readonly amount: bigint;
  readonly ackBytes: bigint;
};

/** Numbers of a chain that are not on file, though later ones are; both ends inclusive. */
export type MissingRange = { readonly from: bigint; readonly to: bigint };

/** How far a device's chain is known here. A restored router goes on from `nextSeq` and `prev`. */
export type ChainHead = {
  readonly nextSeq: bigint;
  readonly prev: Hex;
  readonly missing: readonly MissingRange[];
  /** The proof that `prev` is the digest of; absent if there is none. */
  readonly last?: { readonly proof: SignedTrafficProof; readonly verdict: Verdict; readonly receivedS: bigint };
};

/** One line of a device's list of verdicts. */
export type VerdictRow = {
  /** Counts up in order of arrival, over all devices. */
  readonly id: bigint;
  readonly seq: bigint;
  readonly epoch: bigint;
  readonly digest: Hex;
  readonly verdict: Verdict;
  readonly reason: string;
  readonly startS: bigint;
  readonly endS: bigint;
  readonly bytesUp: bigint;
  readonly bytesDown: bigint;
  readonly paid: bigint;
  readonly receivedS: bigint;
};

/** Two signed proofs of one device that contradict each other: for one (epoch, seq), DeviceRegistry slashes for them. */
export type Equivocation = {
  readonly first: SignedTrafficProof;
  readonly second: SignedTrafficProof;
  readonly reason: string;
  /** Whether both name the same epoch and number, which is what the contract can check. */
  readonly isSlashable: boolean;
};

/** A proof in the chain whose times are seconds since a boot. */
export type UndatedProof = Pick<
  VerdictRow,
  'seq' | 'verdict' | 'reason' | 'startS' | 'endS' | 'bytesUp' | 'bytesDown' | 'paid' | 'receivedS'
>;

export type FleetTx = {
  readonly place: (device: Address, seq: bigint) => Awaitable<Place>;
  /** Where the chain begins, if it goes on from another key's (a chain-start entry). */
  readonly startOf: (device: Address) => Awaitable<ChainStart | undefined>;
  /** What was made of this very upload, if it did not join a chain. */
  readonly rejected: (bodyHash: Uint8Array) => Awaitable<StoredVerdict | undefined>;
  /** What proofs before number `seq` say of channels, or all; a channel belongs to one device, whose numbers are meant. */
  readonly channels: (ids: readonly Hex[], seq?: bigint) => Awaitable<ReadonlyMap<Hex, ProvenChannel>>;
  /** What held proofs after number `seq` add to a channel, lowest number first. */
  readonly sharesAfter: (id: Hex, seq: bigint) => Awaitable<readonly HeldShare[]>;
  /** Kept until the end of the transaction in which nothing before it is missing any longer. */
  readonly held: (device: Address, seq: bigint) => Awaitable<HeldProof | undefined>;
  readonly missing: (device: Address) => Awaitable<readonly MissingRange[]>;
  /** Unix seconds that times of this proof count from, where the device has put its clock right. */
  readonly bootOf: (device: Address, seq: bigint) => Awaitable<bigint | undefined>;
  /** Proofs from..to on file with clockState 0, in the order of their numbers. */
  readonly undated: (device: Address, from: bigint, to: bigint) => Awaitable<readonly UndatedProof[]>;
  /** Takes up an entry; later questions in the transaction know it. */
  readonly apply: (entry: LogEntry) => Awaitable<void>;
  /** How far in the log the entries reach that were applied. */
  readonly setPosition: (position: LogPosition) => Awaitable<void>;
};

export type FleetStore = {
  readonly position: () => Awaitable<LogPosition>;
  /** Runs `f` in one transaction: all it applied, or nothing if it throws. Transactions come one after another. */
  readonly tx: <T>(f: (tx: FleetTx) => Promise<T>) => Promise<T>;
  /** The device's uploads after row `afterId`, in order of arrival; committed ones only, like all below. */
  readonly verdicts: (device: Address, afterId: bigint, limit: number) => Awaitable<readonly VerdictRow[]>;
  readonly chain: (device: Address) => Awaitable<ChainHead>;
  readonly equivocations: (device: Address, limit: number) => Awaitable<readonly Equivocation[]>;
  /** Forgets everything, to be made anew from the log. */
  readonly clear: () => Awaitable<void>;
  readonly close: () => void;
};
