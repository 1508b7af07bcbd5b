/** A channel as the journal keeps it: without what is known only while the agent runs; its ticks are an entry of their own. */
import type { LiveChannel } from '../core/state.ts';
import type { JournalEntry } from '../ports.ts';

type ChannelEntry = Extract<JournalEntry, { kind: 'channel' }>;
type TicksEntry = Extract<JournalEntry, { kind: 'ticks' }>;

export function channelEntry(channel: LiveChannel): ChannelEntry {
  const { closeAttempts: _, nextCloseMs: __, ticks: ___, ...kept } = channel;
  return { kind: 'channel', channel: kept };
}

export function channelEntries(channel: LiveChannel): readonly (ChannelEntry | TicksEntry)[] {
  const { ticks } = channel;
  const entry = channelEntry(channel);
  return ticks === undefined ? [entry] : [entry, { kind: 'ticks', voucher: ticks.voucher, last: ticks.last }];
}
