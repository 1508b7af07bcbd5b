/** A channel leaves for a sister, arrives from one, and is known to have arrived there. */
import type { CarriedChannel } from '../../protocol/hand-over.ts';
import { tickCeiling } from '../../protocol/tick-voucher.ts';
import { paidMs } from './account.ts';
import type { EventOf } from './events.ts';
import { dropSession } from './forget-session.ts';
import { endSession } from './on-session.ts';
import type { Outcome } from './outcome.ts';
import { carriedFrom, isVisitor } from './roaming.ts';
import {
  type AgentState,
  type LiveChannel,
  type LiveSession,
  type LiveTicks,
  sessionOfChannel,
  withEntry,
  withoutEntry,
} from './state.ts';

type HandOverEvent = EventOf<
  | 'hand-over-asked'
  | 'hand-over-arriving'
  | 'hand-over-taken'
  | 'hand-over-delivered'
  | 'hand-over-forgotten'
  | 'channel-elsewhere'
>;

export function onHandOver(state: AgentState, event: HandOverEvent): Outcome {
  switch (event.kind) {
    case 'hand-over-asked':
      return onAsked(state, event);
    case 'hand-over-arriving':
      return { state: arriving(state, event), actions: [] };
    case 'hand-over-taken':
      return onTaken(state, event);
    case 'hand-over-delivered':
      return { state: delivered(state, event), actions: [] };
    case 'hand-over-forgotten':
      return { state: { ...state, custody: withoutEntry(state.custody, event.channelId) }, actions: [] };
    case 'channel-elsewhere':
      return onElsewhere(state, event);
  }
}

/** It was given away after the copy was made, and comes back as what was given away does: by a newer hand-over. */
function onElsewhere(state: AgentState, { channelId }: EventOf<'channel-elsewhere'>): Outcome {
  const channel = state.channels.get(channelId);
  const session = sessionOfChannel(state, channelId);
  if (channel?.phase !== 'pending' || channel.isStale !== true || session === undefined) return { state, actions: [] };
  const ended = endSession(state, session.id, 'moved');
  return {
    state: { ...ended.state, channels: withEntry(ended.state.channels, channelId, { ...channel, phase: 'away' }) },
    actions: [...ended.actions, { kind: 'store-channel', channelId }],
  };
}

/** Frozen where it stands. Nothing of it is durable or told yet: a crash from here on closes it or brings it home. */
export function depart(
  state: AgentState,
  channel: LiveChannel,
  session: LiveSession,
  way: { readonly self: LiveChannel['config']['device']; readonly to: LiveChannel['config']['device'] },
): Outcome {
  const last = carriedFrom(state, channel, session, way);
  const away: LiveChannel = { ...channel, phase: 'away' };
  return {
    state: {
      ...state,
      channels: withEntry(state.channels, channel.id, away),
      custody: withEntry(state.custody, channel.id, { self: way.self, last, isDelivered: false }),
      leaving: withoutEntry(state.leaving, channel.id),
    },
    actions: session.stations.map(({ mac }) => ({ kind: 'notify', mac })),
  };
}

/** The channel and its session as they go on here: what the journal holds before anything is granted. */
export function takenUp(
  state: AgentState,
  { carried, self, nowMs }: Omit<EventOf<'hand-over-taken'>, 'kind'>,
): { readonly channel: LiveChannel; readonly session: LiveSession; readonly state: AgentState } | undefined {
  const { handOver, voucher } = carried;
  const channel = state.channels.get(handOver.channelId);
  const session = sessionOfChannel(state, handOver.channelId);
  if (channel?.phase !== 'away' || session === undefined) return undefined;
  const newest = voucher.amount > channel.voucher.amount ? voucher : channel.voucher;
  const ticks = betterTicks(channel.ticks, carried.ticks, nowMs);
  const { ticks: _, ...rest } = channel;
  const live: LiveChannel = {
    ...rest,
    voucher: newest,
    deposit: larger(channel.deposit, handOver.deposit),
    phase: handOver.isOver ? 'closing' : 'active',
    nextCloseMs: 0,
    ...(ticks === undefined ? {} : { ticks }),
  };
  const woken = wokenSession(session, carried, nowMs);
  const sessionByMac = new Map(state.sessionByMac);
  for (const { mac } of session.stations) if (sessionByMac.get(mac) === session.id) sessionByMac.delete(mac);
  const next = {
    ...state,
    sessionByMac,
    channels: withEntry(state.channels, live.id, live),
    sessions: withEntry(state.sessions, woken.id, woken),
    custody: withEntry(state.custody, live.id, { self, last: carried, isDelivered: true }),
  };
  return { channel: live, session: woken, state: next };
}

/** The kernel stops it first; closeNow then hands it over with its last counters. */
function onAsked(state: AgentState, { channelId, self, to }: EventOf<'hand-over-asked'>): Outcome {
  const session = sessionOfChannel(state, channelId);
  if (session === undefined || session.ended !== undefined) return { state, actions: [] };
  const ended = endSession(state, session.id, 'moved');
  return { ...ended, state: { ...ended.state, leaving: withEntry(ended.state.leaving, channelId, { self, to }) } };
}

/** Room for it, that serves nobody and grants nothing, so that it has a session's number when it is written down. */
function arriving(state: AgentState, { carried, nowMs }: EventOf<'hand-over-arriving'>): AgentState {
  const { handOver, config, voucher } = carried;
  const { channelId: id, charged, downBytes, upBytes, onlineMs, trialBytes } = handOver;
  if (state.channels.has(id)) return state;
  const session: LiveSession = {
    id: state.nextSessionId,
    startedMs: nowMs,
    stations: [],
    channelId: id,
    usage: { downBytes, upBytes, onlineMs: Number(onlineMs) },
    trialBytes,
    // What is charged stays charged, and none of it is ours to prove.
    proven: { downBytes, upBytes, units: charged },
    ended: 'moved',
    counters: new Map(),
    storedBytes: downBytes + upBytes,
    storedAtMs: nowMs,
  };
  const channel: LiveChannel = {
    id,
    config,
    mode: handOver.mode,
    tariff: { unitsPerMb: handOver.unitsPerMb, unitsPerMinute: handOver.unitsPerMinute },
    openFee: handOver.openFee,
    phase: 'away',
    deposit: handOver.deposit,
    voucher,
    closeAttempts: 0,
    nextCloseMs: 0,
  };
  return {
    ...state,
    nextSessionId: session.id + 1,
    sessions: withEntry(state.sessions, session.id, session),
    channels: withEntry(state.channels, id, channel),
    sessionByChannel: withEntry(state.sessionByChannel, id, session.id),
  };
}

/** Nobody is served by it until a device proves the key here; if none does, it ends as if the guest had left. */
function onTaken(state: AgentState, event: EventOf<'hand-over-taken'>): Outcome {
  const up = takenUp(state, event);
  return up === undefined ? { state, actions: [] } : { state: up.state, actions: [{ kind: 'reconcile' }] };
}

/** A visitor is forgotten, but for the number; what is at home waits for its return. */
function delivered(state: AgentState, { channelId, sequence }: EventOf<'hand-over-delivered'>): AgentState {
  const custody = state.custody.get(channelId);
  if (custody?.last.handOver.sequence !== sequence) return state;
  const known = { ...state, custody: withEntry(state.custody, channelId, { ...custody, isDelivered: true }) };
  const channel = state.channels.get(channelId);
  const session = sessionOfChannel(state, channelId);
  if (channel?.phase !== 'away' || session === undefined || !isVisitor(state, channel)) return known;
  return dropSession(known, session);
}

function wokenSession(session: LiveSession, { handOver }: CarriedChannel, nowMs: number): LiveSession {
  const { usage, ended: _, pausedAtMs: __, depletedAtMs: ___, ...kept } = session;
  return {
    ...kept,
    ...(handOver.isOver ? { ended: 'guest-left' as const } : {}),
    stations: [],
    usage: {
      downBytes: larger(usage.downBytes, handOver.downBytes),
      upBytes: larger(usage.upBytes, handOver.upBytes),
      onlineMs: (session.freeMs ?? 0) + Math.max(paidMs(session), Number(handOver.onlineMs)),
    },
    trialBytes: larger(session.trialBytes, handOver.trialBytes),
    absentSinceMs: nowMs,
  };
}

/** Those that promise more. */
function betterTicks(
  own: LiveTicks | undefined,
  carried: CarriedChannel['ticks'],
  nowMs: number,
): LiveTicks | undefined {
  if (carried === undefined) return own;
  const worth = ({ voucher, last }: NonNullable<CarriedChannel['ticks']>) => tickCeiling(voucher, last.index);
  if (own !== undefined && worth(own) >= worth(carried)) return own;
  return { ...carried, renewedMs: nowMs, storedIndex: carried.last.index };
}

function larger(a: bigint, b: bigint): bigint {
  return a > b ? a : b;
}
