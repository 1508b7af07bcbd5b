/**
 * Carries the core's claims and closes to the chain. Before anything is sent, usage and channel are durable: a crash that
 * forgot usage would leave a final claim below what was claimed already, and the contract would refuse to close.
 */

import type { DueClaim } from '../core/chain-facts.ts';
import type { AgentEvent } from '../core/events.ts';
import type { AgentState, LiveChannel } from '../core/state.ts';
import type { Chain } from '../ports.ts';

type Log = {
  info(details: object, event: string): void;
  warn(details: object, event: string): void;
};

export type SettleDeps = {
  readonly chain: Chain;
  readonly log: Log;
  readonly state: () => AgentState;
  /** Stores a channel and its session as they are now. @throws the journal's error */
  readonly commitChannel: (id: LiveChannel['id']) => Promise<void>;
  readonly dispatch: (event: SettleEvent) => void;
};

type SettleEvent<E = AgentEvent> = E extends {
  kind: 'channel-closed' | 'close-failed' | 'channels-claimed' | 'claim-failed' | 'ticks-claimed' | 'ticks-refused';
}
  ? Omit<E, 'nowMs'>
  : never;

export async function closeChannel(deps: SettleDeps, id: LiveChannel['id'], units: bigint): Promise<void> {
  const { chain, log, dispatch } = deps;
  const channel = deps.state().channels.get(id);
  if (channel === undefined) return;
  try {
    await deps.commitChannel(id);
  } catch {
    dispatch({ kind: 'close-failed', channelId: id });
    return;
  }
  if (units > channel.voucher.amount && !(await claimTicks(deps, channel, units))) {
    dispatch({ kind: 'close-failed', channelId: id });
    return;
  }
  const result = await chain.close(channel.config, channel.voucher, units);
  if (result.ok) {
    const { tx, feeWei } = result;
    log.info({ channel: id, units: units.toString(), tx, feeWei: feeWei.toString() }, 'channel-closed');
    dispatch({ kind: 'channel-closed', channelId: id, units, tx, feeWei });
    return;
  }
  log.warn({ channel: id, reason: result.reason, message: result.message }, 'channel-close-refused');
  dispatch({ kind: 'close-failed', channelId: id });
}

export async function claimChannels(deps: SettleDeps, due: readonly DueClaim[]): Promise<void> {
  const { chain, log, dispatch } = deps;
  const found = due.flatMap(({ channelId, units }) => {
    const channel = deps.state().channels.get(channelId);
    return channel === undefined ? [] : [{ channel, units }];
  });
  try {
    for (const { channelId } of due) await deps.commitChannel(channelId);
  } catch {
    dispatch({ kind: 'claim-failed' });
    return;
  }
  const covered = found.filter(({ channel, units }) => units <= channel.voucher.amount);
  let isEachClaimed = true;
  for (const { channel, units } of found) {
    if (units > channel.voucher.amount) isEachClaimed = (await claimTicks(deps, channel, units)) && isEachClaimed;
  }
  if (covered.length === 0) {
    dispatch(isEachClaimed ? { kind: 'channels-claimed', claims: [], feeWei: 0n } : { kind: 'claim-failed' });
    return;
  }
  const result = await chain.claim(
    covered.map(({ channel: { config, voucher }, units }) => ({ config, voucher, amount: units })),
  );
  if (result.ok) {
    const { tx, feeWei } = result;
    log.info({ channels: covered.length, tx, feeWei: feeWei.toString() }, 'channels-claimed');
    const claims = covered.map(({ channel: { id }, units }) => ({ channelId: id, units }));
    dispatch({ kind: 'channels-claimed', claims, feeWei });
    return;
  }
  log.warn({ channels: covered.length, reason: result.reason, message: result.message }, 'claim-refused');
  dispatch({ kind: 'claim-failed' });
}

/** Under the channel's ticks, which are durable by now; true once `units` are claimed in all. */
async function claimTicks(deps: SettleDeps, channel: LiveChannel, units: bigint): Promise<boolean> {
  const { chain, log, dispatch } = deps;
  const { id, config, ticks } = channel;
  // Refused before, and claimed in another way since: the chain says what a close may ask for.
  if (ticks === undefined) return true;
  const result = await chain.claimTicks({ config, ticks, amount: units });
  if (result.ok) {
    const { tx, feeWei } = result;
    log.info({ channel: id, units: units.toString(), tx, feeWei: feeWei.toString() }, 'ticks-claimed');
    dispatch({ kind: 'ticks-claimed', channelId: id, units, feeWei });
    return true;
  }
  log.warn({ channel: id, reason: result.reason, message: result.message }, 'tick-claim-refused');
  if (result.reason === 'refused') dispatch({ kind: 'ticks-refused', channelId: id });
  return false;
}
