/** Whether a guest may pause, or go on. */
import type { Mac } from './model.ts';
import { type Refused, refuse } from './refusal.ts';
import { type AgentState, channelOfSession, type LiveSession, sessionOfMac } from './state.ts';

export type PauseRefusal = 'unknown-guest' | 'channel-not-open';

export type PauseJudgement = { readonly ok: true; readonly session: LiveSession } | Refused<PauseRefusal>;

/** Whether the device's session may be paused, or goes on if it is: a trial is free and ends by itself. */
export function judgePause(state: AgentState, mac: Mac): PauseJudgement {
  const session = sessionOfMac(state, mac);
  if (session === undefined || session.ended !== undefined) {
    return refuse('unknown-guest', 'a running session', 'none for this device');
  }
  const phase = channelOfSession(state, session)?.phase ?? 'a trial';
  if (phase === 'active') return { ok: true, session };
  return refuse('channel-not-open', 'a paid session with something left', phase);
}
