/**
 * The owner gives a session bytes for nothing. They join the bytes that were free from the start, so quota, charge and
 * remaining follow from the one account; what traffic proofs already name stays charged (accountOf).
 */
import { accountOf } from './account.ts';
import type { AgentAction } from './actions.ts';
import type { EventOf } from './events.ts';
import { notifyAll } from './on-meter.ts';
import type { Outcome } from './outcome.ts';
import { type AgentState, channelOfSession, type LiveSession, withEntry } from './state.ts';

export function onSessionExtended(state: AgentState, event: EventOf<'session-extended'>): Outcome {
  const { sessionId, bytes } = event;
  const session = state.sessions.get(sessionId);
  if (session === undefined || session.ended !== undefined) return { state, actions: [] };
  const extended: LiveSession = { ...session, trialBytes: session.trialBytes + bytes };
  const channel = channelOfSession(state, session);
  const isServedAgain = session.depletedAtMs !== undefined && !accountOf(extended, channel).isUsedUp;
  const { depletedAtMs: _, ...served } = extended;
  const sessions = withEntry(state.sessions, sessionId, isServedAgain ? served : extended);
  const isReopened = isServedAgain && channel?.phase === 'grace';
  const channels = isReopened
    ? withEntry(state.channels, channel.id, { ...channel, phase: 'active' as const })
    : state.channels;
  const actions: readonly AgentAction[] = [
    { kind: 'reconcile' },
    { kind: 'store-sessions', sessionIds: [sessionId] },
    { kind: 'log', event: 'session-extended', details: { session: sessionId, givenBytes: bytes } },
    ...notifyAll(session),
  ];
  return { state: { ...state, sessions, channels }, actions };
}
