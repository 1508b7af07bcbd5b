/** Plan after plan, the differences made one after another leave exactly what the last plan says. */
import fc from 'fast-check';
import t from 'tap';
import {
  GRANT_SETS,
  isCounterSet,
  parseQuotaName,
  QUOTA_MAPS,
  quotaName,
} from '../../../../agent/adapters/nft/layout.ts';
import { isDiffEmpty } from '../../../../agent/adapters/nft/plan-diff.ts';
import { elementId, elementsFromGrant, ratesFromGrant } from '../../../../agent/adapters/nft/render-grant.ts';
import type { SessionGrant } from '../../../../agent/core/model.ts';
import { firstDiff, grant, PlanFollower, station } from '../../../support/nft-grants.ts';
import { NftModel } from '../../../support/nft-model.ts';

const ADDRESSES = ['192.168.77.20', '192.168.77.21', '2001:db8:77:1::20', '2001:db8:77:1::21', 'fe80::1'];
const MACS = ['aa:bb:cc:00:00:01', 'aa:bb:cc:00:00:02', 'aa:bb:cc:00:00:03', 'aa:bb:cc:00:00:04'];

type Step = { readonly plan: readonly SessionGrant[]; readonly renew: ReadonlySet<number> };

const anyStation = fc
  .record({
    mac: fc.constantFrom(...MACS),
    addresses: fc.uniqueArray(fc.constantFrom(...ADDRESSES)),
    port: fc.constantFrom(undefined, 'phy0-ap1', 'phy1-ap1'),
  })
  .map(({ mac, addresses, port }) => station(mac, addresses, port));

const anyGrant = fc
  .record({
    sessionId: fc.integer({ min: 1, max: 4 }),
    stations: fc.uniqueArray(anyStation, { maxLength: 3, selector: ({ mac }) => mac }),
    limitBytes: fc.bigInt({ min: 1n, max: 5n }),
    isOnline: fc.boolean(),
    rate: fc.constantFrom(undefined, 1_000n, 2_000n),
    isTrial: fc.boolean(),
  })
  .map(({ sessionId, stations, rate, isTrial, ...rest }) => {
    const limits = rate === undefined ? {} : { rate: { downBytesPerS: rate, upBytesPerS: 500n } };
    return grant(sessionId, stations, { ...rest, ...limits, ...(isTrial ? { isTrial } : {}) });
  });

const anyStep: fc.Arbitrary<Step> = fc.record({
  plan: fc.uniqueArray(anyGrant, { maxLength: 4, selector: ({ sessionId }) => sessionId }),
  renew: fc.uniqueArray(fc.integer({ min: 1, max: 4 })).map((ids) => new Set(ids)),
});

/** What is wrong with the model under the plan; nothing if it is exactly what the plan says. */
function faults(model: NftModel, plan: readonly SessionGrant[]): string[] {
  const found: string[] = [];
  const quotas = new Map([...model.quotas].map(([name, bytes]) => [parseQuotaName(name)?.sessionId, { name, bytes }]));
  if (model.quotas.size !== plan.length) found.push(`quotas ${[...model.quotas.keys()]}`);
  const wanted = new Map<string, Set<string>>();
  for (const one of plan) {
    const quota = quotas.get(one.sessionId);
    if (quota?.bytes !== Number(one.limitBytes)) found.push(`limit of ${one.sessionId} is ${quota?.bytes}`);
    for (const element of elementsFromGrant(one, quota?.name ?? '')) {
      const value = isCounterSet(element.set) ? `session ${one.sessionId}` : element.value;
      const id = elementId(element);
      wanted.set(id, (wanted.get(id) ?? new Set()).add(value));
    }
  }
  for (const [id, { value, comment }] of model.elements) {
    const held = id.startsWith('count_') ? `session ${comment.split(' ', 1)[0]}` : value;
    if (wanted.get(id)?.has(held) !== true) found.push(`${id} ${held} stays`);
  }
  for (const id of wanted.keys()) if (!model.elements.has(id)) found.push(`${id} is missing`);
  const rates = plan.flatMap((one) => [...ratesFromGrant(one).keys()]).sort();
  if (rates.join() !== [...model.rates].sort().join()) found.push(`rates ${[...model.rates]}`);
  return found;
}

t.test('random plans one after another leave exactly the last plan’s elements, quotas and rates', (t) => {
  fc.assert(
    fc.property(fc.array(anyStep, { minLength: 1, maxLength: 8 }), (steps) => {
      const model = new NftModel();
      const follower = new PlanFollower();
      for (const { plan, renew } of [...steps, { plan: [], renew: new Set<number>() }]) {
        for (const transaction of follower.follow(plan, renew)) model.apply(transaction);
        t.same(faults(model, plan), []);
        t.same(follower.follow(plan), [], 'the same plan again changes nothing');
      }
      t.equal(model.elements.size + model.quotas.size + model.rates.size, 0, 'nothing of a gone session stays');
    }),
    { numRuns: 300 },
  );
  t.end();
});

t.test(
  'a trial that is paid for changes maps in one transaction: nothing of it is stopped, no counter is lost',
  (t) => {
    const follower = new PlanFollower();
    const stations = [station(MACS[0] as string, ['192.168.77.20', '2001:db8:77:1::20'])];
    const rate = { downBytesPerS: 1_000n, upBytesPerS: 500n };
    follower.follow([grant(1, stations, { isTrial: true, rate })]);
    const paid = follower.diff([grant(1, stations, { limitBytes: 9_000_000n })]);
    t.same([paid.stop, paid.lost], [[], []]);
    t.same(paid.add.map(({ element }) => element.set).sort(), ['down4', 'down6', 'up4', 'up6']);
    t.same(paid.oldRates.length, 2, 'its slice of the line is given back');
    follower.follow([grant(1, stations, { limitBytes: 9_000_000n })]);
    t.same(follower.diff([grant(1, stations, { isTrial: true, rate })]).stop, [], 'and back');
    t.same(follower.diff([]).stop.length, 4, 'one that ends is stopped');
    t.end();
  },
);

t.test('a session that goes is stopped before its counters go, and their last readings are due', (t) => {
  const follower = new PlanFollower();
  follower.follow([grant(1, [station(MACS[0] as string, ['192.168.77.20'])])]);
  const diff = follower.diff([]);
  t.same(diff.stop.map(({ set }) => set).sort(), ['down4', 'up4']);
  t.ok(diff.remove.every(({ set }) => !(QUOTA_MAPS as readonly string[]).includes(set)));
  t.same(diff.lost.map(({ key }) => key).sort(), ['down:192.168.77.20', `up:${MACS[0]}`]);
  t.same([diff.gone, diff.oldQuotas], [[1], ['q1_1']]);
  t.end();
});

t.test('a renewed quota is another one, and the session’s counters stay', (t) => {
  const follower = new PlanFollower();
  const one = grant(1, [station(MACS[0] as string, ['192.168.77.20'])]);
  follower.follow([one]);
  const diff = follower.diff([one], new Set([1]));
  t.match(diff.newQuotas, [{ round: 2 }]);
  t.same([diff.oldQuotas, diff.lost, diff.changedQuotas], [[quotaName(1, 1)], [], []]);
  t.end();
});

t.test('a top-up changes the quota and nothing else', (t) => {
  const follower = new PlanFollower();
  const one = grant(1, [station(MACS[0] as string, ['192.168.77.20'])]);
  follower.follow([one]);
  const { changedQuotas, add, stop, remove } = follower.diff([{ ...one, limitBytes: 2_000_000n }]);
  t.match(changedQuotas, [{ round: 1 }]);
  t.same([add, stop, remove], [[], [], []]);
  t.equal(isDiffEmpty(follower.diff([{ ...one, usedBytes: 5n }])), true, 'what was used is no change');
  t.end();
});

t.test('what does not fit into a set is left out, the rest of the session is served', (t) => {
  const { capacity } = GRANT_SETS.count_down4;
  const addresses = Array.from({ length: capacity + 1 }, (_, i) => `10.1.${i >> 8}.${i & 255}`);
  const diff = firstDiff([grant(1, [station(MACS[0] as string, [...addresses, '2001:db8::1'])])]);
  t.same(diff.leftOut.map(({ set }) => set).sort(), ['arp_home', 'count_down4', 'down4', 'up4']);
  t.ok(diff.add.some(({ element }) => element.key === '2001:db8::1'));
  t.equal(diff.changed[0]?.grant, undefined, 'so that it is tried again');
  t.end();
});
