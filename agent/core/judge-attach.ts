/**
 * Whether a device may take up a running session: everything that costs no signature check. The session is found by the
 * channel's signer, because a person who types a pass code on a new device knows no channel id.
 */
import type { Address } from '../../protocol/address.ts';
import type { Hex } from '../../protocol/hex.ts';
import { type Refused, refuse } from './refusal.ts';
import { type AgentState, isServing, type LiveChannel } from './state.ts';

export type AttachRefusal = 'unknown-channel' | 'channel-not-open';

export type AttachJudgement = { readonly ok: true; readonly channel: LiveChannel } | Refused<AttachRefusal>;

/** The signer's newest channel that serves; an older one is what a crash or a second purchase left. */
export function judgeChallenge(state: AgentState, signer: Address): AttachJudgement {
  const own = [...state.channels.values()].filter(({ config }) => config.signer === signer);
  const newest = own
    .filter((channel) => isServing(state, channel))
    .sort(bySession(state))
    .pop();
  if (newest !== undefined) return { ok: true, channel: newest };
  // Not unknown: who pays again while the first payment is on its way would pay twice.
  if (own.some(({ phase }) => phase === 'pending')) return notOpen('pending');
  return refuse('unknown-channel', 'a running session paid with this key', 'none');
}

export function judgeAttach(state: AgentState, channelId: Hex): AttachJudgement {
  const channel = state.channels.get(channelId);
  if (channel === undefined) {
    return refuse('unknown-channel', 'a channel opened at this router', channelId);
  }
  return isServing(state, channel) ? { ok: true, channel } : notOpen(channel.phase);
}

/** Session ids grow: a restart reads channels back in no order. */
function bySession(state: AgentState): (a: LiveChannel, b: LiveChannel) => number {
  const idOf = ({ id }: LiveChannel): number => state.sessionByChannel.get(id) as number;
  return (a, b) => idOf(a) - idOf(b);
}

function notOpen(phase: LiveChannel['phase']): AttachJudgement {
  return refuse('channel-not-open', 'a channel that serves a running session', phase);
}
