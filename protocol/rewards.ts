/**
 * Proof of share: what a device gets for an epoch, from chain logs alone. The same integers as contracts/ShareRewards.sol.
 *
 *   R_i = f_i * min(kappa, B_e / sum f),  f_i = phi * P_i,  P_i = units claimed on chain for device i in the epoch
 *
 * Fees leave circulation and rewards are less than them, so nobody gains by paying himself, however many names he takes.
 * All amounts are base units; quotients are rounded down, and what that leaves over (dust) stays in the reserve.
 */
import type { Address } from './address.ts';
import { bytesFromHex, bytesFromUint, concatBytes } from './hex.ts';
import { merkleLeaf } from './merkle.ts';
import type { TokenAmount } from './units.ts';

/** An epoch is a week of Unix time, counted from 1970. */
export const EPOCH_S = 604_800n;
/** B_0: 10.8 million SSP. */
export const FIRST_BUDGET: TokenAmount = 108_173_076_923n;
/** Four years. */
export const HALVING_EPOCHS = 208n;
/** 45 % of the supply: what all budgets together stay below. */
export const REWARD_CAP: TokenAmount = 45_000_000_000_000n;
/** kappa: at most this part of a fee comes back. */
const KAPPA = { numerator: 9n, denominator: 10n } as const;
const BASIS_POINTS = 10_000n;

/** One Claimed event: `delta` units were booked for the device in a block of that time. */
export type ClaimedLog = { readonly device: Address; readonly delta: TokenAmount; readonly timestampS: bigint };

/** What a deployment has fixed for ever. */
export type RewardTerms = {
  /** Epoch with the budget B_0; before it there are no rewards. */
  readonly firstEpoch: bigint;
  /** phi in basis points: ShareChannels.feeBasisPoints. */
  readonly feeBasisPoints: bigint;
  /** Part of each budget that is for the growth stream; 0: there is none. */
  readonly growthBasisPoints: bigint;
};

export type EpochRewards = {
  readonly epoch: bigint;
  /** Units claimed for all devices. */
  readonly claimed: TokenAmount;
  /** Most that usage may cost in this epoch. */
  readonly budget: TokenAmount;
  /** In ascending order of devices. */
  readonly rewards: readonly {
    readonly device: Address;
    readonly claimed: TokenAmount;
    readonly reward: TokenAmount;
  }[];
  /** Sum of the rewards. */
  readonly paid: TokenAmount;
  /** What rounding keeps back: less than one unit a device. */
  readonly dust: TokenAmount;
  /** budget - paid - dust: stays in the reserve. */
  readonly unused: TokenAmount;
};

export function epochOf(timestampS: bigint): bigint {
  return timestampS / EPOCH_S;
}

/** B_e of the epoch-th week; 0 before the first. */
export function epochBudget(epoch: bigint, firstEpoch: bigint): TokenAmount {
  return epoch < firstEpoch ? 0n : FIRST_BUDGET >> ((epoch - firstEpoch) / HALVING_EPOCHS);
}

/** The growth stream's part of B_e. */
export function growthBudget(epoch: bigint, terms: RewardTerms): TokenAmount {
  return (epochBudget(epoch, terms.firstEpoch) * terms.growthBasisPoints) / BASIS_POINTS;
}

/** What is left of B_e for usage. */
export function usageBudget(epoch: bigint, terms: RewardTerms): TokenAmount {
  return epochBudget(epoch, terms.firstEpoch) - growthBudget(epoch, terms);
}

/** What the growth stream may have cost by the end of `epoch`, all epochs together. */
export function growthAllowance(epoch: bigint, terms: RewardTerms): TokenAmount {
  let allowance = 0n;
  for (let first = terms.firstEpoch; first <= epoch; first += HALVING_EPOCHS) {
    const perEpoch = growthBudget(first, terms);
    if (perEpoch === 0n) break;
    const last = first + HALVING_EPOCHS - 1n;
    allowance += perEpoch * ((last < epoch ? last : epoch) - first + 1n);
  }
  return allowance;
}

/** R_i of a device that `claimed` units out of `claimedByAll` were claimed for. */
export function usageReward(
  claimed: TokenAmount,
  claimedByAll: TokenAmount,
  budget: TokenAmount,
  feeBasisPoints: bigint,
): TokenAmount {
  const backNumerator = feeBasisPoints * KAPPA.numerator;
  const backDenominator = BASIS_POINTS * KAPPA.denominator;
  const isWithinBudget = claimedByAll * backNumerator <= budget * backDenominator;
  return isWithinBudget ? (claimed * backNumerator) / backDenominator : (claimed * budget) / claimedByAll;
}

/** The fee on a withdrawal, rounded up as the contract does. Nothing leaves the contract without it. */
export function feeOf(amount: TokenAmount, feeBasisPoints: bigint): TokenAmount {
  return (amount * feeBasisPoints + BASIS_POINTS - 1n) / BASIS_POINTS;
}

/** All rewards of an epoch out of the logs of any time; logs of other epochs and without a device are passed over. */
export function rewardsOfEpoch(epoch: bigint, logs: Iterable<ClaimedLog>, terms: RewardTerms): EpochRewards {
  const claimedBy = claimedByDevice(epoch, logs);
  const devices = [...claimedBy.keys()].sort();
  const claimed = devices.reduce((sum, device) => sum + (claimedBy.get(device) as bigint), 0n);
  const budget = usageBudget(epoch, terms);
  const rewards = devices.map((device) => {
    const own = claimedBy.get(device) as bigint;
    return { device, claimed: own, reward: usageReward(own, claimed, budget, terms.feeBasisPoints) };
  });
  const paid = rewards.reduce((sum, { reward }) => sum + reward, 0n);
  const undivided = claimed === 0n ? 0n : usageReward(claimed, claimed, budget, terms.feeBasisPoints);
  return { epoch, claimed, budget, rewards, paid, dust: undivided - paid, unused: budget - undivided };
}

/** Bond that makes faking a loss: S >= g_max * (1 - p) / p, with p in basis points. @throws RangeError if p is not 1..10000. */
export function requiredBond(maxGrowth: TokenAmount, detectionBasisPoints: bigint): TokenAmount {
  if (detectionBasisPoints < 1n || detectionBasisPoints > BASIS_POINTS) {
    throw new RangeError(`detection probability must be 1..10000 basis points, got ${detectionBasisPoints}`);
  }
  const numerator = maxGrowth * (BASIS_POINTS - detectionBasisPoints);
  return (numerator + detectionBasisPoints - 1n) / detectionBasisPoints;
}

/** Leaf of a growth root: what the device has been granted in all, ever (abi.encode(address, uint256), hashed twice). */
export function growthLeaf(device: Address, cumulative: TokenAmount): Uint8Array {
  return merkleLeaf(concatBytes(new Uint8Array(12), bytesFromHex(device), bytesFromUint(cumulative, 32)));
}

function claimedByDevice(epoch: bigint, logs: Iterable<ClaimedLog>): ReadonlyMap<Address, TokenAmount> {
  const claimedBy = new Map<Address, TokenAmount>();
  for (const { device, delta, timestampS } of logs) {
    if (epochOf(timestampS) !== epoch || BigInt(device) === 0n) continue;
    claimedBy.set(device, (claimedBy.get(device) ?? 0n) + delta);
  }
  return claimedBy;
}
