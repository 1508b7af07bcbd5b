/** Time passes: online time is charged, grace ends, absent guests are seen off, channels near expiry are closed. */
import { endAbandoned } from './abandoned.ts';
import { accountOf, hasCredit } from './account.ts';
import type { AgentAction } from './actions.ts';
import type { AgentConfig } from './config.ts';
import type { EventOf } from './events.ts';
import { dropOldestSettled } from './forget-session.ts';
import { MAX_PAUSE_MS, MAX_SETTLED_SESSIONS, TIME_REFRESH_MS, TIME_RESERVE_MS } from './limits.ts';
import type { EndReason } from './model.ts';
import { closeNow } from './on-channel.ts';
import { hasRunDry, markDepleted, notifyAll } from './on-meter.ts';
import { dropStationsLeftBefore, endSession } from './on-session.ts';
import { storeTicks } from './on-tick-credit.ts';
import type { Outcome } from './outcome.ts';
import { settle } from './settlement.ts';
import { type AgentState, channelOfSession, type LiveSession, sessionOfChannel, withEntry } from './state.ts';

export function onTick(state: AgentState, event: EventOf<'tick'>, config: AgentConfig): Outcome {
  let next = state;
  const actions: AgentAction[] = [];
  const take = (outcome: Outcome) => {
    next = outcome.state;
    actions.push(...outcome.actions);
  };
  const isRefreshDue = Math.floor(event.nowMs / TIME_REFRESH_MS) !== Math.floor(state.lastTickMs / TIME_REFRESH_MS);
  for (const id of state.sessions.keys()) {
    const session = next.sessions.get(id);
    if (session === undefined || session.ended !== undefined) continue;
    take(passTime(next, session, event.nowMs, isRefreshDue));
    const current = next.sessions.get(id) as LiveSession;
    const reason = endReason(next, current, event, config);
    if (reason !== undefined) {
      take(endSession(next, id, reason));
      continue;
    }
    // A pause is for going away.
    if (current.pausedAtMs !== undefined) continue;
    take(dropStationsLeftBefore(next, current, event.nowMs - config.session.absentSeconds * 1000));
    if (graceEndedSince(current, state.lastTickMs, event.nowMs, config)) {
      actions.push({ kind: 'reconcile' }, ...notifyAll(current));
    }
  }
  next = { ...next, lastTickMs: event.nowMs };
  if (isRefreshDue) take(storeTicks(next));
  take(endAbandoned(next, event.nowS));
  take(retryCloses(next, event.nowMs));
  take(settle(next, event.nowMs, event.nowS, config));
  if (next.sessions.size > MAX_SETTLED_SESSIONS) take(dropOldestSettled(next));
  return { state: next, actions };
}

/** Time since the last tick, or the end of a pause after it, counts while something is left: a held guest is not online. */
export function passTime(state: AgentState, session: LiveSession, nowMs: number, isRefreshDue: boolean): Outcome {
  const sinceMs = Math.max(state.lastTickMs, session.resumedAtMs ?? state.lastTickMs);
  const elapsedMs = Math.min(Math.max(0, nowMs - sinceMs), TIME_RESERVE_MS);
  const channel = channelOfSession(state, session);
  const isHeld = session.depletedAtMs !== undefined || session.pausedAtMs !== undefined;
  const isOnline = !isHeld && !accountOf(session, channel).isWaiting;
  if (!isOnline || elapsedMs === 0) return { state, actions: [] };
  const usage = { ...session.usage, onlineMs: session.usage.onlineMs + elapsedMs };
  const isFree = channel === undefined || !hasCredit(channel);
  const later = { ...session, usage, ...(isFree ? { freeMs: (session.freeMs ?? 0) + elapsedMs } : {}) };
  const next = { ...state, sessions: withEntry(state.sessions, session.id, later) };
  const isTimePriced = channel !== undefined && channel.tariff.unitsPerMinute > 0n;
  if (!isTimePriced) return { state: next, actions: [] };
  const account = accountOf(later, channel);
  if (hasRunDry(later, account)) return markDepleted(next, later, account, nowMs);
  return { state: next, actions: isRefreshDue ? [{ kind: 'reconcile' }, ...notifyAll(later)] : [] };
}

function endReason(
  state: AgentState,
  session: LiveSession,
  event: EventOf<'tick'>,
  config: AgentConfig,
): EndReason | undefined {
  const { graceSeconds, absentSeconds } = config.session;
  const channel = channelOfSession(state, session);
  const { absentSinceMs, pausedAtMs } = session;
  const [goneSinceMs, patienceMs] =
    pausedAtMs === undefined ? [absentSinceMs, absentSeconds * 1000] : [pausedAtMs, MAX_PAUSE_MS];
  if (goneSinceMs !== undefined && event.nowMs - goneSinceMs >= patienceMs) return 'guest-left';
  if (channel === undefined) {
    const isOver = session.depletedAtMs !== undefined && event.nowMs - session.depletedAtMs >= graceSeconds * 1000;
    const isTimeOver = session.trialMs !== undefined && session.usage.onlineMs >= session.trialMs;
    return isOver || isTimeOver ? 'trial-exhausted' : undefined;
  }
  // nowS is 0 while the wall clock is not trusted: no guest is cut off for a clock at 1970.
  const isNearExpiry = event.nowS > 0n && event.nowS + BigInt(config.chain.marginSeconds) >= channel.config.expiry;
  return isNearExpiry && channel.phase !== 'pending' ? 'channel-expiring' : undefined;
}

function graceEndedSince(session: LiveSession, sinceMs: number, nowMs: number, config: AgentConfig): boolean {
  if (session.depletedAtMs === undefined) return false;
  const endMs = session.depletedAtMs + config.session.graceSeconds * 1000;
  return sinceMs < endMs && nowMs >= endMs;
}

function retryCloses(state: AgentState, nowMs: number): Outcome {
  let next = state;
  const actions: AgentAction[] = [];
  for (const channel of state.channels.values()) {
    if (channel.phase !== 'closing' || channel.closeUnits === undefined || channel.nextCloseMs > nowMs) continue;
    const session = sessionOfChannel(state, channel.id);
    if (session === undefined) continue;
    const closed = closeNow(next, channel, session);
    next = closed.state;
    actions.push(...closed.actions);
  }
  return { state: next, actions };
}
