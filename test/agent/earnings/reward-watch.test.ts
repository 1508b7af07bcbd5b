import t from 'tap';
import type { AgentConfig } from '../../../agent/core/config.ts';
import { gasUnits } from '../../../agent/core/gas.ts';
import { earnings } from '../../../agent/earnings/earnings.ts';
import { RewardWatch } from '../../../agent/earnings/reward-watch.ts';
import type { ProofRecord } from '../../../agent/ports.ts';
import type { RewardsChain } from '../../../agent/rewards-port.ts';
import { EPOCH_S } from '../../../protocol/rewards.ts';
import { FakeClock } from '../../support/fake-clock.ts';
import { NOW_S, testConfig } from '../core/support/story.ts';

const REWARDS = `0x${'66'.repeat(20)}` as const;
const DEVICE = `0x${'d1'.repeat(20)}` as const;
const NOW = NOW_S / EPOCH_S;

type Week = { claimedUnits: bigint; rewardUnits: bigint; isPaid: boolean };

/** A chain that knows these weeks, and how often it was asked about each. */
function scene(weeks: ReadonlyMap<bigint, Week>, changes: (config: AgentConfig) => AgentConfig = (config) => config) {
  const asked: bigint[][] = [];
  const claims: (readonly bigint[])[] = [];
  const logged: string[] = [];
  let failure: string | undefined;
  const chain: RewardsChain = {
    rewardWeeks: (rewards, _device, epochs) => {
      if (rewards !== REWARDS) throw new Error(`asked ${rewards}`);
      asked.push([...epochs]);
      const nothing = { claimedUnits: 0n, rewardUnits: 0n, isPaid: false };
      return Promise.resolve({
        ok: true,
        weeks: epochs.map((epoch) => ({ epoch, ...(weeks.get(epoch) ?? nothing) })),
      });
    },
    claimRewards: (_rewards, _device, epochs) => {
      claims.push(epochs);
      if (failure !== undefined) return Promise.resolve({ ok: false, reason: 'refused', message: failure });
      for (const epoch of epochs) (weeks.get(epoch) as Week).isPaid = true;
      return Promise.resolve({ ok: true, tx: `0x${'01'.repeat(32)}`, feeWei: 1n });
    },
  };
  const config = changes(testConfig((before) => ({ ...before, chain: { ...before.chain, rewards: REWARDS } })));
  const write = (_details: object, message: string) => void logged.push(message);
  const log = { info: write, warn: write, error: write };
  const clock = new FakeClock(NOW_S);
  const watch = new RewardWatch({ config, chain, device: DEVICE, clock, log });
  const fail = (message: string) => {
    failure = message;
  };
  return { watch, asked, claims, logged, config, clock, fail };
}

const week = (rewardUnits: bigint): Week => ({ claimedUnits: rewardUnits * 12n, rewardUnits, isPaid: false });

t.test(
  'a week in which nothing was claimed is known as such: its bytes say so, and not that nobody knows',
  async (t) => {
    const { watch } = scene(new Map());
    t.same(watch.known(), [], 'nothing is known before the chain was asked');
    await watch.look();
    t.same(watch.weeks(), [], 'nothing to show');
    t.match(watch.known()[0], { epoch: NOW, claimedUnits: 0n, state: 'running' });
    const day = (epoch: bigint): ProofRecord => {
      const endS = epoch * EPOCH_S + 60n;
      const proof = { endS, clockState: 1n, bytesUp: 1n, bytesDown: 2n, paid: 5n };
      return { proof, digest: '0x', receipt: { verdict: 'valid', receivedS: endS } } as unknown as ProofRecord;
    };
    const reasons = (epoch: bigint) => {
      const input = { unsigned: [], open: { bytes: 0n, units: 0n }, freeBytesToday: 0n, sessions: [], nowS: NOW_S };
      const { days, weeks } = earnings({ ...input, records: [day(epoch)], weeks: watch.known() }, 30);
      t.same(weeks, [], 'the table of weeks shows none of them');
      return days.flatMap(({ losses }) => losses.map(({ reason }) => reason));
    };
    t.same(reasons(NOW), ['week-running']);
    t.same(reasons(NOW - 2n), ['nothing-claimed']);
  },
);

t.test('finished weeks are claimed in one transaction, the running one is only shown', async (t) => {
  const { watch, claims, logged } = scene(
    new Map([
      [NOW, week(9n)],
      [NOW - 1n, week(9_000_000n)],
      [NOW - 3n, week(7n)],
    ]),
  );
  t.same(watch.weeks(), []);
  await watch.look();
  t.same(claims, [[NOW - 3n, NOW - 1n]]);
  t.match(watch.weeks(), [
    { epoch: NOW, state: 'running', rewardUnits: 9n, claimedUnits: 108n },
    { epoch: NOW - 1n, state: 'paid' },
    { epoch: NOW - 3n, state: 'paid' },
  ]);
  t.ok(logged.includes('rewards-claimed'));
  await watch.look();
  t.equal(claims.length, 1, 'nothing is claimed twice');
});

t.test('what is settled for good is not asked again', async (t) => {
  const { watch, asked } = scene(new Map([[NOW - 1n, week(9_000_000n)]]));
  await watch.look();
  t.equal(asked[0]?.length, 13);
  await watch.look();
  t.same(asked.at(-1), [NOW]);
});

t.test('a reward that is not worth its gas waits for the next week', async (t) => {
  const weeks = new Map([[NOW - 1n, week(1_000n)]]);
  const { watch, claims, config } = scene(weeks, (before) => ({
    ...before,
    price: { ...before.price, openFee: 500n },
  }));
  await watch.look();
  t.same(claims, []);
  t.match(watch.weeks(), [{ state: 'claimable' }]);
  const needed = 20n * gasUnits(62_000n, 500n);
  weeks.set(NOW - 1n, week(needed));
  await watch.look();
  t.same(claims, [[NOW - 1n]], `${needed} units are worth it at a claim ratio of ${config.chain.claimRatio ?? 20}`);
});

t.test('a reward is weighed against gas also where guests are asked no fee', async (t) => {
  const { watch, claims } = scene(new Map([[NOW - 1n, week(1_000n)]]), (before) => ({
    ...before,
    price: { ...before.price, openFee: 0n },
  }));
  await watch.look();
  t.same(claims, []);
});

t.test('a refusal is told, and tried again at the next look', async (t) => {
  const { watch, claims, logged, fail } = scene(new Map([[NOW - 1n, week(9_000_000n)]]));
  fail('NotBound');
  await watch.look();
  await watch.look();
  t.equal(claims.length, 2);
  t.equal(logged.filter((message) => message === 'rewards-not-claimed').length, 2);
  t.match(watch.weeks(), [{ state: 'claimable' }]);
});

t.test('without a contract, or without the time, nothing is asked', async (t) => {
  const without = scene(new Map(), ({ chain: { rewards: _, ...chain }, ...config }) => ({ ...config, chain }));
  await without.watch.look();
  t.same(without.asked, []);
  const unset = scene(new Map());
  unset.clock.isSynced = false;
  await unset.watch.look();
  t.same(unset.asked, []);
});

t.test('a chain that does not answer, or throws, is only logged', async (t) => {
  const { clock, config } = scene(new Map());
  const logged: string[] = [];
  const write = (_details: object, message: string) => void logged.push(message);
  for (const rewardWeeks of [
    () => Promise.resolve({ ok: false as const, reason: 'unreachable' as const, message: 'no answer' }),
    () => Promise.reject(new Error('bug')),
  ]) {
    const claimRewards = () => Promise.reject(new Error('must not be asked'));
    const log = { info: write, warn: write, error: write };
    await new RewardWatch({ config, chain: { rewardWeeks, claimRewards }, device: DEVICE, clock, log }).look();
  }
  t.same(logged, ['rewards-not-read', 'rewards-not-read']);
});

t.test('it looks a minute after the start, and is silent once closed', (t) => {
  const { watch, asked } = scene(new Map());
  watch.start();
  watch.close();
  t.same(asked, []);
  t.end();
});
