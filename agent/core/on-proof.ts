/** Proof intervals end, are signed, and the chain of proofs goes on. */
import type { AgentAction } from './actions.ts';
import type { EventOf } from './events.ts';
import { forgetIfDone } from './forget-session.ts';
import type { Outcome } from './outcome.ts';
import type { AgentState } from './state.ts';

type ProofEvent = EventOf<'proof-stored' | 'interval-drafted' | 'proof-sealed' | 'chain-rebased'>;

export function onProof(state: AgentState, event: ProofEvent): Outcome {
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
function onIntervalDrafted(state: AgentState, event: Omit<EventOf<'interval-drafted'>, 'kind'>): Outcome {
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

function onProofSealed(state: AgentState, { seq, digest }: Pick<EventOf<'proof-sealed'>, 'seq' | 'digest'>): Outcome {
  return { state: { ...state, proofs: { ...state.proofs, nextSeq: seq + 1n, prev: digest } }, actions: [] };
}

/** The collector knows proofs of this device that the journal does not: the chain goes on after those. */
function onChainRebased(state: AgentState, { nextSeq, prev, minEpoch }: EventOf<'chain-rebased'>): Outcome {
  const channels = new Map(state.channels);
  const actions: AgentAction[] = [];
  // What the journal knows of its channels is as old: what a guest says was metered may be newer (evidence.ts).
  for (const channel of state.channels.values()) {
    if (channel.phase === 'settled' || channel.phase === 'failed') continue;
    channels.set(channel.id, { ...channel, isStale: true });
    actions.push({ kind: 'store-channel', channelId: channel.id });
  }
  return { state: { ...state, channels, proofs: { ...state.proofs, nextSeq, prev, minEpoch } }, actions };
}
