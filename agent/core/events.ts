/** Everything that can happen to the agent. Each event carries the time it happened; core never reads a clock. */
import type { Address } from '../../protocol/address.ts';
import type { CarriedChannel } from '../../protocol/hand-over.ts';
import type { Hex } from '../../protocol/hex.ts';
import type { Tick } from '../../protocol/payword.ts';
import type { SignedTickVoucher } from '../../protocol/tick-voucher.ts';
import type { TokenAmount } from '../../protocol/units.ts';
import type { SignedVoucher } from '../../protocol/voucher.ts';
import type { ChainChannel, ChainCosts, DueClaim } from './chain-facts.ts';
import type {
  Channel,
  CounterReading,
  DeviceName,
  EndReason,
  IpAddress,
  Mac,
  SessionId,
  UnboundAddress,
} from './model.ts';

/** An address a guest device routes for, in CIDR terms: only these may be bound to a station. */
export type Prefix = { readonly address: IpAddress; readonly length: number };

/** Up to where each session is proven, once the interval is stored. */
export type ProvenMarks = ReadonlyMap<
  SessionId,
  { readonly downBytes: bigint; readonly upBytes: bigint; readonly units: bigint }
>;

export type AgentEvent =
  /** hostapd: a station is associated and authorised. */
  | { readonly kind: 'station-joined'; readonly mac: Mac; readonly port: DeviceName; readonly nowMs: number }
  /** hostapd: a station is gone from that port. */
  | { readonly kind: 'station-left'; readonly mac: Mac; readonly port: DeviceName; readonly nowMs: number }
  /** The bridge saw the MAC behind a port (wired guests, or hostapd unknown). */
  | { readonly kind: 'station-on-port'; readonly mac: Mac; readonly port: DeviceName; readonly nowMs: number }
  /** DHCP gave the address to the MAC: the router's own word, it outranks what packets claim. */
  | { readonly kind: 'address-leased'; readonly mac: Mac; readonly address: IpAddress; readonly nowMs: number }
  | { readonly kind: 'address-released'; readonly mac: Mac; readonly address: IpAddress; readonly nowMs: number }
  /** Neighbour table or packets claim the address for the MAC; taken only if nobody else holds it. */
  | {
      readonly kind: 'addresses-seen';
      readonly seen: readonly UnboundAddress[];
      readonly prefixes: readonly Prefix[];
      readonly nowMs: number;
    }
  /** A guest asked for the free allowance; `bytes` and `trialMs` were granted by judgeTrial. */
  | {
      readonly kind: 'trial-started';
      readonly mac: Mac;
      readonly key?: Address;
      readonly bytes: bigint;
      readonly trialMs?: number;
      readonly dayS: bigint;
      readonly nowMs: number;
    }
  /** An open request passed judgeOpen and its signature checks; once the journal holds it the transaction is sent. */
  | {
      readonly kind: 'channel-opening';
      readonly mac: Mac;
      readonly channel: Channel;
      /** At least so long the deposit is waited for; absent: as long as a relayed one takes. */
      readonly patienceMs?: number;
      readonly nowMs: number;
    }
  | {
      readonly kind: 'channel-confirmed';
      readonly channelId: Hex;
      readonly deposit: TokenAmount;
      /** What was claimed of it, by an earlier life of the journal; absent: not looked at. */
      readonly claimed?: TokenAmount;
      readonly tx?: Hex;
      /** What the open cost the gas key. */
      readonly feeWei?: bigint;
      readonly nowMs: number;
    }
  | {
      readonly kind: 'channel-failed';
      readonly channelId: Hex;
      /** What relaying it cost all the same; 0: nothing was sent. Absent: not known. */
      readonly feeWei?: bigint;
      readonly nowMs: number;
    }
  /** Before a pending open is relayed: false. Once no attempt at it has come to a signature: true. */
  | { readonly kind: 'open-relaying'; readonly channelId: Hex; readonly isUnsent: boolean; readonly nowMs: number }
  /** Each of them passed judgeVoucher and its signature check, and is durable; no two are of one channel. */
  | { readonly kind: 'vouchers-stored'; readonly vouchers: readonly SignedVoucher[]; readonly nowMs: number }
  /** A tick voucher passed judgeTickVoucher and its signature check. */
  | {
      readonly kind: 'tick-voucher-taken';
      readonly tickVoucher: SignedTickVoucher;
      readonly anchor: Tick;
      readonly nowMs: number;
    }
  /** The furthest coin of each channel that passed judgeTick since the last such event; `signature`: its tick voucher's. */
  | {
      readonly kind: 'ticks-taken';
      readonly ticks: readonly { readonly channelId: Hex; readonly signature: Hex; readonly last: Tick }[];
      readonly nowMs: number;
    }
  /** A station proved the channel's key from another MAC. */
  | { readonly kind: 'station-attached'; readonly mac: Mac; readonly channelId: Hex; readonly nowMs: number }
  /** The owner gives the session bytes for nothing; judgeGift allowed it for the day. */
  | {
      readonly kind: 'session-extended';
      readonly sessionId: SessionId;
      readonly bytes: bigint;
      readonly dayS: bigint;
      readonly nowMs: number;
    }
  | { readonly kind: 'session-left'; readonly sessionId: SessionId; readonly reason: EndReason; readonly nowMs: number }
  | { readonly kind: 'session-paused'; readonly sessionId: SessionId; readonly nowMs: number }
  /** `mac`: the device that asked. */
  | { readonly kind: 'session-resumed'; readonly sessionId: SessionId; readonly mac: Mac; readonly nowMs: number }
  | { readonly kind: 'counters-read'; readonly counters: readonly CounterReading[]; readonly nowMs: number }
  /** The kernel serves exactly `served`; `counters` are the last readings of counters that went. */
  | {
      readonly kind: 'reconciled';
      readonly served: ReadonlySet<SessionId>;
      readonly counters: readonly CounterReading[];
      readonly nowMs: number;
    }
  | { readonly kind: 'depleted'; readonly sessionId: SessionId; readonly nowMs: number }
  | {
      readonly kind: 'channel-closed';
      readonly channelId: Hex;
      readonly units: TokenAmount;
      readonly tx: Hex;
      /** What the close cost the gas key. */
      readonly feeWei?: bigint;
      readonly nowMs: number;
    }
  /** What the chain says of a running channel. */
  | { readonly kind: 'channel-seen'; readonly channelId: Hex; readonly seen: ChainChannel; readonly nowMs: number }
  /** The batch was mined; `feeWei` is what it cost. */
  | {
      readonly kind: 'channels-claimed';
      readonly claims: readonly DueClaim[];
      readonly feeWei: bigint;
      readonly nowMs: number;
    }
  | { readonly kind: 'claim-failed'; readonly nowMs: number }
  /** Ticks were claimed: `units` in all are claimed of the channel now; `feeWei` is what it cost. */
  | {
      readonly kind: 'ticks-claimed';
      readonly channelId: Hex;
      readonly units: TokenAmount;
      readonly feeWei: bigint;
      readonly nowMs: number;
    }
  /** The contract will never take a claim by the channel's ticks. */
  | { readonly kind: 'ticks-refused'; readonly channelId: Hex; readonly nowMs: number }
  /** Price of gas, and coin of the gas key. */
  | { readonly kind: 'costs-seen'; readonly costs: ChainCosts; readonly nowMs: number }
  /** A sister asked for the channel by a signed query that passed judgeGiving. */
  | {
      readonly kind: 'hand-over-asked';
      readonly channelId: Hex;
      readonly self: Address;
      readonly to: Address;
      readonly nowMs: number;
    }
  /** A hand-over to this router passed judgeTaking and its signature checks; it is about to be stored. */
  | { readonly kind: 'hand-over-arriving'; readonly carried: CarriedChannel; readonly nowMs: number }
  /** It is durable: the channel goes on here. */
  | {
      readonly kind: 'hand-over-taken';
      readonly self: Address;
      readonly carried: CarriedChannel;
      readonly nowMs: number;
    }
  /** The other router has signed that it has it. */
  | {
      readonly kind: 'hand-over-delivered';
      readonly channelId: Hex;
      readonly sequence: bigint;
      readonly nowMs: number;
    }
  | { readonly kind: 'hand-over-forgotten'; readonly channelId: Hex; readonly nowMs: number }
  /** A sister holds the channel, which the old copy of the journal has here. */
  | { readonly kind: 'channel-elsewhere'; readonly channelId: Hex; readonly nowMs: number }
  | { readonly kind: 'close-failed'; readonly channelId: Hex; readonly nowMs: number }
  /** The journal holds the signed proof of the interval that ended. */
  | {
      readonly kind: 'proof-stored';
      readonly seq: bigint;
      readonly digest: Hex;
      readonly endS: bigint;
      readonly proven: ProvenMarks;
      readonly nowMs: number;
    }
  /** The journal holds the interval that ended, not signed yet. */
  | { readonly kind: 'interval-drafted'; readonly endS: bigint; readonly proven: ProvenMarks; readonly nowMs: number }
  /** The journal holds the signed proof of an interval that it held before. */
  | { readonly kind: 'proof-sealed'; readonly seq: bigint; readonly digest: Hex; readonly nowMs: number }
  /** The collector showed a later proof of this device than the journal has. */
  | {
      readonly kind: 'chain-rebased';
      readonly nextSeq: bigint;
      readonly prev: Hex;
      readonly minEpoch: bigint;
      readonly nowMs: number;
    }
  /** Usage of these sessions is in the journal. */
  | { readonly kind: 'usage-stored'; readonly sessionIds: readonly SessionId[]; readonly nowMs: number }
  | { readonly kind: 'tick'; readonly nowMs: number; readonly nowS: bigint };

/** The event of one kind: what its reducer takes. */
export type EventOf<Kind extends AgentEvent['kind']> = Extract<AgentEvent, { kind: Kind }>;
