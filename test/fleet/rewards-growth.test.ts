import fc from 'fast-check';
import t from 'tap';
import { type GrowthFact, type GrowthPolicy, growthGrants, growthStatement } from '../../fleet/rewards-growth.ts';
import type { Address } from '../../protocol/address.ts';
import { bytesFromUint, hexFromBytes } from '../../protocol/hex.ts';
import { isUnderRoot } from '../../protocol/merkle.ts';
import { growthAllowance, growthBudget, growthLeaf, type RewardTerms } from '../../protocol/rewards.ts';

const EPOCH = 2960n;
const TERMS: RewardTerms = { firstEpoch: EPOCH, feeBasisPoints: 1000n, growthBasisPoints: 1000n };
const POLICY: GrowthPolicy = { maxPerEpoch: 500_000n, bond: 9_500_000n, quotas: new Map([[1n, 2n]]) };

const deviceOf = (n: number): Address => hexFromBytes(bytesFromUint(BigInt(n), 20));
const fact = (n: number, changes: Partial<GrowthFact> = {}): GrowthFact => ({
  device: deviceOf(n),
  vendorId: 1n,
  isAttested: true,
  bond: 9_500_000n,
  uptimeBasisPoints: 10_000n,
  auditBasisPoints: 10_000n,
  ...changes,
});

t.test('each device is told why it gets what it gets', (t) => {
  const facts = [
    fact(1),
    fact(2, { isAttested: false }),
    fact(3, { bond: 9_499_999n }),
    fact(4, { auditBasisPoints: 0n }),
    fact(5, { uptimeBasisPoints: 5_000n }),
    fact(6, { uptimeBasisPoints: 100n }),
    fact(7, { vendorId: 2n }),
  ];
  t.strictSame(
    growthGrants(EPOCH, facts, TERMS, POLICY).map(({ units, why }) => [units, why]),
    [
      [500_000n, 'capped'],
      [0n, 'not-attested'],
      [0n, 'bond-too-small'],
      [0n, 'no-score'],
      [500_000n, 'capped'],
      [0n, 'over-quota'],
      [0n, 'over-quota'],
    ],
  );
  const roomy = { ...POLICY, maxPerEpoch: 10n ** 14n };
  const shares = growthGrants(EPOCH, [fact(1), fact(5, { uptimeBasisPoints: 5_000n })], TERMS, roomy);
  const budget = growthBudget(EPOCH, TERMS);
  t.strictSame(
    shares.map(({ units }) => units),
    [(budget * 2n) / 3n, budget / 3n],
  );
  t.throws(() => growthGrants(EPOCH, [fact(1), fact(1)], TERMS, POLICY), /named twice/);
  t.throws(() => growthGrants(EPOCH, [fact(1, { auditBasisPoints: 10_001n })], TERMS, POLICY), /0\.\.10000/);
  t.same(growthGrants(EPOCH, [], TERMS, POLICY), []);
  t.end();
});

t.test('within the budget, within quota times cap, and in any order of the file', (t) => {
  const anyFacts = fc.array(
    fc.record({
      vendorId: fc.bigInt(1n, 3n),
      isAttested: fc.boolean(),
      bond: fc.constantFrom(0n, 9_500_000n, 10n ** 12n),
      uptimeBasisPoints: fc.bigInt(0n, 10_000n),
      auditBasisPoints: fc.bigInt(0n, 10_000n),
    }),
    { maxLength: 12 },
  );
  const anyPolicy = fc.record({ cap: fc.bigInt(0n, 10n ** 13n), quota: fc.bigInt(0n, 5n) });
  fc.assert(
    fc.property(anyFacts, anyPolicy, (drawn, { cap, quota }) => {
      const facts = drawn.map((values, i) => fact(i + 1, values));
      const policy = { ...POLICY, maxPerEpoch: cap, quotas: new Map([1n, 2n].map((vendor) => [vendor, quota])) };
      const grants = growthGrants(EPOCH, facts, TERMS, policy);
      t.equal(grants.length, facts.length);
      t.ok(grants.reduce((sum, { units }) => sum + units, 0n) <= growthBudget(EPOCH, TERMS));
      for (const vendorId of [1n, 2n, 3n]) {
        const own = new Set(facts.filter((one) => one.vendorId === vendorId).map(({ device }) => device));
        const paid = grants.filter(({ device }) => own.has(device)).reduce((sum, { units }) => sum + units, 0n);
        t.ok(paid <= (vendorId === 3n ? 0n : quota) * cap);
      }
      t.same(growthGrants(EPOCH, facts.toReversed(), TERMS, policy), grants);
    }),
    { numRuns: 60 },
  );
  t.end();
});

t.test('statements add up, prove each device, and never cost more than the stream may', (t) => {
  const first = growthStatement(EPOCH, growthGrants(EPOCH, [fact(1), fact(2)], TERMS, POLICY), TERMS);
  const later = growthStatement(EPOCH + 1n, growthGrants(EPOCH + 1n, [fact(2), fact(3)], TERMS, POLICY), TERMS, first);
  t.strictSame(
    later.grants.map(({ cumulative }) => cumulative),
    [500_000n, 1_000_000n, 500_000n],
  );
  t.equal(later.total, 2_000_000n);
  for (const { device, cumulative, proof } of later.grants) {
    t.ok(isUnderRoot(growthLeaf(device, cumulative), proof, later.root));
    t.notOk(isUnderRoot(growthLeaf(device, cumulative + 1n), proof, later.root));
  }
  t.throws(() => growthStatement(EPOCH + 1n, [], TERMS, later), /stated already/);
  const allowance = growthAllowance(EPOCH, TERMS);
  const greedy = [{ device: deviceOf(1), units: allowance + 1n, why: 'granted' }] as const;
  t.throws(() => growthStatement(EPOCH, greedy, TERMS), new RegExp(`at most ${allowance}`));
  t.end();
});
