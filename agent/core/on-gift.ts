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
  const { sessionId, bytes, dayS } = event;
  const session = state.sessions.get(sessionId);
  if (session === undefined || session.ended !== undefined) return { state, actions: [] };
  // Who was given bytes has them until they are used: the time of a trial is over.
  const { trialMs: __, ...untimed } = session;
  const extended: LiveSession = { ...untimed, trialBytes: session.trialBytes + bytes };
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
  const before = state.gifts.dayS === dayS ? state.gifts.bytes : 0n;
  return { state: { ...state, sessions, channels, gifts: { dayS, bytes: before + bytes } }, actions };
}
