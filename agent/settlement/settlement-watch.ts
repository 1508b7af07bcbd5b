/**
 * Looks after what was sent to the chain: transactions that may be lost, stuck or rolled back, and the coin to pay for the
 * next ones. Silent while there is neither a channel nor a transaction: an idle router asks no node for anything.
 */
import type { Driver, DriverLog } from '../driver.ts';
import type { Chain } from '../ports.ts';

export type SettlementWatchDeps = {
  readonly driver: Pick<Driver, 'state' | 'dispatch'>;
  readonly chain: Pick<Chain, 'tend' | 'costs'>;
  /** Asks the chain for the time while the router does not know it. */
  readonly askTime: () => Promise<void>;
  readonly log: DriverLog;
};

/** Half of what counts as stuck, so that one look finds it young and the next one old enough. */
const TEND_MS = 15_000;
const COSTS_MS = 60_000;

export class SettlementWatch {
  readonly #deps: SettlementWatchDeps;
  readonly #timers: NodeJS.Timeout[] = [];
  #isTending = false;
  #isAsking = false;

  constructor(deps: SettlementWatchDeps) {
    this.#deps = deps;
  }

  /** First what a crash may have left unsent. */
  start(): void {
    this.#timers.push(
      setInterval(() => void this.tend(), TEND_MS),
      setInterval(() => void this.askCosts(), COSTS_MS),
    );
    void this.tend();
    void this.askCosts();
  }

  close(): void {
    for (const timer of this.#timers) clearInterval(timer);
  }

  async tend(): Promise<void> {
    if (this.#isTending) return;
    this.#isTending = true;
    try {
      const result = await this.#deps.chain.tend();
      if (!result.ok) this.#deps.log.info({ message: result.message }, 'transactions-not-tended');
    } catch (err) {
      this.#deps.log.error({ err }, 'tending-failed');
    } finally {
      this.#isTending = false;
    }
  }

  async askCosts(): Promise<void> {
    const { driver, chain, log, askTime } = this.#deps;
    if (this.#isAsking) return;
    this.#isAsking = true;
    try {
      await askTime();
      if (driver.state.sessionByChannel.size === 0) return;
      const result = await chain.costs();
      if (result.ok) {
        const { balanceWei, gasPriceWei } = result;
        driver.dispatch({ kind: 'costs-seen', costs: { balanceWei, gasPriceWei } });
      }
    } catch (err) {
      log.error({ err }, 'costs-not-read');
    } finally {
      this.#isAsking = false;
    }
  }
}
