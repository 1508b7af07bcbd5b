/** Recomputed rewards against what the contracts say. Pure: anyone with the logs gets the same answer. */
import type { Address } from '../protocol/address.ts';
import { type EpochRewards, type RewardTerms, rewardsOfEpoch } from '../protocol/rewards.ts';
import type { TokenAmount } from '../protocol/units.ts';
import type { EpochLedger } from './rewards-ledger.ts';

export type RewardRow = {
  readonly device: Address;
  readonly claimed: TokenAmount;
  readonly reward: TokenAmount;
  /** What was paid out; absent while nobody has asked for it. */
  readonly paid?: TokenAmount;
};

/** One thing that the logs and the contracts do not agree on. */
export type Disagreement = {
  readonly what: string;
  readonly device?: Address;
  readonly recomputed: TokenAmount;
  readonly contract: TokenAmount;
};

export type RewardsCheck = {
  readonly rewards: EpochRewards;
  readonly rows: readonly RewardRow[];
  readonly paidOut: TokenAmount;
  readonly disagreements: readonly Disagreement[];
};

export function checkRewards(ledger: EpochLedger, terms: RewardTerms): RewardsCheck {
  const rewards = rewardsOfEpoch(ledger.epoch, ledger.logs, terms);
  const disagreements: Disagreement[] = [];
  const expect = (what: string, recomputed: bigint, contract: bigint, device?: Address): void => {
    if (recomputed !== contract)
      disagreements.push({ what, recomputed, contract, ...(device === undefined ? {} : { device }) });
  };
  expect('units claimed in the epoch', rewards.claimed, ledger.claimedInEpoch);
  const paidTo = sumByDevice(ledger);
  const rows = rewards.rewards.map(({ device, claimed, reward }): RewardRow => {
    const word = ledger.contract.get(device);
    const paid = paidTo.get(device);
    paidTo.delete(device);
    expect('units claimed for the device', claimed, word?.claimed ?? 0n, device);
    expect('reward', reward, word?.reward ?? 0n, device);
    expect('reward paid out', paid === undefined ? 0n : reward, paid ?? 0n, device);
    expect('paid out or not (1 or 0)', paid === undefined ? 0n : 1n, word?.isPaid === true ? 1n : 0n, device);
    return { device, claimed, reward, ...(paid === undefined ? {} : { paid }) };
  });
  for (const [device, units] of paidTo) expect('reward of a device that claimed nothing', 0n, units, device);
  const paidOut = ledger.paid.reduce((sum, { units }) => sum + units, 0n);
  if (paidOut > rewards.budget) {
    disagreements.push({ what: 'all rewards within the budget', recomputed: rewards.budget, contract: paidOut });
  }
  return { rewards, rows, paidOut, disagreements };
}

function sumByDevice({ paid }: EpochLedger): Map<Address, TokenAmount> {
  const sums = new Map<Address, TokenAmount>();
  for (const { device, units } of paid) sums.set(device, (sums.get(device) ?? 0n) + units);
  return sums;
}
