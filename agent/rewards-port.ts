/** What the agent asks of ShareRewards: answered by the chain adapter where the owner has named such a contract. */
import type { Address } from '../protocol/address.ts';
import type { TokenAmount } from '../protocol/units.ts';
import type { ChainResult, ChainTx } from './ports.ts';

export type RewardWeek = {
  readonly epoch: bigint;
  /** Claimed on chain for the device in that week. */
  readonly claimedUnits: TokenAmount;
  readonly rewardUnits: TokenAmount;
  readonly isPaid: boolean;
};

export type RewardsChain = {
  /** `rewards`: the contract. */
  rewardWeeks(
    rewards: Address,
    device: Address,
    epochs: readonly bigint[],
  ): Promise<ChainResult<{ readonly weeks: readonly RewardWeek[] }>>;
  claimRewards(rewards: Address, device: Address, epochs: readonly bigint[]): Promise<ChainResult<ChainTx>>;
};
