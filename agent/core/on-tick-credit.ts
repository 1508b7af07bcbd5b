/** Credit by ticks: a chain begins, and coins of it arrive. Many coins of many channels are one event. */
import type { AgentAction } from './actions.ts';
import type { EventOf } from './events.ts';
import type { Outcome } from './outcome.ts';
import { type AgentState, type LiveChannel, withEntry } from './state.ts';

/** The chain begins at its anchor: what the one before has promised is in its base. */
export function onTickVoucherTaken(state: AgentState, { tickVoucher, anchor }: EventOf<'tick-voucher-taken'>): Outcome {
  const channel = state.channels.get(tickVoucher.channelId);
  if (channel === undefined) return { state, actions: [] };
  const ticks = { voucher: tickVoucher, last: anchor };
  return { state: { ...state, channels: withEntry(state.channels, channel.id, { ...channel, ticks }) }, actions: [] };
}

/** Credit grows, never shrinks (I2): a coin of another chain, or an earlier one, is ignored here too. */
export function onTicksTaken(state: AgentState, { ticks }: EventOf<'ticks-taken'>): Outcome {
  const channels = new Map(state.channels);
  const sessions = new Map(state.sessions);
  const actions: AgentAction[] = [];
  for (const { channelId, signature, last } of ticks) {
    const channel: LiveChannel | undefined = channels.get(channelId);
    const session = sessions.get(state.sessionByChannel.get(channelId) ?? 0);
    if (channel?.ticks === undefined || session === undefined) continue;
    if (channel.ticks.voucher.signature !== signature || last.index <= channel.ticks.last.index) continue;
    channels.set(channelId, { ...channel, ticks: { ...channel.ticks, last } });
    const { depletedAtMs: _, ...served } = session;
    sessions.set(session.id, served);
    actions.push(...session.stations.map(({ mac }) => ({ kind: 'notify', mac }) as const));
  }
  if (actions.length === 0) return { state, actions };
  return { state: { ...state, channels, sessions }, actions: [{ kind: 'reconcile' }, ...actions] };
}
