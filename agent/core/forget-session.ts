/** Sessions that are over leave the books: the journal once they are settled and proven, memory somewhat later. */
import { MAX_SETTLED_SESSIONS } from './limits.ts';
import type { SessionId } from './model.ts';
import { openShares } from './open-shares.ts';
import type { Outcome } from './outcome.ts';
import { type AgentState, channelOfSession, type LiveSession, withEntry, withoutEntry } from './state.ts';

/**
 * Lets the journal drop a session that is over, settled and fully proven. In memory it stays a while, so that the guest
 * can still see what was refunded. A trial without a channel is dropped from both.
 */
export function forgetIfDone(state: AgentState, id: SessionId): Outcome {
  const session = state.sessions.get(id);
  if (session?.ended === undefined || session.isForgotten === true) return { state, actions: [] };
  const channel = channelOfSession(state, session);
  if (channel === undefined) {
    return { state: dropSession(state, session), actions: [{ kind: 'forget-session', sessionId: id }] };
  }
  const isOpen = openShares(state).some((share) => share.session.id === id);
  if (channel.phase !== 'settled' || isOpen) return { state, actions: [] };
  const sessions = withEntry(state.sessions, id, { ...session, isForgotten: true as const });
  return { state: { ...state, sessions }, actions: [{ kind: 'forget-session', sessionId: id }] };
}

/** Keeps memory bounded: the settled and proven sessions that ended first go. */
export function dropOldestSettled(state: AgentState): Outcome {
  const unproven = new Set(openShares(state).map(({ session }) => session.id));
  const done = [...state.sessions.values()].filter((session) => {
    const isSettled = channelOfSession(state, session)?.phase === 'settled';
    return session.ended !== undefined && isSettled && !unproven.has(session.id);
  });
  const surplus = done.sort((a, b) => a.id - b.id).slice(0, Math.max(0, done.length - MAX_SETTLED_SESSIONS));
  return { state: surplus.reduce(dropSession, state), actions: [] };
}

export function dropSession(state: AgentState, session: LiveSession): AgentState {
  const sessionByMac = new Map(state.sessionByMac);
  for (const { mac } of session.stations) if (sessionByMac.get(mac) === session.id) sessionByMac.delete(mac);
  const { channelId } = session;
  return {
    ...state,
    sessions: withoutEntry(state.sessions, session.id),
    sessionByMac,
    channels: channelId === undefined ? state.channels : withoutEntry(state.channels, channelId),
    sessionByChannel:
      channelId === undefined ? state.sessionByChannel : withoutEntry(state.sessionByChannel, channelId),
  };
}
