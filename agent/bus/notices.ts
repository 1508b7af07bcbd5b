/** What subscribers of the bus are told, from two states of the agent: sessions that began, ran low or ended, and payments. */
import { accountOf } from '../core/account.ts';
import type { EndReason } from '../core/model.ts';
import { type AgentState, channelOfSession, type LiveChannel, type LiveSession } from '../core/state.ts';

export type Notice =
  | { readonly kind: 'session.start' | 'session.low'; readonly session: LiveSession }
  | { readonly kind: 'session.end'; readonly session: LiveSession; readonly reason: EndReason }
  | { readonly kind: 'payment'; readonly channel: LiveChannel; readonly paidUnits: bigint }
  | { readonly kind: 'proof' };

/** States are immutable: what is the same object has not changed, so this costs little for each event. */
export function noticesBetween(before: AgentState, after: AgentState): readonly Notice[] {
  const notices: Notice[] = [];
  if (before.sessions !== after.sessions || before.channels !== after.channels) {
    for (const session of after.sessions.values()) {
      const old = before.sessions.get(session.id);
      if (old !== session || channelOfSession(before, session) !== channelOfSession(after, session)) {
        notices.push(...sessionNotices(before, old, after, session));
      }
    }
  }
  if (before.channels !== after.channels) {
    for (const channel of after.channels.values()) {
      const paidUnits = creditOf(channel) - creditOf(before.channels.get(channel.id));
      if (paidUnits > 0n) notices.push({ kind: 'payment', channel, paidUnits });
    }
  }
  if (before.proofs.nextSeq !== after.proofs.nextSeq) notices.push({ kind: 'proof' });
  return notices;
}

function sessionNotices(
  before: AgentState,
  old: LiveSession | undefined,
  after: AgentState,
  session: LiveSession,
): readonly Notice[] {
  if (session.ended !== undefined) {
    return old?.ended === undefined ? [{ kind: 'session.end', session, reason: session.ended }] : [];
  }
  const start: readonly Notice[] = old === undefined ? [{ kind: 'session.start', session }] : [];
  const wasLow = old !== undefined && isLow(before, old);
  return isLow(after, session) && !wasLow ? [...start, { kind: 'session.low', session }] : start;
}

/** A session that waits for its deposit has nothing that could run low. */
function isLow(state: AgentState, session: LiveSession): boolean {
  const account = accountOf(session, channelOfSession(state, session));
  return account.isLow && !account.isWaiting;
}

/** Money that is there: a pending deposit is not, a failed one never was. */
function creditOf(channel: LiveChannel | undefined): bigint {
  if (channel === undefined || channel.phase === 'pending' || channel.phase === 'failed') return 0n;
  return channel.voucher.amount;
}
