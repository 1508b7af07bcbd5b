/** Proof intervals: what the next proof names, the chain going on, and sessions forgotten once all of them is proven. */
import type { ByteCount, TokenAmount } from '../../protocol/units.ts';
import { coveredUnits, hasCredit } from './account.ts';
import type { AgentAction } from './actions.ts';
import type { AgentEvent } from './events.ts';
import { MAX_SETTLED_SESSIONS } from './limits.ts';
import type { SessionId } from './model.ts';
import type { Outcome } from './outcome.ts';
import { isVisitor } from './roaming.ts';
import {
  type AgentState,
  channelOfSession,
  type LiveChannel,
  type LiveSession,
  withEntry,
  withoutEntry,
} from './state.ts';

type ProofStored = Extract<AgentEvent, { kind: 'proof-stored' }>;
type IntervalDrafted = Extract<AgentEvent, { kind: 'interval-drafted' }>;
type ProofSealed = Extract<AgentEvent, { kind: 'proof-sealed' }>;
type ChainRebased = Extract<AgentEvent, { kind: 'chain-rebased' }>;

/** A session's share of the open interval. Only paid sessions are proven: a trial has no channel to name. */
export type ProofShare = {
  readonly session: LiveSession;
  readonly channel: LiveChannel;
  readonly downBytes: ByteCount;
  readonly upBytes: ByteCount;
  readonly units: TokenAmount;
};

export function openShares(state: AgentState): readonly ProofShare[] {
  const shares: ProofShare[] = [];
  for (const session of state.sessions.values()) {
    const channel = channelOfSession(state, session);
    if (channel === undefined || !hasCredit(channel)) continue;
    // The router that opened it proves it, once it is back there: a proof speaks for its own channels.
    if (isVisitor(state, channel)) continue;
    // What ticks alone cover is proven once a voucher covers it too: a proof carries vouchers.
    const charged = provableUnits(session, channel);
    const share: ProofShare = {
      session,
      channel,
      downBytes: session.usage.downBytes - session.proven.downBytes,
      upBytes: session.usage.upBytes - session.proven.upBytes,
      units: charged > session.proven.units ? charged - session.proven.units : 0n,
    };
    if (share.downBytes > 0n || share.upBytes > 0n || share.units > 0n) shares.push(share);
  }
  return shares;
}

function provableUnits(session: LiveSession, channel: LiveChannel): TokenAmount {
  if (channel.closeUnits === undefined) return coveredUnits(session, channel);
  return channel.closeUnits < channel.voucher.amount ? channel.closeUnits : channel.voucher.amount;
}

export function onProof(state: AgentState, event: ProofStored | IntervalDrafted | ProofSealed | ChainRebased): Outcome {
  switch (event.kind) {
    case 'proof-stored':
      // The interval was signed as it was closed.
      return onIntervalDrafted(onProofSealed(state, event).state, event);
    case 'interval-drafted':
      return onIntervalDrafted(state, event);
    case 'proof-sealed':
      return onProofSealed(state, event);
    case 'chain-rebased':
      return onChainRebased(state, event);
  }
}

/** The interval is in the journal, to be signed later. */
function onIntervalDrafted(state: AgentState, event: Omit<IntervalDrafted, 'kind'>): Outcome {
  const sessions = new Map(state.sessions);
  for (const [id, proven] of event.proven) {
    const session = sessions.get(id);
    if (session !== undefined) sessions.set(id, { ...session, proven });
  }
  const proofs = { ...state.proofs, startedMs: event.nowMs, startedS: event.endS };
  let next: AgentState = { ...state, sessions, proofs };
  const actions: AgentAction[] = [];
  for (const id of event.proven.keys()) {
    const forgotten = forgetIfDone(next, id);
    next = forgotten.state;
    actions.push(...forgotten.actions);
  }
  return { state: next, actions };
}

function onProofSealed(state: AgentState, { seq, digest }: Pick<ProofSealed, 'seq' | 'digest'>): Outcome {
  return { state: { ...state, proofs: { ...state.proofs, nextSeq: seq + 1n, prev: digest } }, actions: [] };
}

/** The collector knows proofs of this device that the journal does not: the chain goes on after those. */
function onChainRebased(state: AgentState, { nextSeq, prev, minEpoch }: ChainRebased): Outcome {
  const channels = new Map(state.channels);
  const actions: AgentAction[] = [];
  // So is what it knows of them: a guest may know better from now on.
  for (const channel of state.channels.values()) {
    if (channel.phase === 'settled' || channel.phase === 'failed') continue;
    channels.set(channel.id, { ...channel, isStale: true });
    actions.push({ kind: 'store-channel', channelId: channel.id });
  }
  return { state: { ...state, channels, proofs: { ...state.proofs, nextSeq, prev, minEpoch } }, actions };
}

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
