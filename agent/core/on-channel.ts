/** The life of a channel on this router: opening, confirmed, paid further, closed. */

import { finalClaim } from './account.ts';
import type { AgentAction } from './actions.ts';
import type { EventOf } from './events.ts';
import { raisedToClaim } from './evidence.ts';
import { depart } from './on-hand-over.ts';
import { beginSession, endSession } from './on-session.ts';
import { withFreeOpen, withOpen } from './open-limits.ts';
import type { Outcome } from './outcome.ts';
import { crowdedOut } from './pending-pulls.ts';
import { chainRetryMs } from './retry-schedule.ts';
import { destinationOf } from './roaming.ts';
import {
  type AgentState,
  type LiveChannel,
  type LiveSession,
  sessionOfChannel,
  sessionOfMac,
  withEntry,
  withoutEntry,
} from './state.ts';

/** An open that was given up is remembered so long: the deposit may have been on its way. */
const FAILED_KEPT_MS = 3_600_000;

/** Only what is relayed costs gas, and counts as such; who pays by a wallet of its own may crowd out another who has not paid. */
export function onChannelOpening(state: AgentState, event: EventOf<'channel-opening' | 'open-relaying'>): Outcome {
  if (event.kind === 'open-relaying') return relaying(state, event);
  const { mac, nowMs, patienceMs } = event;
  if (patienceMs === undefined) return begin({ ...state, opens: withOpen(state.opens, mac, nowMs) }, event);
  const crowded = crowdedOut(state);
  const left: Outcome = crowded === undefined ? { state, actions: [] } : giveUp(state, crowded.id, nowMs);
  const begun = begin(left.state, event);
  return { state: begun.state, actions: [...left.actions, ...begun.actions] };
}

/** A running trial becomes the channel's session, so that nothing is cut when money comes. */
function begin(state: AgentState, event: EventOf<'channel-opening'>): Outcome {
  const { mac, channel, nowMs, patienceMs } = event;
  const current = sessionOfMac(state, mac);
  const isTrial = current !== undefined && current.ended === undefined && current.channelId === undefined;
  const begun = isTrial
    ? { state: withSession(state, { ...current, channelId: channel.id }), id: current.id }
    : beginSession(state, mac, { trialBytes: 0n, channelId: channel.id }, nowMs);
  const nextCloseMs = patienceMs === undefined ? 0 : nowMs + patienceMs;
  return {
    state: {
      ...begun.state,
      channels: withEntry(state.channels, channel.id, { ...channel, closeAttempts: 0, nextCloseMs }),
      sessionByChannel: withEntry(state.sessionByChannel, channel.id, begun.id),
    },
    actions: [{ kind: 'reconcile' }, { kind: 'store-sessions', sessionIds: [begun.id] }, { kind: 'notify', mac }],
  };
}

export function onChannelConfirmed(state: AgentState, event: EventOf<'channel-confirmed'>): Outcome {
  const given = state.channels.get(event.channelId);
  if (given?.phase === 'failed') return onLateDeposit(state, given, event);
  const found = find(state, event.channelId);
  if (found === undefined || found.channel.phase !== 'pending') return { state, actions: [] };
  const { channel, session } = found;
  const tx = event.tx === undefined ? {} : { openTx: event.tx };
  const gasWei = (channel.gasWei ?? 0n) + (event.feeWei ?? 0n);
  const confirmed: LiveChannel = { ...channel, ...tx, phase: 'active', deposit: event.deposit, gasWei };
  const { channel: active, session: known } = raisedToClaim(session, confirmed, event.claimed ?? 0n);
  if (known.ended !== undefined) return closeNow(withSession(withChannel(state, active), known), active, known);
  const { depletedAtMs: _, ...served } = known;
  return {
    // The tick that follows charges nothing of the wait.
    state: withSession(withChannel(state, active), { ...served, resumedAtMs: event.nowMs }),
    actions: [
      { kind: 'store-channel', channelId: channel.id },
      ...(known === session ? [] : [{ kind: 'store-sessions', sessionIds: [session.id] } as const]),
      { kind: 'reconcile' },
      ...notify(session),
    ],
  };
}

/** While it is being relayed it counts as costly: a crash, or an answer that never comes, must not make it free. */
function relaying(state: AgentState, { channelId, isUnsent }: EventOf<'open-relaying'>): Outcome {
  const channel = state.channels.get(channelId);
  if (channel === undefined) return { state, actions: [] };
  return { state: withChannel(state, { ...channel, isUnsent }), actions: [] };
}

/** Nobody waits for it any more: it is closed at once, for the open fee, under a session that serves nobody. */
function onLateDeposit(state: AgentState, failed: LiveChannel, event: EventOf<'channel-confirmed'>): Outcome {
  const session: LiveSession = {
    id: state.nextSessionId,
    startedMs: event.nowMs,
    stations: [],
    channelId: failed.id,
    usage: { downBytes: 0n, upBytes: 0n, onlineMs: 0 },
    trialBytes: 0n,
    proven: { downBytes: 0n, upBytes: 0n, units: 0n },
    ended: 'open-failed',
    counters: new Map(),
    storedBytes: 0n,
    storedAtMs: event.nowMs,
  };
  const due: LiveChannel = { ...failed, phase: 'closing', deposit: event.deposit, nextCloseMs: 0 };
  const { channel } = raisedToClaim(session, due, event.claimed ?? 0n);
  const next = {
    ...withSession(state, session),
    nextSessionId: session.id + 1,
    sessionByChannel: withEntry(state.sessionByChannel, failed.id, session.id),
  };
  return closeNow(next, channel, session);
}

/**
 * Nothing was charged: the guest is where it was before, on its trial or without service. A channel that was confirmed and
 * then rolled back is not given up: its open is offered again, and its vouchers are worth what they were. One that failed
 * before is forgotten once its time is over. Of one that was never sent no deposit is on its way: one look is enough.
 */
export function onChannelFailed(state: AgentState, event: EventOf<'channel-failed'>): Outcome {
  const known = state.channels.get(event.channelId);
  if (known?.phase === 'failed' && event.nowMs >= known.nextCloseMs) {
    return { state: { ...state, channels: withoutEntry(state.channels, known.id) }, actions: [] };
  }
  const isFree = event.feeWei === 0n || isUnsentOpen(known, event);
  const counted = isFree ? countedAsFree(state, event.channelId) : state;
  return giveUp(counted, event.channelId, event.nowMs + (isFree ? 0 : FAILED_KEPT_MS), event.feeWei);
}

/** Given up by who looks for its deposit, and not known to have been signed. */
function isUnsentOpen(known: LiveChannel | undefined, { feeWei }: EventOf<'channel-failed'>): boolean {
  return feeWei === undefined && known?.isUnsent === true;
}

function countedAsFree(state: AgentState, channelId: LiveChannel['id']): AgentState {
  const stations = find(state, channelId)?.session.stations ?? [];
  return { ...state, opens: stations.reduce((opens, { mac }) => withFreeOpen(opens, mac), state.opens) };
}

/** `nextCloseMs`: until then its deposit is still looked for, at least once. */
function giveUp(state: AgentState, channelId: LiveChannel['id'], nextCloseMs: number, feeWei = 0n): Outcome {
  const found = find(state, channelId);
  if (found === undefined || found.channel.phase !== 'pending' || found.channel.deposit > 0n) {
    return { state, actions: [] };
  }
  const { channel, session } = found;
  const gasWei = (channel.gasWei ?? 0n) + feeWei;
  const failed = withChannel(state, { ...channel, phase: 'failed', nextCloseMs, gasWei });
  const store: AgentAction = { kind: 'store-channel', channelId: channel.id };
  const { channelId: _, ...trial } = session;
  const detached = {
    ...withSession(failed, trial),
    sessionByChannel: withoutEntry(failed.sessionByChannel, channel.id),
  };
  if (session.trialBytes > 0n && session.ended === undefined) {
    return {
      state: detached,
      actions: [store, { kind: 'store-sessions', sessionIds: [session.id] }, ...notify(session)],
    };
  }
  const ended = endSession(detached, session.id, 'open-failed');
  return { state: ended.state, actions: [store, { kind: 'reconcile' }, ...ended.actions] };
}

/** What came of a close. */
export function onClose(state: AgentState, event: EventOf<'channel-closed' | 'close-failed'>): Outcome {
  return event.kind === 'channel-closed' ? closed(state, event) : closeFailed(state, event);
}

function closed(state: AgentState, event: EventOf<'channel-closed'>): Outcome {
  const found = find(state, event.channelId);
  if (found === undefined || found.channel.phase !== 'closing') return { state, actions: [] };
  const { channel, session } = found;
  const gasWei = (channel.gasWei ?? 0n) + (event.feeWei ?? 0n);
  const settled: LiveChannel = { ...channel, phase: 'settled', closeUnits: event.units, closeTx: event.tx, gasWei };
  return {
    state: { ...withChannel(state, settled), settledUnits: state.settledUnits + event.units },
    actions: [{ kind: 'store-channel', channelId: channel.id }, ...notify(session)],
  };
}

function closeFailed(state: AgentState, event: EventOf<'close-failed'>): Outcome {
  const channel = state.channels.get(event.channelId);
  if (channel === undefined || channel.phase !== 'closing') return { state, actions: [] };
  const closeAttempts = channel.closeAttempts + 1;
  const waitMs = chainRetryMs(closeAttempts);
  return {
    state: withChannel(state, { ...channel, closeAttempts, nextCloseMs: event.nowMs + waitMs }),
    actions: [{ kind: 'log', event: 'close-failed', details: { attempts: closeAttempts, retryInMs: waitMs } }],
  };
}

/**
 * Fixes the final claim and sends it; what belongs to a sister, or is asked for by one, is handed over. Call only when the
 * kernel no longer serves the session.
 */
export function closeNow(state: AgentState, channel: LiveChannel, session: LiveSession): Outcome {
  const way = destinationOf(state, channel);
  if (way !== undefined) return depart(state, channel, session, way);
  // Never below what was claimed: the contract would refuse it.
  const claimed = channel.claimedUnits ?? 0n;
  const charged = channel.closeUnits ?? finalClaim(session, channel);
  const closeUnits = charged > claimed ? charged : claimed;
  const closing: LiveChannel = { ...channel, phase: 'closing', closeUnits, nextCloseMs: Number.POSITIVE_INFINITY };
  return {
    state: withChannel(state, closing),
    actions: [
      { kind: 'store-sessions', sessionIds: [session.id] },
      { kind: 'store-channel', channelId: channel.id },
      { kind: 'close-channel', channelId: channel.id, units: closeUnits },
    ],
  };
}

function find(
  state: AgentState,
  channelId: LiveChannel['id'],
): { channel: LiveChannel; session: LiveSession } | undefined {
  const channel = state.channels.get(channelId);
  const session = sessionOfChannel(state, channelId);
  return channel === undefined || session === undefined ? undefined : { channel, session };
}

function withChannel(state: AgentState, channel: LiveChannel): AgentState {
  return { ...state, channels: withEntry(state.channels, channel.id, channel) };
}

function withSession(state: AgentState, session: LiveSession): AgentState {
  return { ...state, sessions: withEntry(state.sessions, session.id, session) };
}

function notify(session: LiveSession): readonly AgentAction[] {
  return session.stations.map(({ mac }) => ({ kind: 'notify', mac }));
}
