/**
 * A hill climber that looks for a coalition who gains by paying itself: it may split itself into identities, spread its
 * claims over weeks and a halving, withdraw in as many pieces as it likes, and choose the deployment's terms and what others
 * claim. Gas costs it nothing and time neither, so whatever it finds is worse for it in the world.
 */
import type { Address } from '../../protocol/address.ts';
import { bytesFromUint, hexFromBytes } from '../../protocol/hex.ts';
import {
  type ClaimedLog,
  EPOCH_S,
  type EpochRewards,
  feeOf,
  HALVING_EPOCHS,
  type RewardTerms,
  rewardsOfEpoch,
} from '../../protocol/rewards.ts';

/** What decides who gets what; the search is run against the real one and against broken ones. */
export type Rule = {
  readonly rewards: (epoch: bigint, logs: readonly ClaimedLog[], terms: RewardTerms) => Pick<EpochRewards, 'rewards'>;
  /** Fee on one withdrawal. */
  readonly fee: (amount: bigint, terms: RewardTerms) => bigint;
};

export const REAL_RULE: Rule = {
  rewards: rewardsOfEpoch,
  fee: (amount, { feeBasisPoints }) => feeOf(amount, feeBasisPoints),
};

/** Units claimed, by week and identity; the last identity of a week is everyone else. */
export type Plan = {
  readonly terms: RewardTerms;
  readonly claims: readonly (readonly bigint[])[];
  /** Units of one withdrawal, until all is withdrawn. */
  readonly piece: bigint;
};

export type Found = { readonly plan: Plan; readonly paid: bigint; readonly profit: bigint };

const FIRST_EPOCH = 2959n;
/** The weeks around the first halving, and one before rewards begin. */
const WEEKS = [FIRST_EPOCH - 1n, FIRST_EPOCH, FIRST_EPOCH + HALVING_EPOCHS - 1n, FIRST_EPOCH + HALVING_EPOCHS] as const;
const MEMBERS = 5;
const SUPPLY = 100_000_000_000_000n;
const STEPS = 80;

/** The best plan found from `starts` random ones, each climbed until no step of many helps. */
export function searchCoalition(rule: Rule, seed: number, starts: number): Found {
  const random = mulberry32(seed);
  let best: Found | undefined;
  for (let start = 0; start < starts; start++) {
    let current = judged(randomPlan(random), rule);
    for (let step = 0; step < STEPS; step++) {
      const next = judged(mutated(current.plan, random), rule);
      if (isBetter(next, current)) current = next;
    }
    if (best === undefined || isBetter(current, best)) best = current;
  }
  return best as Found;
}

/** What a plan brings: rewards and what is withdrawn, less what the members paid one another. */
export function judged(plan: Plan, rule: Rule): Found {
  let gained = 0n;
  let paid = 0n;
  for (const [week, claims] of plan.claims.entries()) {
    const epoch = WEEKS[week] as bigint;
    const logs = claims.map((delta, i) => ({ device: deviceOf(i), delta, timestampS: epoch * EPOCH_S }));
    const members = new Set(claims.slice(0, MEMBERS).map((_, i) => deviceOf(i)));
    for (const { device, reward } of rule.rewards(epoch, logs, plan.terms).rewards) {
      if (members.has(device)) gained += reward;
    }
    paid += claims.slice(0, MEMBERS).reduce((sum, delta) => sum + delta, 0n);
  }
  const pieces = paid / plan.piece;
  const fee = pieces * rule.fee(plan.piece, plan.terms) + rule.fee(paid - pieces * plan.piece, plan.terms);
  return { plan, paid, profit: gained - fee };
}

/** Profit for what had to be paid; a plan that pays nothing gains nothing. */
function isBetter(a: Found, b: Found): boolean {
  if (a.paid === 0n || b.paid === 0n) return a.paid > b.paid;
  return a.profit * b.paid > b.profit * a.paid;
}

function randomPlan(random: () => number): Plan {
  return {
    terms: {
      firstEpoch: FIRST_EPOCH,
      feeBasisPoints: BigInt(1 + Math.floor(random() * 2000)),
      growthBasisPoints: random() < 0.5 ? 0n : BigInt(Math.floor(random() * 10_001)),
    },
    claims: WEEKS.map(() => Array.from({ length: MEMBERS + 1 }, () => (random() < 0.4 ? 0n : anyAmount(random)))),
    piece: anyAmount(random) + 1n,
  };
}

function mutated(plan: Plan, random: () => number): Plan {
  const choice = random();
  if (choice < 0.1) return { ...plan, piece: anyAmount(random) + 1n };
  if (choice < 0.2) return { ...plan, terms: randomPlan(random).terms };
  const claims = plan.claims.map((week) => [...week]);
  const place = (): [bigint[], number] => [
    claims[Math.floor(random() * claims.length)] as bigint[],
    Math.floor(random() * (MEMBERS + 1)),
  ];
  const [week, at] = place();
  const [otherWeek, otherAt] = place();
  const here = week[at] as bigint;
  if (choice < 0.4) week[at] = anyAmount(random);
  else if (choice < 0.5) week[at] = 0n;
  else if (choice < 0.7) week[at] = (here * BigInt(1 + Math.floor(random() * 300))) / 100n;
  else {
    // Part of it under another name, or in another week.
    const part = (here * BigInt(Math.floor(random() * 101))) / 100n;
    week[at] = here - part;
    otherWeek[otherAt] = (otherWeek[otherAt] as bigint) + part;
  }
  return { ...plan, claims: claims.map((amounts) => amounts.map((amount) => (amount > SUPPLY ? SUPPLY : amount))) };
}

/** From single units to the whole supply, every order of magnitude alike. */
function anyAmount(random: () => number): bigint {
  return BigInt(Math.floor(10 ** (random() * 14)));
}

function deviceOf(i: number): Address {
  return hexFromBytes(bytesFromUint(BigInt(i + 1), 20));
}

/** 32 bits of state; enough to try plans, and the same on every machine. */
function mulberry32(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let z = Math.imul(state ^ (state >>> 15), 1 | state);
    z = (z + Math.imul(z ^ (z >>> 7), 61 | z)) ^ z;
    return ((z ^ (z >>> 14)) >>> 0) / 4_294_967_296;
  };
}
