/**
 * The growth stream: a part of each budget for attested and bonded devices, by uptime and audits. Who earned what here is the
 * publisher's word, which the auditor may veto; so the input is a file that both can look at, and the rest is arithmetic.
 *
 *   G_i = min(g_max, gamma * B_e * w_i / sum w),  w_i = attested * bonded * uptime * audit score
 *
 * A vendor's quota bounds how many of its devices are granted anything in one epoch, so at most quota * g_max leak when a
 * vendor attests devices that do not exist.
 */
import type { Address } from '../protocol/address.ts';
import type { Hex } from '../protocol/hex.ts';
import { merkleProof, merkleRoot } from '../protocol/merkle.ts';
import { growthAllowance, growthBudget, growthLeaf, type RewardTerms, requiredBond } from '../protocol/rewards.ts';
import type { TokenAmount } from '../protocol/units.ts';

/** What is known of a device for one epoch: chain, collector and auditors together. */
export type GrowthFact = {
  readonly device: Address;
  readonly vendorId: bigint;
  readonly isAttested: boolean;
  readonly bond: TokenAmount;
  /** Part of the epoch that valid proofs cover, in basis points. */
  readonly uptimeBasisPoints: bigint;
  /** What hidden guests found, in basis points. */
  readonly auditBasisPoints: bigint;
};

export type GrowthPolicy = {
  /** g_max: ShareRewards.maxGrowthPerEpoch. */
  readonly maxPerEpoch: TokenAmount;
  /** ShareRewards.growthBond. */
  readonly bond: TokenAmount;
  /** Devices that a vendor may have; a vendor that is missing has none. */
  readonly quotas: ReadonlyMap<bigint, bigint>;
};

export type GrowthGrant = { readonly device: Address; readonly units: TokenAmount; readonly why: GrowthReason };
export type GrowthReason = 'granted' | 'capped' | 'not-attested' | 'bond-too-small' | 'over-quota' | 'no-score';

/** What is proposed on chain, and what each device needs to be paid. */
export type GrowthStatement = {
  readonly throughEpoch: bigint;
  readonly root: Hex;
  readonly total: TokenAmount;
  /** In ascending order of devices. */
  readonly grants: readonly {
    readonly device: Address;
    readonly cumulative: TokenAmount;
    readonly proof: readonly Hex[];
  }[];
};

const BASIS_POINTS = 10_000n;

/**
 * Whether faking is a loss: S >= g_max * (1 - p) / p, where an audit finds a device that fakes with probability p in an epoch.
 *
 * @throws RangeError if the bond is too small for that, with what would do
 */
export function checkDeterrence({ maxPerEpoch, bond }: GrowthPolicy, detectionBasisPoints: bigint): void {
  const needed = requiredBond(maxPerEpoch, detectionBasisPoints);
  if (bond >= needed) return;
  const enough = (maxPerEpoch * BASIS_POINTS + bond + maxPerEpoch - 1n) / (bond + maxPerEpoch);
  throw new RangeError(
    `a device risks a bond of ${bond} units and may get ${maxPerEpoch} a week: where audits find ${detectionBasisPoints} of 10000 that fake, ` +
      `faking pays below a bond of ${needed}. Audit at least ${enough} of 10000, or deploy ShareRewards with that bond.`,
  );
}

/** One epoch's grants, each with its reason. @throws RangeError for a device named twice, or a score above 1 */
export function growthGrants(
  epoch: bigint,
  facts: readonly GrowthFact[],
  terms: RewardTerms,
  policy: GrowthPolicy,
): readonly GrowthGrant[] {
  checkFacts(facts);
  const refusals = new Map<Address, GrowthReason>();
  const used = new Map<bigint, bigint>();
  const weights: { readonly device: Address; readonly weight: bigint }[] = [];
  // The best of a vendor first: where the quota cuts, it must not matter in which order they stand in the file.
  for (const fact of facts.toSorted(byWeight)) {
    const reason = refusalOf(fact, policy, used);
    if (reason === undefined) {
      used.set(fact.vendorId, (used.get(fact.vendorId) ?? 0n) + 1n);
      weights.push({ device: fact.device, weight: weightOf(fact) });
    } else refusals.set(fact.device, reason);
  }
  const all = weights.reduce((sum, { weight }) => sum + weight, 0n);
  const budget = growthBudget(epoch, terms);
  const grants = weights.map(({ device, weight }): GrowthGrant => {
    const share = (budget * weight) / all;
    return share > policy.maxPerEpoch
      ? { device, units: policy.maxPerEpoch, why: 'capped' }
      : { device, units: share, why: 'granted' };
  });
  const refused = [...refusals].map(([device, why]): GrowthGrant => ({ device, units: 0n, why }));
  return [...grants, ...refused].sort(byDevice);
}

/**
 * All grants so far with the new ones added: the root to propose.
 *
 * @throws RangeError if the epoch is not later than the one before, or all grants together cost more than the stream may
 */
export function growthStatement(
  throughEpoch: bigint,
  grants: readonly GrowthGrant[],
  terms: RewardTerms,
  before?: GrowthStatement,
): GrowthStatement {
  if (before !== undefined && throughEpoch <= before.throughEpoch) {
    throw new RangeError(`grants through epoch ${before.throughEpoch} are stated already, got epoch ${throughEpoch}`);
  }
  const cumulative = new Map(before?.grants.map(({ device, cumulative: units }) => [device, units]));
  for (const { device, units } of grants) {
    if (units > 0n) cumulative.set(device, (cumulative.get(device) ?? 0n) + units);
  }
  const entries = [...cumulative].map(([device, units]) => ({ device, units })).sort(byDevice);
  const total = entries.reduce((sum, { units }) => sum + units, 0n);
  const allowance = growthAllowance(throughEpoch, terms);
  if (total > allowance)
    throw new RangeError(`all grants cost ${total}, through epoch ${throughEpoch} at most ${allowance}`);
  const leaves = entries.map(({ device, units }) => growthLeaf(device, units));
  return {
    throughEpoch,
    root: merkleRoot(leaves),
    total,
    grants: entries.map(({ device, units }, i) => ({ device, cumulative: units, proof: merkleProof(leaves, i) })),
  };
}

function refusalOf(
  fact: GrowthFact,
  { bond, quotas }: GrowthPolicy,
  used: ReadonlyMap<bigint, bigint>,
): GrowthReason | undefined {
  if (!fact.isAttested) return 'not-attested';
  if (fact.bond < bond) return 'bond-too-small';
  if (weightOf(fact) === 0n) return 'no-score';
  const isFull = (used.get(fact.vendorId) ?? 0n) >= (quotas.get(fact.vendorId) ?? 0n);
  return isFull ? 'over-quota' : undefined;
}

function weightOf({ uptimeBasisPoints, auditBasisPoints }: GrowthFact): bigint {
  return uptimeBasisPoints * auditBasisPoints;
}

function checkFacts(facts: readonly GrowthFact[]): void {
  const seen = new Set<Address>();
  for (const { device, uptimeBasisPoints, auditBasisPoints } of facts) {
    if (seen.has(device)) throw new RangeError(`device ${device} is named twice`);
    seen.add(device);
    for (const score of [uptimeBasisPoints, auditBasisPoints]) {
      if (score < 0n || score > BASIS_POINTS) {
        throw new RangeError(`scores of ${device} must be 0..${BASIS_POINTS} basis points, got ${score}`);
      }
    }
  }
}

function byWeight(a: GrowthFact, b: GrowthFact): number {
  const difference = weightOf(b) - weightOf(a);
  return difference === 0n ? byDevice(a, b) : Number(difference);
}

function byDevice(a: { readonly device: Address }, b: { readonly device: Address }): number {
  return a.device < b.device ? -1 : 1;
}
