/**
 * Looks for deposits that nobody told of: of opens that were sent before a crash or while the chain was away, of payers who
 * open with a wallet of their own, and of opens that were given up and mined all the same.
 */

import type { AgentConfig } from '../core/config.ts';
import { coversVoucher, isFunded } from '../core/deposit.ts';
import { type LiveChannel, sessionOfChannel } from '../core/state.ts';
import type { Driver, DriverLog } from '../driver.ts';
import { channelEntry } from '../guest/channel-entries.ts';
import type { Chain, ChainChannel, Clock } from '../ports.ts';
import type { Roaming } from '../roaming-port.ts';

export type OpenWatchDeps = {
  readonly config: { readonly price: Pick<AgentConfig['price'], 'minDeposit'> };
  readonly driver: Pick<Driver, 'state' | 'dispatch' | 'commit'>;
  readonly chain: Pick<Chain, 'channel'>;
  readonly clock: Pick<Clock, 'monotonicMs'>;
  /** Asked of what an old copy of the journal has here. Absent: the owner has no other router. */
  readonly whereabouts?: Roaming['whereabouts'];
  readonly log: DriverLog;
};

/** A pending open is given up after this long without a deposit on chain, unless its payer was given more time. */
const GIVE_UP_MS = 120_000;
/** Between two looks for the deposit of an open that was given up. */
const FAILED_LOOK_MS = 60_000;

export class OpenWatch {
  readonly #deps: OpenWatchDeps;
  readonly #pendingSinceMs = new Map<string, number>();
  readonly #failedSeenMs = new Map<string, number>();

  constructor(deps: OpenWatchDeps) {
    this.#deps = deps;
  }

  /** One look at all of them. An unanswered question changes nothing. */
  async lookUp(): Promise<void> {
    const channels = [...this.#deps.driver.state.channels.values()];
    const pending = channels.filter(({ phase }) => phase === 'pending');
    const failed = channels.filter(({ phase }) => phase === 'failed');
    for (const channel of pending) await this.#lookUpPending(channel);
    for (const channel of failed) await this.#lookUpFailed(channel);
    keepOnly(this.#pendingSinceMs, pending);
    keepOnly(this.#failedSeenMs, failed);
  }

  async #lookUpPending(channel: LiveChannel): Promise<void> {
    const { config, driver, chain, clock } = this.#deps;
    const { id } = channel;
    const sinceMs = this.#pendingSinceMs.get(id) ?? clock.monotonicMs();
    this.#pendingSinceMs.set(id, sinceMs);
    const result = await chain.channel(id);
    if (!result.ok) return;
    if (channel.isStale === true && channel.deposit > 0n) {
      await this.#lookUpStale(channel, result.channel);
      return;
    }
    const giveUpMs = Math.max(sinceMs + GIVE_UP_MS, channel.nextCloseMs);
    // One that was served before, and rolled back, goes on whatever its payer does: what it owes is claimed by its close.
    const isBack = channel.deposit > 0n && coversVoucher(result.channel, channel);
    if (isBack || isFunded(result.channel, channel, config.price.minDeposit)) {
      driver.dispatch({ kind: 'channel-confirmed', channelId: id, ...moneyIn(result.channel) });
    } else if (clock.monotonicMs() > giveUpMs) {
      await this.#giveUp(channel);
    }
  }

  /**
   * An old copy of the journal has it here, with less sold than was: it goes on with what the chain says was claimed, unless it
   * was closed since, or given to a sister.
   */
  async #lookUpStale({ id, voucher }: LiveChannel, seen: ChainChannel): Promise<void> {
    const { driver, whereabouts, log } = this.#deps;
    const confirm = () => driver.dispatch({ kind: 'channel-confirmed', channelId: id, ...moneyIn(seen) });
    const details = { channel: id, claimed: `${seen.claimed}`, voucher: `${voucher.amount}` };
    if (seen.isClosed) {
      const sessionId = driver.state.sessionByChannel.get(id);
      if (sessionId !== undefined) driver.dispatch({ kind: 'session-left', sessionId, reason: 'channel-expiring' });
      confirm();
      return;
    }
    if (!coversVoucher(seen, { voucher })) return;
    const where = (await whereabouts?.(id)) ?? 'here';
    if (where === 'unknown') return;
    log.warn({ ...details, where }, 'stale-channel-found');
    if (where === 'here') confirm();
    else driver.dispatch({ kind: 'channel-elsewhere', channelId: id });
  }

  /** One that was never signed cost nothing: it is no part of what opens may cost, after a restart neither. */
  async #giveUp({ id, isUnsent }: LiveChannel): Promise<void> {
    const { driver } = this.#deps;
    const stations = sessionOfChannel(driver.state, id)?.stations ?? [];
    driver.dispatch({ kind: 'channel-failed', channelId: id });
    if (isUnsent === true) await driver.commit(stations.map(({ mac }) => ({ kind: 'open-refused', mac }) as const));
  }

  /** The deposit came after all: it goes back, less the open fee. Else the journal forgets the open once its time is over. */
  async #lookUpFailed(channel: LiveChannel): Promise<void> {
    const { driver, chain, clock, log } = this.#deps;
    const { id } = channel;
    const seenMs = this.#failedSeenMs.get(id);
    if (seenMs !== undefined && clock.monotonicMs() - seenMs < FAILED_LOOK_MS) return;
    const result = await chain.channel(id);
    if (!result.ok) return;
    this.#failedSeenMs.set(id, clock.monotonicMs());
    if (coversVoucher(result.channel, channel)) {
      log.warn({ channel: id, deposit: `${result.channel.deposit}` }, 'late-deposit');
      driver.dispatch({ kind: 'channel-confirmed', channelId: id, ...moneyIn(result.channel) });
      return;
    }
    if (clock.monotonicMs() < channel.nextCloseMs) return;
    // Asked for anew meanwhile: it lives.
    if (driver.state.channels.get(id)?.phase !== 'failed') return;
    await driver.commit([{ ...channelEntry(channel), kind: 'channel-forgotten' }]);
    driver.dispatch({ kind: 'channel-failed', channelId: id });
  }
}

function moneyIn({ deposit, claimed }: ChainChannel): Pick<ChainChannel, 'deposit' | 'claimed'> {
  return { deposit, claimed };
}

function keepOnly(times: Map<string, number>, channels: readonly LiveChannel[]): void {
  const ids = new Set<string>(channels.map(({ id }) => id));
  for (const id of times.keys()) if (!ids.has(id)) times.delete(id);
}
