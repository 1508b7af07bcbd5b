/**
 * Carries the core's claims and closes to the chain. Before anything is sent, usage and channel are durable: a crash that
 * forgot usage would leave a final claim below what was claimed already, and the contract would refuse to close.
 */

import type { DueClaim } from './core/chain-facts.ts';
import type { AgentEvent } from './core/events.ts';
import type { AgentState, LiveChannel } from './core/state.ts';
import type { Chain } from './ports.ts';

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
  kind: 'channel-closed' | 'close-failed' | 'channels-claimed' | 'claim-failed';
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
  const claims = due.flatMap(({ channelId, units }) => {
    const channel = deps.state().channels.get(channelId);
    return channel === undefined ? [] : [{ config: channel.config, voucher: channel.voucher, amount: units }];
  });
  try {
    for (const { channelId } of due) await deps.commitChannel(channelId);
  } catch {
    dispatch({ kind: 'claim-failed' });
    return;
  }
  const result = await chain.claim(claims);
  if (result.ok) {
    const { tx, feeWei } = result;
    log.info({ channels: due.length, tx, feeWei: feeWei.toString() }, 'channels-claimed');
    dispatch({ kind: 'channels-claimed', claims: due, feeWei });
    return;
  }
  log.warn({ channels: due.length, reason: result.reason, message: result.message }, 'claim-refused');
  dispatch({ kind: 'claim-failed' });
}
