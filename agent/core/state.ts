/** Everything the agent knows. Plain readonly data; changed only by handle(). */
import type { Address } from '../../protocol/address.ts';
import type { Hex } from '../../protocol/hex.ts';
import { GENESIS_PREV } from '../../protocol/traffic-proof.ts';
import type { ByteCount, TokenAmount } from '../../protocol/units.ts';
import type { ChainCosts, Settlement } from './chain-facts.ts';
import type { Custody } from './custody.ts';
import { FIRST_CLAIM_MS } from './limits.ts';
import type { Channel, CounterKey, DeviceName, IpAddress, Mac, Session, SessionId, Station } from './model.ts';
import type { TickCredit } from './tick-account.ts';

/** A session with what is known of it only while the agent runs. */
export type LiveSession = Session & {
  /** Last known value of each kernel counter. */
  readonly counters: ReadonlyMap<CounterKey, ByteCount>;
  /** Since when nothing is left; the kernel holds flows until the grace time is over. */
  readonly depletedAtMs?: number;
  /** Since when no station of the session is associated. */
  readonly absentSinceMs?: number;
  /** When the last pause ended, or the wait for the open: the tick that follows charges no time before it. */
  readonly resumedAtMs?: number;
  /** Of its usage, bytes that the kernel's quota has not counted: others have proven them (evidence.ts). */
  readonly raisedBytes?: ByteCount;
  /** The journal has dropped it. */
  readonly isForgotten?: true;
  /** Usage in the journal; what is newer is lost, in the guest's favour, if the power fails. */
  readonly storedBytes: ByteCount;
  readonly storedAtMs: number;
};

/** A channel with its settlement in progress. */
export type LiveChannel = Channel & {
  readonly closeAttempts: number;
  /** Monotonic time before which no close is tried again; pending: it is not given up; failed: it is not forgotten. */
  readonly nextCloseMs: number;
  /** What the last look at the chain said, if that was less than what was confirmed: no promise above it is taken. */
  readonly seenDeposit?: TokenAmount;
  /** Pending: true if all attempts to relay it ended before anything was signed; false once that is not known. */
  readonly isUnsent?: boolean;
  /** Credit by ticks, in STREAM mode (tick-account.ts). */
  readonly ticks?: LiveTicks;
};

export type LiveTicks = TickCredit & {
  /** When a signature last covered all that was promised. */
  readonly renewedMs: number;
  /** Index of the furthest coin that was given to the journal. */
  readonly storedIndex: number;
};

export type KnownStation = Station & {
  readonly lastSeenMs: number;
  readonly isAssociated: boolean;
  /** Since when hostapd has it gone; absent for a wired station, which nobody sees go. */
  readonly leftAtMs?: number;
  /** Addresses that its packets claimed, in the minute that began then. */
  readonly claims?: { readonly sinceMs: number; readonly count: number };
  /** Port of a second association while the first still stands: taken over only when the first is gone. */
  readonly pendingPort?: DeviceName;
};

export type TrialUse = { readonly dayS: bigint; readonly usedBytes: ByteCount; readonly key?: Address };

/** What the owner gave away on one day. */
export type GiftUse = { readonly dayS: bigint; readonly bytes: ByteCount };

/** Where the proof chain stands. */
export type ProofChain = {
  readonly nextSeq: bigint;
  readonly prev: Hex;
  /** Start of the open interval. */
  readonly startedMs: number;
  readonly startedS: bigint;
  /** After a fork: numbers from here on are signed for this epoch at the earliest. Absent: for the epoch they fall in. */
  readonly minEpoch?: bigint;
};

export type AgentState = {
  readonly stations: ReadonlyMap<Mac, KnownStation>;
  readonly sessions: ReadonlyMap<SessionId, LiveSession>;
  readonly channels: ReadonlyMap<Hex, LiveChannel>;
  readonly sessionByMac: ReadonlyMap<Mac, SessionId>;
  readonly sessionByChannel: ReadonlyMap<Hex, SessionId>;
  /** Of each channel that was ever handed over, the newest hand-over known here. */
  readonly custody: ReadonlyMap<Hex, Custody>;
  /** Channels that sisters have asked for, while the kernel is being stopped for them. */
  readonly leaving: ReadonlyMap<Hex, { readonly self: Address; readonly to: Address }>;
  readonly addressOwner: ReadonlyMap<IpAddress, Mac>;
  readonly trials: ReadonlyMap<Mac, TrialUse>;
  /** Monotonic times of trials begun in the last hour. */
  readonly trialStarts: readonly number[];
  readonly gifts: GiftUse;
  /** Monotonic times of opens in the last day, by MAC; `isFree`: refused before anything was sent. */
  readonly opens: readonly { readonly mac: Mac; readonly atMs: number; readonly isFree?: true }[];
  readonly nextSessionId: SessionId;
  readonly proofs: ProofChain;
  readonly lastTickMs: number;
  /** Units of channels settled since the journal began. */
  readonly settledUnits: bigint;
  readonly settlement: Settlement;
  /** As last told; absent until the chain was asked. */
  readonly costs?: ChainCosts;
};

export function emptyState(nowMs: number, nowS: bigint): AgentState {
  return {
    stations: new Map(),
    sessions: new Map(),
    channels: new Map(),
    sessionByMac: new Map(),
    sessionByChannel: new Map(),
    custody: new Map(),
    leaving: new Map(),
    addressOwner: new Map(),
    trials: new Map(),
    trialStarts: [],
    gifts: { dayS: 0n, bytes: 0n },
    opens: [],
    nextSessionId: 1,
    proofs: { nextSeq: 0n, prev: GENESIS_PREV, startedMs: nowMs, startedS: nowS },
    lastTickMs: nowMs,
    settledUnits: 0n,
    // After a start what was sent before is looked after first.
    settlement: { isClaiming: false, attempts: 0, nextMs: nowMs + FIRST_CLAIM_MS },
  };
}

/** A copy of `map` with one entry set. */
export function withEntry<K, V>(map: ReadonlyMap<K, V>, key: K, value: V): ReadonlyMap<K, V> {
  return new Map(map).set(key, value);
}

/** A copy of `map` without `key`; the same map if it was not there. */
export function withoutEntry<K, V>(map: ReadonlyMap<K, V>, key: K): ReadonlyMap<K, V> {
  if (!map.has(key)) return map;
  const copy = new Map(map);
  copy.delete(key);
  return copy;
}

export function sessionOfMac(state: AgentState, mac: Mac): LiveSession | undefined {
  const id = state.sessionByMac.get(mac);
  return id === undefined ? undefined : state.sessions.get(id);
}

/** The session that a channel pays for, running or ended. */
export function sessionOfChannel(
  state: Pick<AgentState, 'sessions' | 'sessionByChannel'>,
  channelId: Hex,
): LiveSession | undefined {
  const id = state.sessionByChannel.get(channelId);
  return id === undefined ? undefined : state.sessions.get(id);
}

/** The channel pays for a running session: it takes payments, devices may attach to it, a sister may ask for it. */
export function isServing(
  state: Pick<AgentState, 'sessions' | 'sessionByChannel'>,
  { id, phase }: Pick<LiveChannel, 'id' | 'phase'>,
): boolean {
  const session = sessionOfChannel(state, id);
  return session !== undefined && session.ended === undefined && (phase === 'active' || phase === 'grace');
}

export function channelOfSession(state: AgentState, session: Session): LiveChannel | undefined {
  return session.channelId === undefined ? undefined : state.channels.get(session.channelId);
}
