/**
 * A guest pauses a paid session: the kernel serves nothing, time costs nothing, the phone may go away, what is paid stays.
 * It goes on when the guest says so; after MAX_PAUSE_MS, or when the channel nears its expiry, it is closed and refunded.
 */
import type { EventOf } from './events.ts';
import { notifyAll } from './on-meter.ts';
import { passTime } from './on-tick.ts';
import type { Outcome } from './outcome.ts';
import { type AgentState, type LiveSession, withEntry } from './state.ts';

/** The time since the last tick is charged first: else who pauses around each tick would be online for nothing. */
export function onSessionPaused(state: AgentState, { sessionId, nowMs }: EventOf<'session-paused'>): Outcome {
  const session = runningSession(state, sessionId);
  if (session === undefined || session.pausedAtMs !== undefined) return { state, actions: [] };
  const passed = passTime(state, session, nowMs, false);
  const current = passed.state.sessions.get(sessionId) as LiveSession;
  // What is used up is held for a top-up, not kept for later.
  if (current.depletedAtMs !== undefined) return passed;
  const paused = { ...current, pausedAtMs: nowMs };
  return changed(passed.state, paused, 'session-paused');
}

/** Who asks is there, whatever a bus that was away has missed; its time counts from now. */
export function onSessionResumed(state: AgentState, { sessionId, mac, nowMs }: EventOf<'session-resumed'>): Outcome {
  const session = runningSession(state, sessionId);
  if (session?.pausedAtMs === undefined) return { state, actions: [] };
  const { pausedAtMs: _, absentSinceMs: __, ...rest } = session;
  const known = state.stations.get(mac);
  if (known === undefined) return changed(state, { ...rest, resumedAtMs: nowMs }, 'session-resumed');
  const { leftAtMs: ___, ...here } = known;
  const stations = withEntry(state.stations, mac, here);
  return changed({ ...state, stations }, { ...rest, resumedAtMs: nowMs }, 'session-resumed');
}

function runningSession(state: AgentState, id: LiveSession['id']): LiveSession | undefined {
  const session = state.sessions.get(id);
  return session?.ended === undefined ? session : undefined;
}

function changed(state: AgentState, session: LiveSession, event: string): Outcome {
  return {
    state: { ...state, sessions: withEntry(state.sessions, session.id, session) },
    actions: [
      { kind: 'reconcile' },
      { kind: 'store-sessions', sessionIds: [session.id] },
      { kind: 'log', event, details: { session: session.id } },
      ...notifyAll(session),
    ],
  };
}
