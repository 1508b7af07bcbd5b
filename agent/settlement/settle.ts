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
  error(details: object, event: string): void;
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

/** Ends in channel-closed or close-failed, whatever happens: a close that nobody answers for is never tried again. */
export async function closeChannel(deps: SettleDeps, id: LiveChannel['id'], units: bigint): Promise<void> {
  const channel = deps.state().channels.get(id);
  if (channel === undefined) return;
  deps.dispatch(
    await answered(deps, { kind: 'close-failed', channelId: id }, async () => {
      await deps.commitChannel(id);
      return await close(deps, channel, units);
    }),
  );
}

/** Ends in channels-claimed or claim-failed, whatever happens: no other batch is sent before. */
export async function claimChannels(deps: SettleDeps, due: readonly DueClaim[]): Promise<void> {
  const found = due.flatMap(({ channelId, units }) => {
    const channel = deps.state().channels.get(channelId);
    return channel === undefined ? [] : [{ channel, units }];
  });
  deps.dispatch(
    await answered(deps, { kind: 'claim-failed' }, async () => {
      for (const { channelId } of due) await deps.commitChannel(channelId);
      return await claim(deps, found);
    }),
  );
}

/** What `work` comes to; `failed` if it rejects: by a journal that cannot be written, or by a bug. */
async function answered(
  { log }: SettleDeps,
  failed: SettleEvent,
  work: () => Promise<SettleEvent>,
): Promise<SettleEvent> {
  try {
    return await work();
  } catch (err) {
    log.error({ err }, 'settlement-broke-off');
    return failed;
  }
}

async function close(deps: SettleDeps, channel: LiveChannel, units: bigint): Promise<SettleEvent> {
  const { chain, log } = deps;
  const { id } = channel;
  if (units > channel.voucher.amount && !(await claimTicks(deps, channel, units)))
    return { kind: 'close-failed', channelId: id };
  const result = await chain.close(channel.config, channel.voucher, units);
  if (!result.ok) {
    log.warn({ channel: id, reason: result.reason, message: result.message }, 'channel-close-refused');
    return { kind: 'close-failed', channelId: id };
  }
  const { tx, feeWei, claimedUnits } = result;
  const details = { channel: id, units: `${claimedUnits}`, tx, feeWei: `${feeWei}` };
  if (claimedUnits === units) log.info(details, 'channel-closed');
  // By a reclaim while this router was away, or under a later voucher by a sister: what was paid is what counts.
  else log.warn({ ...details, expected: `${units}` }, 'channel-closed');
  return { kind: 'channel-closed', channelId: id, units: claimedUnits, tx, feeWei };
}

type FoundClaim = { readonly channel: LiveChannel; readonly units: bigint };

async function claim(deps: SettleDeps, found: readonly FoundClaim[]): Promise<SettleEvent> {
  const { chain, log } = deps;
  const covered = found.filter(({ channel, units }) => units <= channel.voucher.amount);
  let isEachClaimed = true;
  for (const { channel, units } of found) {
    if (units > channel.voucher.amount) isEachClaimed = (await claimTicks(deps, channel, units)) && isEachClaimed;
  }
  if (covered.length === 0)
    return isEachClaimed ? { kind: 'channels-claimed', claims: [], feeWei: 0n } : { kind: 'claim-failed' };
  const result = await chain.claim(
    covered.map(({ channel: { config, voucher }, units }) => ({ config, voucher, amount: units })),
  );
  if (!result.ok) {
    log.warn({ channels: covered.length, reason: result.reason, message: result.message }, 'claim-refused');
    return { kind: 'claim-failed' };
  }
  const { tx, feeWei } = result;
  log.info({ channels: covered.length, tx, feeWei: feeWei.toString() }, 'channels-claimed');
  const claims = covered.map(({ channel: { id }, units }) => ({ channelId: id, units }));
  return { kind: 'channels-claimed', claims, feeWei };
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
