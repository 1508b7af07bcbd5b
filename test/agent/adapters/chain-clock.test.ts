/** The time that sales go by while the router's own clock is not set. */
import t from 'tap';
import { type ChainClock, chainClock } from '../../../agent/adapters/chain-clock.ts';
import type { ChainResult } from '../../../agent/ports.ts';

const CHAIN_S = 1_800_000_000n;

t.test('a clock that is not set takes the time of the chain, and goes on from there', async (t) => {
  const world = clocks({ unixS: 60n, isSynced: false });
  t.strictSame(world.clock.wall(), { unixS: 60n, isSynced: false });
  await world.clock.ask();
  world.nowMs += 2_500;
  t.strictSame(world.clock.wall(), { unixS: CHAIN_S + 2n, isSynced: true, isBorrowed: true });
  t.equal(world.clock.monotonicMs(), world.nowMs);
});

t.test('the own clock counts again once it is set, and the chain is not asked', async (t) => {
  const world = clocks({ unixS: 60n, isSynced: false });
  await world.clock.ask();
  world.own = { unixS: CHAIN_S + 90n, isSynced: true };
  await world.clock.ask();
  t.equal(world.asked, 1);
  t.strictSame(world.clock.wall(), { unixS: CHAIN_S + 90n, isSynced: true });
});

t.test('a chain that does not answer leaves the clock as it is', async (t) => {
  const world = clocks({ unixS: 60n, isSynced: false }, { ok: false, reason: 'unreachable', message: 'away' });
  await world.clock.ask();
  t.strictSame(world.clock.wall(), { unixS: 60n, isSynced: false });
});

type World = {
  own: { unixS: bigint; isSynced: boolean };
  nowMs: number;
  asked: number;
  readonly clock: ChainClock;
};

function clocks(own: { unixS: bigint; isSynced: boolean }, answer?: ChainResult<{ readonly unixS: bigint }>) {
  const world: World = {
    own,
    nowMs: 1_000,
    asked: 0,
    clock: chainClock(
      { monotonicMs: () => world.nowMs, wall: () => world.own },
      {
        time: () => {
          world.asked += 1;
          return Promise.resolve(answer ?? { ok: true, unixS: CHAIN_S });
        },
      },
    ),
  };
  return world;
}
