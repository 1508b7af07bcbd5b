/**
 * Follows this device's rewards and claims them once it is worth the gas. Silent without a rewards contract. The reward goes
 * to the device's operator; anyone else may claim it as well, so nothing is lost when this router never does.
 */
import type { Address } from '../../protocol/address.ts';
import { EPOCH_S } from '../../protocol/rewards.ts';
import type { AgentConfig } from '../core/config.ts';
import { gasUnits, openGasUnits } from '../core/gas.ts';
import type { DriverLog } from '../driver.ts';
import type { Clock } from '../ports.ts';
import type { RewardsChain, RewardWeek } from '../rewards-port.ts';
import type { WeekReward } from './earnings.ts';

export type RewardWatchDeps = {
  readonly config: AgentConfig;
  readonly chain: RewardsChain;
  readonly device: Address;
  readonly clock: Clock;
  readonly log: DriverLog;
};

const LOOK_MS = 3_600_000;
/** The router is busy with its start. */
const FIRST_LOOK_MS = 60_000;
/** Older ones are shown no more, and left to `fleet rewards --claim`. */
const WEEKS = 12n;
/** Measured on anvil: one week alone, and each further one. */
const CLAIM_GAS = 62_000n;
const WEEK_GAS = 40_000n;
const DEFAULT_CLAIM_RATIO = 20;

export class RewardWatch {
  readonly #deps: RewardWatchDeps;
  readonly #seen = new Map<bigint, RewardWeek>();
  readonly #timers: NodeJS.Timeout[] = [];
  #looking: Promise<void> | undefined;

  constructor(deps: RewardWatchDeps) {
    this.#deps = deps;
  }

  start(): void {
    this.#timers.push(
      setTimeout(() => void this.look(), FIRST_LOOK_MS),
      setInterval(() => void this.look(), LOOK_MS),
    );
  }

  close(): void {
    for (const timer of this.#timers) clearTimeout(timer);
  }

  /** As `known`, without weeks in which nothing was claimed for the device. */
  weeks(): readonly WeekReward[] {
    return this.known().filter(({ claimedUnits }) => claimedUnits > 0n);
  }

  /** Every week that the chain has been asked about, newest first: that nothing was claimed is known too. */
  known(): readonly WeekReward[] {
    const current = this.#currentEpoch();
    return [...this.#seen.values()]
      .sort((a, b) => (a.epoch > b.epoch ? -1 : 1))
      .map(({ isPaid, ...week }) => {
        const claimable = week.epoch >= current ? 'running' : 'claimable';
        return { ...week, state: isPaid ? 'paid' : claimable };
      });
  }

  /** Asks the chain about weeks that may have changed, and claims what is worth it. Never rejects. */
  look(): Promise<void> {
    this.#looking ??= this.#look()
      .catch((err: unknown) => this.#deps.log.error({ err }, 'rewards-not-read'))
      .finally(() => {
        this.#looking = undefined;
      });
    return this.#looking;
  }

  async #look(): Promise<void> {
    const { config, chain, device, clock, log } = this.#deps;
    const { rewards } = config.chain;
    if (rewards === undefined || !clock.wall().isSynced) return;
    const read = async (epochs: readonly bigint[]): Promise<boolean> => {
      const result = await chain.rewardWeeks(rewards, device, epochs);
      if (result.ok) for (const week of result.weeks) this.#seen.set(week.epoch, week);
      else log.info({ message: result.message }, 'rewards-not-read');
      return result.ok;
    };
    if (!(await read(this.#openEpochs()))) return;
    const due = this.#due();
    if (!isWorthGas(due, config)) return;
    const epochs = due.map(({ epoch }) => epoch);
    const claimed = await chain.claimRewards(rewards, device, epochs);
    const details = { epochs: epochs.join(','), units: sumOf(due).toString() };
    if (claimed.ok) log.info({ ...details, tx: claimed.tx }, 'rewards-claimed');
    else log.warn({ ...details, message: claimed.message }, 'rewards-not-claimed');
    await read(epochs);
  }

  /** Weeks of which not everything is known for good. */
  #openEpochs(): readonly bigint[] {
    const current = this.#currentEpoch();
    const epochs: bigint[] = [];
    for (let epoch = current > WEEKS ? current - WEEKS : 0n; epoch <= current; epoch += 1n) {
      const seen = this.#seen.get(epoch);
      // Paid, or over and empty when it was last looked at: the week before the running one may have grown since.
      const isFinal = seen !== undefined && (seen.isPaid || (seen.claimedUnits === 0n && epoch < current - 1n));
      if (!isFinal) epochs.push(epoch);
    }
    for (const epoch of this.#seen.keys()) if (epoch < current - WEEKS) this.#seen.delete(epoch);
    return epochs;
  }

  #due(): readonly RewardWeek[] {
    const current = this.#currentEpoch();
    return [...this.#seen.values()].filter(({ epoch, rewardUnits, isPaid }) => {
      return epoch < current && rewardUnits > 0n && !isPaid;
    });
  }

  #currentEpoch(): bigint {
    return this.#deps.clock.wall().unixS / EPOCH_S;
  }
}

/** By what one open's gas is worth to the owner, as for the claims of channels. */
function isWorthGas(due: readonly RewardWeek[], { price, chain }: AgentConfig): boolean {
  if (due.length === 0) return false;
  const gas = CLAIM_GAS + WEEK_GAS * BigInt(due.length - 1);
  const worth = gasUnits(gas, openGasUnits(price.openFee, chain.gasWorthUnits));
  return sumOf(due) >= BigInt(chain.claimRatio ?? DEFAULT_CLAIM_RATIO) * worth;
}

function sumOf(due: readonly RewardWeek[]): bigint {
  return due.reduce((sum, { rewardUnits }) => sum + rewardUnits, 0n);
}
