import fc from 'fast-check';
import t from 'tap';
import type { Address } from '../../protocol/address.ts';
import { bytesFromUint, hexFromBytes } from '../../protocol/hex.ts';
import { isUnderRoot, merkleProof, merkleRoot } from '../../protocol/merkle.ts';
import {
  type ClaimedLog,
  EPOCH_S,
  epochBudget,
  epochOf,
  FIRST_BUDGET,
  feeOf,
  growthAllowance,
  growthBudget,
  growthLeaf,
  HALVING_EPOCHS,
  REWARD_CAP,
  type RewardTerms,
  requiredBond,
  rewardsOfEpoch,
  usageBudget,
  usageReward,
} from '../../protocol/rewards.ts';

const TERMS: RewardTerms = { firstEpoch: 2959n, feeBasisPoints: 1000n, growthBasisPoints: 0n };
const EPOCH = TERMS.firstEpoch;
/** Claimed a week at which the budget is just used up: B_0 / (kappa * phi). */
const SATURATION = 1_201_923_076_922n;

const deviceOf = (n: number): Address => hexFromBytes(bytesFromUint(BigInt(n), 20));
const logOf = (device: number, delta: bigint): ClaimedLog => ({
  device: deviceOf(device),
  delta,
  timestampS: EPOCH * EPOCH_S + 1n,
});
/** From single units to weeks that claim a hundred budgets. */
const anyDelta = (): fc.Arbitrary<bigint> =>
  fc.oneof(fc.bigInt(1n, 1000n), fc.bigInt(1n, SATURATION), fc.bigInt(1n, 100n * SATURATION));
const anyLogs = (): fc.Arbitrary<ClaimedLog[]> =>
  fc
    .array(fc.tuple(fc.integer({ min: 1, max: 8 }), anyDelta()), { maxLength: 20 })
    .map((claims) => claims.map(([device, delta]) => logOf(device, delta)));
const anyTerms = (): fc.Arbitrary<RewardTerms> =>
  fc.record({
    firstEpoch: fc.bigInt(EPOCH - 500n, EPOCH),
    feeBasisPoints: fc.bigInt(0n, 2000n),
    growthBasisPoints: fc.bigInt(0n, 10_000n),
  });

t.test('the budget is never exceeded, and every unit of it is paid, dust or unused', (t) => {
  fc.assert(
    fc.property(anyLogs(), anyTerms(), (logs, terms) => {
      const { rewards, paid, dust, unused, budget, claimed } = rewardsOfEpoch(EPOCH, logs, terms);
      t.equal(
        claimed,
        logs.reduce((sum, { delta }) => sum + delta, 0n),
      );
      t.equal(
        paid,
        rewards.reduce((sum, { reward }) => sum + reward, 0n),
      );
      t.ok(paid <= budget && unused >= 0n && dust >= 0n && dust <= BigInt(rewards.length));
      t.equal(paid + dust + unused, budget);
      t.equal(budget + growthBudget(EPOCH, terms), epochBudget(EPOCH, terms.firstEpoch));
    }),
  );
  t.end();
});

type Rule = typeof rewardsOfEpoch;

/** Any members, claims and terms: the coalition's rewards against the fee that it pays on what it claimed. */
function coalitionLoses(rule: Rule) {
  return fc.property(anyLogs(), anyTerms(), fc.integer({ min: 1, max: 255 }), (logs, terms, members) => {
    const { rewards } = rule(EPOCH, logs, terms);
    const coalition = rewards.filter(({ device }) => ((members >> (Number(BigInt(device)) - 1)) & 1) === 1);
    const claimed = coalition.reduce((sum, { claimed: own }) => sum + own, 0n);
    const gained = coalition.reduce((sum, { reward }) => sum + reward, 0n);
    return 10n * gained <= 9n * feeOf(claimed, terms.feeBasisPoints);
  });
}

t.test('no coalition gains: it gets nine tenths of its fee at most, whatever others do', (t) => {
  fc.assert(coalitionLoses(rewardsOfEpoch), { numRuns: 300 });
  t.end();
});

t.test('the same search finds who gains when the whole budget is shared out pro rata', (t) => {
  const proRata: Rule = (epoch, logs, terms) => {
    const fair = rewardsOfEpoch(epoch, logs, terms);
    const rewards = fair.rewards.map((entry) => ({ ...entry, reward: (entry.claimed * fair.budget) / fair.claimed }));
    return { ...fair, rewards };
  };
  t.ok(fc.check(coalitionLoses(proRata), { numRuns: 300 }).failed);
  t.end();
});

t.test('splitting an identity gains nothing, and costs less than a unit a part', (t) => {
  fc.assert(
    fc.property(
      anyDelta(),
      fc.array(fc.bigInt(0n, 1_000_000n), { minLength: 1, maxLength: 5 }),
      anyDelta(),
      (others, shares, own) => {
        const whole = usageReward(own, own + others, FIRST_BUDGET, 1000n);
        const weight = shares.reduce((sum, share) => sum + share, 1n);
        const parts = shares.map((share) => (own * share) / weight);
        parts.push(own - parts.reduce((sum, part) => sum + part, 0n));
        const split = parts.reduce((sum, part) => sum + usageReward(part, own + others, FIRST_BUDGET, 1000n), 0n);
        t.ok(split <= whole && whole - split < BigInt(parts.length));
      },
    ),
  );
  t.end();
});

t.test('a plain week: nine tenths of the fee come back', (t) => {
  const { rewards, unused, dust } = rewardsOfEpoch(EPOCH, [logOf(1, 1_721_336n), logOf(2, 100n)], TERMS);
  t.same(rewards, [
    { device: deviceOf(1), claimed: 1_721_336n, reward: 154_920n },
    { device: deviceOf(2), claimed: 100n, reward: 9n },
  ]);
  t.equal(dust, 0n);
  t.equal(unused, FIRST_BUDGET - 154_929n);
  t.end();
});

t.test('above saturation the budget is shared out', (t) => {
  t.equal(usageReward(SATURATION, SATURATION, FIRST_BUDGET, 1000n), FIRST_BUDGET - 1n);
  t.equal(usageReward(2n * SATURATION, 2n * SATURATION, FIRST_BUDGET, 1000n), FIRST_BUDGET);
  t.equal(usageReward(SATURATION, 2n * SATURATION, FIRST_BUDGET, 1000n), FIRST_BUDGET / 2n);
  t.end();
});

t.test('logs of other weeks, and of channels without a device, count nothing', (t) => {
  const early = { ...logOf(1, 100_000n), timestampS: EPOCH * EPOCH_S - 1n };
  const late = { ...logOf(1, 100_000n), timestampS: (EPOCH + 1n) * EPOCH_S };
  const nobody = logOf(0, 100_000n);
  t.has(rewardsOfEpoch(EPOCH, [early, late, nobody], TERMS), { claimed: 0n, paid: 0n, dust: 0n, rewards: [] });
  t.equal(epochOf(late.timestampS), EPOCH + 1n);
  t.equal(rewardsOfEpoch(EPOCH - 1n, [early], TERMS).paid, 0n);
  t.end();
});

t.test('budgets halve every 208 weeks, and all together stay below 45 % of the supply', (t) => {
  t.equal(epochBudget(EPOCH - 1n, EPOCH), 0n);
  t.equal(epochBudget(EPOCH + HALVING_EPOCHS - 1n, EPOCH), FIRST_BUDGET);
  t.equal(epochBudget(EPOCH + HALVING_EPOCHS, EPOCH), FIRST_BUDGET / 2n);
  t.equal(epochBudget(EPOCH + 40n * HALVING_EPOCHS, EPOCH), 0n);
  let all = 0n;
  for (let era = 0n; era < 40n; era++) all += HALVING_EPOCHS * epochBudget(EPOCH + era * HALVING_EPOCHS, EPOCH);
  t.ok(all <= REWARD_CAP && REWARD_CAP - all < 10_000n);
  t.end();
});

t.test('what growth may have cost is the sum of its weekly parts', (t) => {
  fc.assert(
    fc.property(fc.bigInt(-3n, 1500n), fc.bigInt(0n, 10_000n), (weeks, growthBasisPoints) => {
      const terms = { ...TERMS, growthBasisPoints };
      let sum = 0n;
      for (let epoch = EPOCH; epoch <= EPOCH + weeks; epoch++) sum += growthBudget(epoch, terms);
      t.equal(growthAllowance(EPOCH + weeks, terms), sum);
    }),
    { numRuns: 10 },
  );
  t.equal(usageBudget(EPOCH, { ...TERMS, growthBasisPoints: 10_000n }), 0n);
  t.end();
});

t.test('the bond outweighs what faking gains', (t) => {
  t.equal(requiredBond(500_000n, 500n), 9_500_000n);
  t.equal(requiredBond(1n, 3333n), 3n);
  t.equal(requiredBond(500_000n, 10_000n), 0n);
  for (const p of [0n, 10_001n]) t.throws(() => requiredBond(1n, p), /1\.\.10000 basis points/);
  t.end();
});

t.test('a growth grant is proven by its way up to the root', (t) => {
  const leaves = [1, 2, 3, 4, 5].map((n) => growthLeaf(deviceOf(n), BigInt(n) * 1000n));
  const root = merkleRoot(leaves);
  for (const [i, leaf] of leaves.entries()) t.ok(isUnderRoot(leaf, merkleProof(leaves, i), root));
  t.notOk(isUnderRoot(growthLeaf(deviceOf(1), 1001n), merkleProof(leaves, 0), root));
  t.throws(() => merkleProof(leaves, 5), /no leaf 5 among 5/);
  t.same(merkleProof(leaves.slice(0, 1), 0), []);
  t.end();
});
