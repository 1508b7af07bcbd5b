/**
 * The nouns of the agent that core, adapters and portal share. Types only: no behaviour, no I/O.
 */
import type { Address } from '../../protocol/address.ts';
import type { ChannelConfig } from '../../protocol/channel.ts';
import type { Hex } from '../../protocol/hex.ts';
import type { PaymentMode } from '../../protocol/open-wire.ts';
import type { ByteCount, TokenAmount } from '../../protocol/units.ts';
import type { SignedVoucher } from '../../protocol/voucher.ts';

/** Lower-case "aa:bb:cc:00:00:01". Made only by parseMac (agent/core/names.ts). */
export type Mac = string & { readonly brand: 'Mac' };
/** Canonical IPv4 or RFC 5952 IPv6 text. Made only by parseIp (agent/core/names.ts). */
export type IpAddress = string & { readonly brand: 'IpAddress' };
/** Linux interface name that passed the whitelist of agent/core/names.ts. */
export type DeviceName = string & { readonly brand: 'DeviceName' };
/** Small positive integer, unique in a ledger; names the session's objects in the kernel. */
export type SessionId = number;

/** What a session pays; fixed when it starts, rounded once, up, from cumulative usage. */
export type Tariff = {
  readonly unitsPerMb: TokenAmount;
  readonly unitsPerMinute: TokenAmount;
};

/** Cumulative usage of a session, as its own interface saw it: down = to the guest. */
export type Usage = {
  readonly downBytes: ByteCount;
  readonly upBytes: ByteCount;
  /** Milliseconds of monotonic time online with credit. */
  readonly onlineMs: number;
};

/**
 * pending: open sent, not confirmed; trial service only.
 * active: credit left. grace: used up, flows held silently for a bounded time, a top-up lets them go on.
 * closing: the guest has left, or the channel is near its expiry or being left: closed from here. away: handed to a sister.
 * settled / failed: over.
 */
export type ChannelPhase = 'pending' | 'active' | 'grace' | 'closing' | 'away' | 'settled' | 'failed';

export type Channel = {
  readonly id: Hex;
  readonly config: ChannelConfig;
  readonly mode: PaymentMode;
  readonly tariff: Tariff;
  readonly openFee: TokenAmount;
  readonly phase: ChannelPhase;
  /** What the chain confirmed; 0 while pending. */
  readonly deposit: TokenAmount;
  /** Newest accepted voucher; its amount is the credit. */
  readonly voucher: SignedVoucher;
  /** Final claim, fixed once the kernel has stopped the session and its last counters were read. */
  readonly closeUnits?: TokenAmount;
  /** Claimed on chain so far; part of closeUnits. */
  readonly claimedUnits?: TokenAmount;
  /** What opening, claiming and closing cost the gas key so far. */
  readonly gasWei?: bigint;
  /** The journal was an older copy when it was found here: chain, sisters and guest may know better (evidence.ts). */
  readonly isStale?: true;
  /** Transactions seen: shown to owner and guest. */
  readonly openTx?: Hex;
  readonly closeTx?: Hex;
};

/** A guest's station as the kernel and hostapd know it. */
export type Station = {
  readonly mac: Mac;
  /** Bridge port or BSS the station was bound to; packets of this MAC from any other port are dropped. */
  readonly port?: DeviceName;
  readonly addresses: readonly IpAddress[];
};

/** Why a session ended. */
export type EndReason =
  | 'guest-left'
  | 'owner'
  | 'trial-exhausted'
  | 'channel-expiring'
  | 'open-failed'
  /** The guest goes on at another router of the owner. */
  | 'moved';

/** One guest's service: a trial without a channel, or the service of one channel. */
export type Session = {
  readonly id: SessionId;
  readonly startedMs: number;
  readonly stations: readonly Station[];
  readonly channelId?: Hex;
  readonly usage: Usage;
  /** Free bytes granted before any credit. */
  readonly trialBytes: ByteCount;
  /** Of the time online, what passed before any credit, and is never charged; absent: none. */
  readonly freeMs?: number;
  /** Time online after which a trial is over, whatever is left of its bytes; absent: its bytes alone count. */
  readonly trialMs?: number;
  /** Since when the guest has it paused: no packet passes and no time is charged. After a restart: since the restart. */
  readonly pausedAtMs?: number;
  /** The part of usage and charge that traffic proofs already name; the next proof starts here. */
  readonly proven: { readonly downBytes: ByteCount; readonly upBytes: ByteCount; readonly units: TokenAmount };
  /** Set once the session is over; kept until its channel is settled. */
  readonly ended?: EndReason;
};

/** "up:<mac>" or "down:<ip>": one counter in the kernel. Values are cumulative per session and never run backwards. */
export type CounterKey = `up:${string}` | `down:${string}`;

export type CounterReading = {
  readonly sessionId: SessionId;
  readonly key: CounterKey;
  readonly bytes: ByteCount;
  readonly packets: bigint;
  /** The kernel has no such counter any more: should there be one again, it begins at 0. */
  readonly isLast?: true;
};

/** Bytes per second, each direction; absent = unlimited. */
export type RateLimit = { readonly downBytesPerS: bigint; readonly upBytesPerS: bigint };

/** What the kernel shall allow one session. */
export type SessionGrant = {
  readonly sessionId: SessionId;
  /** Cumulative bytes (both directions) that may pass in the session's life. */
  readonly limitBytes: ByteCount;
  /** Cumulative bytes that have passed: seeds quota and counters whenever they must be made anew. */
  readonly usedBytes: ByteCount;
  /** Last known value of each counter, so that a counter made anew goes on where it was. */
  readonly counters: ReadonlyMap<CounterKey, ByteCount>;
  readonly stations: readonly Station[];
  /** True: port 80 goes out. False: it is redirected to the portal. */
  readonly isOnline: boolean;
  readonly rate?: RateLimit;
  /** True: nothing is paid; its packets are looked up after those of payers, and `rate` is its slice of what all trials share. */
  readonly isTrial?: true;
  /** True: the guest has it paused. Nothing passes, and nothing is reset: its flows wait. */
  readonly isPaused?: true;
};

/** The whole of what the kernel shall look like. */
export type EnforcementPlan = {
  readonly guestDevices: readonly DeviceName[];
  readonly portalPort: number;
  readonly grants: readonly SessionGrant[];
};

/** A (MAC, address) pair that sent packets while the MAC had a session but the address was not bound to it. */
export type UnboundAddress = { readonly mac: Mac; readonly address: IpAddress };

export type Lease = { readonly mac: Mac; readonly address: IpAddress; readonly hostname?: string };

/** What a wallet on chain holds for the node. */
export type NodeIdentity = { readonly device: Address; readonly payee: Address };
