/**
 * The edges of the agent, as core, driver and portal know them. Implemented in agent/adapters (for real) and in
 * test/support (fakes that throw on an unscripted call). An adapter takes no decision.
 */
import type { Address } from '../protocol/address.ts';
import type { SignedAttach } from '../protocol/attach.ts';
import type { ChannelConfig } from '../protocol/channel.ts';
import type { SignedAuthorization } from '../protocol/funding.ts';
import type { Hex } from '../protocol/hex.ts';
import type { OpenRequest } from '../protocol/open-wire.ts';
import type { SignedQuote } from '../protocol/quote.ts';
import type { TokenAmount } from '../protocol/units.ts';
import type { SignedProofReceipt } from '../protocol/verdict.ts';
import type { SignedVoucher } from '../protocol/voucher.ts';
import type { JournalEntry, JournalSnapshot, ProofRecord } from './core/journal-entry.ts';
import type {
  Channel,
  CounterReading,
  DeviceName,
  EnforcementPlan,
  IpAddress,
  Lease,
  Mac,
  SessionId,
  UnboundAddress,
} from './core/model.ts';
import type { GuestView, SessionRow } from './core/view.ts';

export type { JournalEntry, JournalSnapshot, ProofRecord } from './core/journal-entry.ts';
export type { GuestView, SessionRow } from './core/view.ts';

/** Monotonic time for metering and deadlines; wall time only for what is signed. */
export interface Clock {
  monotonicMs(): number;
  wall(): { readonly unixS: bigint; readonly isSynced: boolean };
}

export type EnforcerEvent =
  /** The session's quota was used up in the kernel. */
  | { readonly kind: 'depleted'; readonly sessionId: SessionId }
  /** Our table or the rules around it were changed by someone else; reconcile. */
  | { readonly kind: 'disturbed'; readonly what: string }
  /** Somebody changed other tables; flow offload may have been switched on. */
  | { readonly kind: 'changed-elsewhere' };

/** The kernel's packet filter (nftables). */
export interface Enforcer {
  /**
   * Makes the kernel equal the plan: adopts what an earlier run left, repairs what is missing, one atomic transaction
   * for each step. Returns the last readings of counters that it removed.
   * @throws NftError with stderr if the kernel refuses; the kernel is then unchanged.
   */
  reconcile(plan: EnforcementPlan): Promise<readonly CounterReading[]>;
  /** All counters, and addresses seen without a binding since the last call. */
  read(): Promise<{ readonly counters: readonly CounterReading[]; readonly unbound: readonly UnboundAddress[] }>;
  /** Reads back the rules; false if they are not what reconcile installed. */
  verify(): Promise<boolean>;
  onEvent(listener: (event: EnforcerEvent) => void): void;
  /** Stops watching. What is in the kernel stays: paid guests keep what they paid for. */
  close(): Promise<void>;
}

export type StationEvent =
  | { readonly kind: 'joined'; readonly mac: Mac; readonly port: DeviceName }
  | { readonly kind: 'left'; readonly mac: Mac; readonly port: DeviceName }
  | { readonly kind: 'leased'; readonly lease: Lease }
  | { readonly kind: 'released'; readonly mac: Mac; readonly address: IpAddress }
  /** The bus was away or dropped messages: read everything anew. */
  | { readonly kind: 'resync' };

/** Who is on the air and which addresses they hold: hostapd, dnsmasq, netifd over ubus. */
export interface StationSource {
  start(listener: (event: StationEvent) => void): Promise<void>;
  /** Associated and authorised stations with their BSS. */
  stations(): Promise<readonly { readonly mac: Mac; readonly port: DeviceName }[]>;
  isConnected(): boolean;
  close(): Promise<void>;
}

/** The kernel's neighbour table and bridge: the only authority on which MAC sent a packet. */
export interface Neighbours {
  macOf(address: IpAddress): Promise<Mac | undefined>;
  /** All (MAC, address) pairs on the guest devices. */
  list(): Promise<readonly { readonly mac: Mac; readonly address: IpAddress }[]>;
  /** Bridge port behind which the MAC was last seen. */
  portOf(mac: Mac): Promise<DeviceName | undefined>;
}

/** A proof closed but not yet acknowledged by the collector. */
export type OutboxItem = { readonly digest: Hex; readonly seq: bigint; readonly body: Uint8Array };

export interface Journal {
  load(): JournalSnapshot;
  /** Group commit: entries of concurrent calls share one transaction and one fsync. Rejects if nothing was stored. */
  commit(entries: readonly JournalEntry[]): Promise<void>;
  /** Oldest first. */
  outbox(limit: number): readonly OutboxItem[];
  proofs(limit: number): readonly ProofRecord[];
  close(): void;
}

export type ChainFailure = {
  readonly ok: false;
  /** unreachable: try again. refused: the chain said no, trying again will not help. */
  readonly reason: 'unreachable' | 'refused';
  readonly message: string;
};
export type ChainResult<T> = ({ readonly ok: true } & T) | ChainFailure;

export type ChainChannel = {
  readonly deposit: TokenAmount;
  readonly claimed: TokenAmount;
  /** Unix seconds, 0 = no exit requested. */
  readonly exitAt: bigint;
  readonly isClosed: boolean;
};

/** The settlement chain, through the router's own gas key. */
export interface Chain {
  /** Simulates, sends, waits for the receipt. Idempotent: an already open channel is a success. */
  relayOpen(config: ChannelConfig, authorization: SignedAuthorization): Promise<ChainResult<{ readonly tx: Hex }>>;
  channel(id: Hex): Promise<ChainResult<{ readonly channel: ChainChannel }>>;
  /** Cooperative close: claims `amount` under the voucher, gives the payer the rest. Idempotent. */
  close(config: ChannelConfig, voucher: SignedVoucher, amount: TokenAmount): Promise<ChainResult<{ readonly tx: Hex }>>;
  /** Units of SSP an address holds. */
  balanceOf(owner: Address): Promise<ChainResult<{ readonly units: TokenAmount }>>;
}

/** Sends one proof to the collector. */
export interface ProofUploader {
  upload(
    body: Uint8Array,
  ): Promise<
    { readonly ok: true; readonly receipt: SignedProofReceipt } | { readonly ok: false; readonly message: string }
  >;
}

/** Signs with the device key; a hardware key store can implement it. */
export interface Signer {
  readonly address: Address;
  sign(digest: Uint8Array): Hex;
}

export type DeskRefusal = {
  readonly ok: false;
  /** Stable reason; portal maps it to a status and a sentence that says what to do. */
  readonly reason: VoucherRefusalReason | OpenRefusalReason | AttachRefusalReason;
  readonly expected: string;
  readonly got: string;
  /** On a voucher that is not above the last: the last accepted one, so that the guest can resynchronise. */
  readonly lastVoucher?: SignedVoucher;
};
export type VoucherRefusalReason =
  | 'unknown-channel'
  | 'not-your-channel'
  | 'channel-not-open'
  | 'amount-not-increasing'
  | 'amount-above-deposit'
  | 'ack-above-metered'
  | 'bad-signature'
  | 'channel-draining'
  | 'storage-failed';
export type OpenRefusalReason =
  | 'unknown-guest'
  | 'bad-quote'
  | 'quote-expired'
  | 'config-mismatch'
  | 'deposit-too-small'
  | 'voucher-below-open-fee'
  | 'already-open'
  | 'trial-used'
  | 'too-many-opens'
  | 'not-selling'
  | 'chain-unreachable'
  | 'chain-refused';
export type AttachRefusalReason = 'unknown-channel' | 'channel-not-open' | 'bad-challenge' | 'bad-signature';

/** What the device's wallet is to sign, to take up the session of `channelId`. */
export type ChallengeResult = { readonly ok: true; readonly channelId: Hex; readonly challenge: Hex } | DeskRefusal;
export type DeskResult = { readonly ok: true; readonly view: GuestView } | DeskRefusal;

/** What the captive portal may ask of the agent. The guest is whoever the kernel says sent the request. */
export interface GuestDesk {
  /** MAC behind a source address, from the neighbour table; undefined if it is not a guest's. */
  identify(address: string): Promise<Mac | undefined>;
  view(mac: Mac): GuestView;
  /** A fresh signed quote, or why nothing is sold now (with what to do). */
  quote(): SignedQuote | { readonly notSelling: string };
  startTrial(mac: Mac): Promise<DeskResult>;
  open(mac: Mac, request: OpenRequest): Promise<DeskResult>;
  voucher(mac: Mac, voucher: SignedVoucher): Promise<DeskResult>;
  /** A challenge for this device and no other, good once; refused if the signer has no running session here. */
  challenge(mac: Mac, signer: Address): ChallengeResult;
  /** The device joins the channel's running session with what is left of it; a MAC alone never carries credit. */
  attach(mac: Mac, request: SignedAttach): Promise<DeskResult>;
  /** Ends the session; the channel is closed on chain and the rest refunded. */
  leave(mac: Mac): Promise<DeskResult>;
  /** Calls `listener` with each change of the guest's view until the returned function is called. */
  watch(mac: Mac, listener: (view: GuestView) => void): () => void;
}

export type AgentStatus = {
  readonly version: string;
  readonly uptimeMs: number;
  readonly device: Address;
  readonly payee: Address;
  /** Absent while WiFi is being sold; else why not and what to do. */
  readonly notSelling?: string;
  readonly sessions: number;
  readonly openChannels: number;
  /** Charged in all channels that are not settled, and settled so far. */
  readonly earnedUnits: TokenAmount;
  readonly settledUnits: TokenAmount;
  readonly downBytes: bigint;
  readonly upBytes: bigint;
  readonly proofs: {
    readonly closed: number;
    readonly acknowledged: number;
    readonly waiting: number;
    /** Absent while proofs are signed; else why not and what to do. */
    readonly held?: string;
  };
  readonly isBusConnected: boolean;
  readonly isClockSynced: boolean;
};

/** What the owner may ask of the agent: CLI now, ubus and LuCI later. */
export interface OwnerDesk {
  status(): AgentStatus;
  sessions(): readonly SessionRow[];
  channels(): readonly Channel[];
  proofs(limit: number): readonly ProofRecord[];
  /** Ends a session as if the guest had left; false if there is none with this id. */
  endSession(id: SessionId): Promise<boolean>;
}
