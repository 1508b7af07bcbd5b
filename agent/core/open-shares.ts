/** What the open proof interval has to name: of each paid session, what no proof names yet. */
import type { ByteCount, TokenAmount } from '../../protocol/units.ts';
import { coveredUnits, hasCredit } from './account.ts';
import { isVisitor } from './roaming.ts';
import { type AgentState, channelOfSession, type LiveChannel, type LiveSession } from './state.ts';

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
