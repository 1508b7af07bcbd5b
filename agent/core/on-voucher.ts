/** Credit by vouchers that are durable: those of one commit are one event, so that many guests share one copy of the maps. */
import type { AgentAction } from './actions.ts';
import type { EventOf } from './events.ts';
import { raisedToAck } from './evidence.ts';
import { notifyAll } from './on-meter.ts';
import { withVoucher } from './on-tick-credit.ts';
import type { Outcome } from './outcome.ts';
import { type AgentState, sessionOfChannel } from './state.ts';

/** Credit grows, never shrinks (I2): a voucher that is not above the last is ignored here too. */
export function onVouchersStored(state: AgentState, { vouchers, nowMs }: EventOf<'vouchers-stored'>): Outcome {
  const { sessionByChannel } = state;
  const channels = new Map(state.channels);
  const sessions = new Map(state.sessions);
  const actions: AgentAction[] = [{ kind: 'reconcile' }];
  let isRaised = false;
  for (const voucher of vouchers) {
    const channel = channels.get(voucher.channelId);
    const session = sessionOfChannel({ sessions, sessionByChannel }, voucher.channelId);
    if (channel === undefined || session === undefined || voucher.amount <= channel.voucher.amount) continue;
    const isServing = channel.phase === 'active' || channel.phase === 'grace';
    const phase = isServing ? ('active' as const) : channel.phase;
    const paid = { ...withVoucher(channel, voucher, nowMs), phase };
    channels.set(channel.id, paid);
    const { depletedAtMs: _, ...served } = session;
    const known = raisedToAck(served, paid, voucher.ackBytes);
    sessions.set(session.id, known);
    if (known !== served) actions.push({ kind: 'store-sessions', sessionIds: [session.id] });
    actions.push(...notifyAll(session));
    isRaised = true;
  }
  return isRaised ? { state: { ...state, channels, sessions }, actions } : { state, actions: [] };
}
