/** Counters read, quotas used up, kernel brought in line: where usage grows and sessions run dry. */
import { type Account, accountOf } from './account.ts';
import type { AgentAction } from './actions.ts';
import type { AgentConfig } from './config.ts';
import type { EventOf } from './events.ts';
import { forgetIfDone } from './forget-session.ts';
import { MAX_PACKET_BYTES } from './limits.ts';
import { addReadings, totalBytes } from './meter.ts';
import type { CounterReading, SessionId } from './model.ts';
import { closeNow } from './on-channel.ts';
import type { Outcome } from './outcome.ts';
import { type AgentState, channelOfSession, type LiveSession, withEntry } from './state.ts';

export function onCountersRead(state: AgentState, event: EventOf<'counters-read'>, config: AgentConfig): Outcome {
  return applyReadings(state, event.counters, event.nowMs, config);
}

/** The kernel no longer serves ended sessions and their last counters are in: what they owe is final now. */
export function onReconciled(state: AgentState, event: EventOf<'reconciled'>, config: AgentConfig): Outcome {
  const metered = applyReadings(state, event.counters, event.nowMs, config);
  let next = metered.state;
  const actions: AgentAction[] = [...metered.actions];
  for (const session of metered.state.sessions.values()) {
    if (session.ended === undefined || event.served.has(session.id)) continue;
    const channel = channelOfSession(next, session);
    if (channel?.phase === 'closing' && channel.closeUnits === undefined) {
      const closed = closeNow(next, channel, session);
      next = closed.state;
      actions.push(...closed.actions);
    } else {
      const forgotten = forgetIfDone(next, session.id);
      next = forgotten.state;
      actions.push(...forgotten.actions);
    }
  }
  return { state: next, actions };
}

/**
 * The kernel says the quota is used up; the counters have just been read. If far more than a packet is left, the quota was
 * raised meanwhile or counted packets it dropped: it must be made anew, not believed.
 */
export function onDepleted(state: AgentState, { sessionId, nowMs }: EventOf<'depleted'>): Outcome {
  const session = state.sessions.get(sessionId);
  if (session === undefined || session.ended !== undefined || session.depletedAtMs !== undefined)
    return { state, actions: [] };
  const account = accountOf(session, channelOfSession(state, session));
  if (account.remainingBytes > MAX_PACKET_BYTES) return { state, actions: [{ kind: 'reconcile' }] };
  return markDepleted(state, session, account, nowMs);
}

export function onUsageStored(state: AgentState, { sessionIds, nowMs }: EventOf<'usage-stored'>): Outcome {
  const sessions = new Map(state.sessions);
  for (const id of sessionIds) {
    const session = sessions.get(id);
    if (session !== undefined)
      sessions.set(id, { ...session, storedBytes: totalBytes(session.usage), storedAtMs: nowMs });
  }
  return { state: { ...state, sessions }, actions: [] };
}

/** Holds the session: the kernel has cut already, the guest is told, port 80 goes to the portal again. */
export function markDepleted(state: AgentState, session: LiveSession, account: Account, nowMs: number): Outcome {
  const channel = channelOfSession(state, session);
  // The last bytes of a paused session may be all it had: it waits for a top-up as any other.
  const { pausedAtMs: _, ...awake } = session;
  const held = { ...state, sessions: withEntry(state.sessions, session.id, { ...awake, depletedAtMs: nowMs }) };
  const channels =
    channel?.phase === 'active'
      ? withEntry(held.channels, channel.id, { ...channel, phase: 'grace' as const })
      : held.channels;
  return {
    state: { ...held, channels },
    actions: [
      { kind: 'reconcile' },
      { kind: 'store-sessions', sessionIds: [session.id] },
      {
        kind: 'log',
        event: 'credit-used-up',
        details: { session: session.id, limitBytes: account.limitBytes, usedBytes: totalBytes(session.usage) },
      },
      ...notifyAll(session),
    ],
  };
}

/** True if something was granted and nothing of it is left; a pending channel without a trial merely waits. */
export function hasRunDry(session: LiveSession, account: Account): boolean {
  return session.depletedAtMs === undefined && account.isUsedUp && !account.isWaiting;
}

export function notifyAll(session: LiveSession): readonly AgentAction[] {
  return session.stations.map(({ mac }) => ({ kind: 'notify', mac }));
}

function applyReadings(
  state: AgentState,
  readings: readonly CounterReading[],
  nowMs: number,
  config: AgentConfig,
): Outcome {
  const sessions = new Map(state.sessions);
  const changed: LiveSession[] = [];
  // A counter of the same name begins at 0 when it comes again: no older row may be found then.
  const due = new Set<SessionId>();
  for (const [id, own] of groupBySession(readings)) {
    const before = sessions.get(id);
    if (before === undefined) continue;
    const { usage, counters } = addReadings(before, own);
    const isHeard = before.absentSinceMs !== undefined && usage.upBytes > before.usage.upBytes;
    // Who sends is there, whatever hostapd said or has not said yet; the wait for who left begins anew.
    const after = { ...before, usage, counters, ...(isHeard ? { absentSinceMs: nowMs } : {}) };
    sessions.set(id, after);
    if (own.some(({ isLast }) => isLast === true)) due.add(id);
    if (totalBytes(usage) !== totalBytes(before.usage)) changed.push(after);
  }
  let next: AgentState = { ...state, sessions };
  const actions: AgentAction[] = [];
  for (const session of changed) {
    const account = accountOf(session, channelOfSession(next, session));
    if (isDueForStorage(session, nowMs, config)) due.add(session.id);
    actions.push(...notifyAll(session));
    if (session.ended === undefined && hasRunDry(session, account)) {
      const held = markDepleted(next, session, account, nowMs);
      next = held.state;
      actions.push(...held.actions);
    }
  }
  if (due.size > 0) actions.push({ kind: 'store-sessions', sessionIds: [...due] });
  return { state: next, actions };
}

function groupBySession(readings: readonly CounterReading[]): Map<SessionId, CounterReading[]> {
  const groups = new Map<SessionId, CounterReading[]>();
  for (const reading of readings) {
    const group = groups.get(reading.sessionId);
    if (group === undefined) groups.set(reading.sessionId, [reading]);
    else group.push(reading);
  }
  return groups;
}

function isDueForStorage(session: LiveSession, nowMs: number, { session: rules }: AgentConfig): boolean {
  const isMany = totalBytes(session.usage) - session.storedBytes >= rules.flushBytes;
  return isMany || nowMs - session.storedAtMs >= rules.flushSeconds * 1000;
}
