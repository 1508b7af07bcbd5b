import t from 'tap';
import { type ClaimedLog, type RewardTerms, rewardsOfEpoch, usageBudget } from '../../protocol/rewards.ts';
import { judged, REAL_RULE, type Rule, searchCoalition } from './coalition-search.ts';

const STARTS = 20;
const SEEDS = [1, 2, 3];

/** The real rule with every reward changed. */
function withRewards(
  change: (
    own: { claimed: bigint; reward: bigint },
    week: { claimed: bigint; terms: RewardTerms; budget: bigint },
  ) => bigint,
): Rule {
  return {
    ...REAL_RULE,
    rewards: (epoch, logs: readonly ClaimedLog[], terms) => {
      const { rewards, claimed } = rewardsOfEpoch(epoch, logs, terms);
      const week = { claimed, terms, budget: usageBudget(epoch, terms) };
      return { rewards: rewards.map((own) => ({ ...own, reward: change(own, week) })) };
    },
  };
}

const BROKEN: Readonly<Record<string, Rule>> = {
  'kappa is 1.1': withRewards(({ claimed }, week) => {
    const wanted = (claimed * week.terms.feeBasisPoints * 11n) / 100_000n;
    const all = (week.claimed * week.terms.feeBasisPoints * 11n) / 100_000n;
    return all <= week.budget || week.claimed === 0n ? wanted : (claimed * week.budget) / week.claimed;
  }),
  'fees are shared out among those who claimed, not burned': withRewards(
    ({ claimed, reward }, week) => reward + (claimed * week.terms.feeBasisPoints) / 10_000n,
  ),
  'the whole budget is shared out pro rata': withRewards(({ claimed }, week) =>
    week.claimed === 0n ? 0n : (claimed * week.budget) / week.claimed,
  ),
  'the fee on a withdrawal is rounded down': {
    ...REAL_RULE,
    fee: (amount, { feeBasisPoints }) => (amount * feeBasisPoints) / 10_000n,
  },
};

t.test('the search finds no coalition that gains by the real rule', (t) => {
  for (const seed of SEEDS) {
    const { profit, paid, plan } = searchCoalition(REAL_RULE, seed, STARTS);
    t.ok(paid > 0n, 'it did pay itself');
    t.ok(profit < 0n, `seed ${seed}: at best ${profit} for ${paid} units, fee ${plan.terms.feeBasisPoints} bp`);
    // kappa: a tenth of the fee is lost for good, so the best there is loses a tenth of the lowest fee.
    t.ok(-profit * 10n * 10_000n >= paid * plan.terms.feeBasisPoints);
  }
  t.end();
});

for (const [what, rule] of Object.entries(BROKEN)) {
  t.test(`the same search finds who gains when ${what}`, (t) => {
    const found = searchCoalition(rule, 1, STARTS);
    t.ok(found.profit > 0n, `gains ${found.profit} for ${found.paid}`);
    t.ok(judged(found.plan, REAL_RULE).profit < 0n, 'and the same plan loses by the real rule');
    t.end();
  });
}

t.test('the same seed finds the same plan', (t) => {
  t.same(searchCoalition(REAL_RULE, 9, 2), searchCoalition(REAL_RULE, 9, 2));
  t.end();
});
