/** Sessions begin, gain a second device, and end. */
import type { EventOf } from './events.ts';
import { withTrialStart } from './judge-trial.ts';
import { MAX_STATIONS_PER_SESSION } from './limits.ts';
import type { EndReason, Mac, Session, SessionId, Station } from './model.ts';
import type { Outcome } from './outcome.ts';
import {
  type AgentState,
  channelOfSession,
  type KnownStation,
  type LiveSession,
  sessionOfChannel,
  sessionOfMac,
  withEntry,
} from './state.ts';

export function onTrialStarted(state: AgentState, event: EventOf<'trial-started'>): Outcome {
  const { mac, key, bytes, trialMs, dayS, nowMs } = event;
  const used = state.trials.get(mac);
  const usedBytes = (used?.dayS === dayS ? used.usedBytes : 0n) + bytes;
  const terms = { trialBytes: bytes, ...(trialMs === undefined ? {} : { trialMs }) };
  const begun = beginSession(state, mac, terms, nowMs);
  // Nobody asks for what was used on earlier days.
  const since = [...state.trials].filter(([, use]) => use.dayS >= dayS);
  const trials = withEntry(new Map(since), mac, { dayS, usedBytes, ...(key === undefined ? {} : { key }) });
  return {
    state: { ...begun.state, trials, trialStarts: withTrialStart(state.trialStarts, nowMs) },
    actions: [{ kind: 'reconcile' }, { kind: 'store-sessions', sessionIds: [begun.id] }, { kind: 'notify', mac }],
  };
}

/**
 * The MAC joins the channel's session; whatever session it had of its own ends. Stations that have left by then are the same
 * phone under its old MAC, or must prove the key again: a MAC alone carries no credit.
 */
export function onStationAttached(state: AgentState, { mac, channelId }: EventOf<'station-attached'>): Outcome {
  const session = sessionOfChannel(state, channelId);
  const own = sessionOfMac(state, mac);
  if (session === undefined || session.ended !== undefined || own?.id === session.id) return { state, actions: [] };
  const left = own === undefined ? { state, actions: [] } : endSession(state, own.id, 'guest-left');
  const { absentSinceMs: _, ...present } = session;
  const here = session.stations.filter((station) => left.state.stations.get(station.mac)?.leftAtMs === undefined);
  // The device that came first makes room: people replace phones, they do not carry nine.
  const others = here.slice(Math.max(0, here.length + 1 - MAX_STATIONS_PER_SESSION));
  const known = left.state.stations.get(mac);
  const station: Station = { mac, addresses: known?.addresses ?? [] };
  const outcome = withStations(withSpoken(left.state, known), present, [...others, station]);
  const sessionByMac = withEntry(outcome.state.sessionByMac, mac, session.id);
  return {
    state: { ...outcome.state, sessionByMac },
    actions: [...left.actions, ...outcome.actions, { kind: 'notify', mac }],
  };
}

/** A station that is gone for long while others of its session stay loses its place; it may prove the key again. */
export function dropStationsLeftBefore(state: AgentState, session: LiveSession, beforeMs: number): Outcome {
  const kept = session.stations.filter(({ mac }) => (state.stations.get(mac)?.leftAtMs ?? beforeMs) >= beforeMs);
  return kept.length === session.stations.length ? { state, actions: [] } : withStations(state, session, kept);
}

export function onSessionLeft(state: AgentState, { sessionId, reason }: EventOf<'session-left'>): Outcome {
  return endSession(state, sessionId, reason);
}

/** Marks the session ended; what it owes is settled once the kernel has stopped it and its last counters are read. */
export function endSession(state: AgentState, id: SessionId, reason: EndReason): Outcome {
  const session = state.sessions.get(id);
  if (session === undefined || session.ended !== undefined) return { state, actions: [] };
  const sessions = withEntry(state.sessions, id, { ...session, ended: reason });
  const channel = channelOfSession(state, session);
  // An open that is still pending is closed when it is confirmed; until then the money is not there to give back.
  const isClosing = channel !== undefined && channel.phase !== 'pending' && channel.phase !== 'settled';
  const channels = isClosing
    ? withEntry(state.channels, channel.id, { ...channel, phase: 'closing' as const })
    : state.channels;
  return {
    state: { ...state, sessions, channels },
    actions: [
      { kind: 'reconcile' },
      { kind: 'store-sessions', sessionIds: [id] },
      ...(isClosing ? [{ kind: 'store-channel', channelId: channel.id } as const] : []),
      ...session.stations.map(({ mac }) => ({ kind: 'notify', mac }) as const),
    ],
  };
}

/** A new session for a MAC; an ended one it had stays only for settlement. */
export function beginSession(
  state: AgentState,
  mac: Mac,
  fields: Pick<Session, 'trialBytes'> & Partial<Pick<Session, 'channelId' | 'trialMs'>>,
  nowMs: number,
): { readonly state: AgentState; readonly id: SessionId } {
  const id = state.nextSessionId;
  const session: LiveSession = {
    id,
    startedMs: nowMs,
    stations: [{ mac, addresses: state.stations.get(mac)?.addresses ?? [] }],
    usage: { downBytes: 0n, upBytes: 0n, onlineMs: 0 },
    proven: { downBytes: 0n, upBytes: 0n, units: 0n },
    counters: new Map(),
    storedBytes: 0n,
    storedAtMs: nowMs,
    ...fields,
  };
  const begun = {
    ...state,
    nextSessionId: id + 1,
    sessions: withEntry(state.sessions, id, session),
    sessionByMac: withEntry(state.sessionByMac, mac, id),
  };
  return { state: begun, id };
}

/** The session with just these stations: the kernel forgets the others, whose view is now empty. */
function withStations(state: AgentState, session: LiveSession, stations: readonly Station[]): Outcome {
  const sessionByMac = new Map(state.sessionByMac);
  const gone = session.stations.filter(({ mac }) => !stations.some((kept) => kept.mac === mac));
  for (const { mac } of gone) sessionByMac.delete(mac);
  return {
    state: { ...state, sessionByMac, sessions: withEntry(state.sessions, session.id, { ...session, stations }) },
    actions: [
      { kind: 'reconcile' },
      { kind: 'store-sessions', sessionIds: [session.id] },
      ...gone.map(({ mac }) => ({ kind: 'notify', mac }) as const),
    ],
  };
}

/** Who asks over the air is there, whatever a bus that was away has missed. */
function withSpoken(state: AgentState, station: KnownStation | undefined): AgentState {
  if (station?.leftAtMs === undefined) return state;
  const { leftAtMs: _, ...here } = station;
  return { ...state, stations: withEntry(state.stations, here.mac, here) };
}
