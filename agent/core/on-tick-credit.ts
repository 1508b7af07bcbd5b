/** Credit by ticks: a chain begins, and coins of it arrive. Many coins of many channels are one event. */
import type { SignedVoucher } from '../../protocol/voucher.ts';
import type { AgentAction } from './actions.ts';
import type { EventOf } from './events.ts';
import type { Outcome } from './outcome.ts';
import { type AgentState, type LiveChannel, sessionOfChannel, withEntry } from './state.ts';
import { promisedUnits } from './tick-account.ts';

export function onTickCredit(state: AgentState, event: EventOf<'tick-voucher-taken' | 'ticks-taken'>): Outcome {
  return event.kind === 'ticks-taken' ? onTicksTaken(state, event) : onTickVoucherTaken(state, event);
}

/** The chain begins at its anchor: what the one before has promised is in its base, which a voucher covers. */
function onTickVoucherTaken(state: AgentState, event: EventOf<'tick-voucher-taken'>): Outcome {
  const { tickVoucher, anchor, nowMs } = event;
  const channel = state.channels.get(tickVoucher.channelId);
  if (channel === undefined) return { state, actions: [] };
  const ticks = { voucher: tickVoucher, last: anchor, renewedMs: nowMs, storedIndex: anchor.index };
  return { state: { ...state, channels: withEntry(state.channels, channel.id, { ...channel, ticks }) }, actions: [] };
}

/** Credit grows, never shrinks (I2): a coin of another chain, or an earlier one, is ignored here too. */
function onTicksTaken(state: AgentState, { ticks }: EventOf<'ticks-taken'>): Outcome {
  const { sessionByChannel } = state;
  const channels = new Map(state.channels);
  const sessions = new Map(state.sessions);
  const actions: AgentAction[] = [];
  for (const { channelId, signature, last } of ticks) {
    const channel: LiveChannel | undefined = channels.get(channelId);
    const session = sessionOfChannel({ sessions, sessionByChannel }, channelId);
    if (channel?.ticks === undefined || session === undefined) continue;
    if (channel.ticks.voucher.signature !== signature || last.index <= channel.ticks.last.index) continue;
    const phase = channel.phase === 'grace' ? ('active' as const) : channel.phase;
    channels.set(channelId, { ...channel, phase, ticks: { ...channel.ticks, last } });
    const { depletedAtMs: _, ...served } = session;
    sessions.set(session.id, served);
    actions.push(...session.stations.map(({ mac }) => ({ kind: 'notify', mac }) as const));
  }
  if (actions.length === 0) return { state, actions };
  return { state: { ...state, channels, sessions }, actions: [{ kind: 'reconcile' }, ...actions] };
}

/** The channel with a voucher that is durable; the minute until the next is due begins if it covers all ticks. */
export function withVoucher(channel: LiveChannel, voucher: SignedVoucher, nowMs: number): LiveChannel {
  const { ticks } = channel;
  if (ticks === undefined || voucher.amount < promisedUnits(channel)) return { ...channel, voucher };
  return { ...channel, voucher, ticks: { ...ticks, renewedMs: nowMs } };
}

/** Has the ticks of all channels written that came since the last time: one commit. */
export function storeTicks(state: AgentState): Outcome {
  const channels = new Map(state.channels);
  const actions: AgentAction[] = [];
  for (const channel of state.channels.values()) {
    const { ticks } = channel;
    if (ticks === undefined || ticks.last.index === ticks.storedIndex) continue;
    channels.set(channel.id, { ...channel, ticks: { ...ticks, storedIndex: ticks.last.index } });
    actions.push({ kind: 'store-channel', channelId: channel.id });
  }
  return actions.length === 0 ? { state, actions } : { state: { ...state, channels }, actions };
}
