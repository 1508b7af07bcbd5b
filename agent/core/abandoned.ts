/**
 * Channels that nothing else ends: given to a sister who never brought it back, or confirmed once, rolled back and never
 * seen again. After the expiry no router extends their credit, so they are closed from here, for what was earned here; the
 * rest goes to their payers, and the books can forget them.
 */
import type { AgentAction } from './actions.ts';
import { closeNow } from './on-channel.ts';
import { endSession } from './on-session.ts';
import type { Outcome } from './outcome.ts';
import { isVisitor } from './roaming.ts';
import { type AgentState, type LiveChannel, type LiveSession, sessionOfChannel, withEntry } from './state.ts';

/** After the expiry, for a sister to bring back what she earned: she stopped at the margin and tries every 5 s. */
export const ABANDONED_AFTER_S = 3_600n;

/** `nowS` is 0 while no true time is known: nothing is abandoned then. */
export function endAbandoned(state: AgentState, nowS: bigint): Outcome {
  let next = state;
  const actions: AgentAction[] = [];
  for (const channel of state.channels.values()) {
    if (nowS < channel.config.expiry + ABANDONED_AFTER_S || !isAbandoned(state, channel)) continue;
    const session = sessionOfChannel(state, channel.id);
    if (session === undefined) continue;
    const ended = end(next, channel, session);
    next = ended.state;
    const details = { channel: channel.id, phase: channel.phase, expiry: channel.config.expiry };
    actions.push({ kind: 'log', event: 'channel-abandoned', details }, ...ended.actions);
  }
  return { state: next, actions };
}

/** What is closing is tried again anyway; an open that never came is given up by who looks for its deposit. */
function isAbandoned(state: AgentState, channel: LiveChannel): boolean {
  // A visitor that an old copy of the journal has here goes home as any other, if only after its time.
  if (channel.phase === 'away') return !isVisitor(state, channel) || channel.isStale === true;
  return channel.phase === 'pending' && channel.deposit > 0n;
}

/** A session that still waits is stopped first; closeNow follows as after any other end. */
function end(state: AgentState, channel: LiveChannel, session: LiveSession): Outcome {
  // Charged as what it is: confirmed once.
  const known: LiveChannel = { ...channel, phase: 'active' };
  const next = { ...state, channels: withEntry(state.channels, channel.id, known) };
  return session.ended === undefined
    ? endSession(next, session.id, 'channel-expiring')
    : closeNow(next, known, session);
}
