/**
 * Opens by a wallet of the payer's own: they cost the router no gas until a deposit is there, so they are no part of the gas
 * that opens may cost. What they do cost is memory and a look at the chain now and then, and that is bounded here.
 */
import { MAX_PENDING_PULLS, MAX_PENDING_PULLS_PER_MAC } from './limits.ts';
import type { Mac } from './model.ts';
import type { LimitRefusal } from './open-limits.ts';
import { refuse } from './refusal.ts';
import { type AgentState, channelOfSession, type LiveChannel, type LiveSession } from './state.ts';

/** Waited for, and never seen on chain: a relayed open is given no time of its own, and one that was rolled back had a deposit. */
export function isPendingPull({ phase, deposit, nextCloseMs }: LiveChannel): boolean {
  return phase === 'pending' && deposit === 0n && nextCloseMs > 0;
}

/** Undefined while this MAC may promise one more deposit. */
export function judgePulls(state: AgentState, mac: Mac): LimitRefusal | undefined {
  const own = pendingPulls(state).filter(({ session }) => session.stations.some((station) => station.mac === mac));
  if (own.length < MAX_PENDING_PULLS_PER_MAC) return undefined;
  const expected = `${MAX_PENDING_PULLS_PER_MAC} promised deposits of one device at a time`;
  return refuse('too-many-opens', expected, `${own.length + 1}`);
}

/** The one that makes room for another, if there are as many as may be: the oldest, of guests that have left before all others. */
export function crowdedOut(state: AgentState): LiveChannel | undefined {
  const pulls = pendingPulls(state);
  if (pulls.length < MAX_PENDING_PULLS) return undefined;
  const left = pulls.filter(({ session }) => session.ended !== undefined);
  const channels = (left.length > 0 ? left : pulls).map(({ channel }) => channel);
  return channels.sort((a, b) => a.nextCloseMs - b.nextCloseMs)[0];
}

type Pull = { readonly channel: LiveChannel; readonly session: LiveSession };

function pendingPulls(state: AgentState): readonly Pull[] {
  return [...state.sessions.values()].flatMap((session) => {
    const channel = channelOfSession(state, session);
    return channel !== undefined && isPendingPull(channel) ? [{ channel, session }] : [];
  });
}
