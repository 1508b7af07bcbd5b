/** What only ticks have promised: when it is claimed on chain, and what comes of it. */
import t from 'tap';
import { claimableUnits } from '../../../agent/core/account.ts';
import type { AgentEvent } from '../../../agent/core/events.ts';
import { handle } from '../../../agent/core/handle.ts';
import { openShares } from '../../../agent/core/open-shares.ts';
import { claimIntervalSeconds } from '../../../agent/core/settlement.ts';
import type { AgentState, LiveChannel } from '../../../agent/core/state.ts';
import { CONFIG, idOf, READY_MS, ticked, world } from './support/settlement-world.ts';
import { NOW_S } from './support/story.ts';
import { type TestChain, testTicks } from './support/tick-voucher.ts';

t.test('what only ticks cover is claimed where it is worth a transaction of its own', (t) => {
  // claimTicks is 80k gas: 37 units by this owner's measure, 740 at a ratio of twenty.
  const chain = testTicks({ tickValue: 100n, channelId: idOf(0) });
  const claimOf = (charged: bigint, expiry?: bigint) => {
    const channel = { voucher: 1_050n, ...(expiry === undefined ? {} : { expiry }) };
    const [action] = ticked(ticking(world({ charged: [charged], ...channel }), chain, 10), READY_MS);
    return action?.kind === 'claim-channels' ? action.claims[0]?.units : undefined;
  };
  t.equal(claimOf(1_050n + 740n), 1_050n, '740 units bring no more than twenty times the gas');
  t.equal(claimOf(1_050n + 760n), 1_810n);
  t.equal(claimOf(9_000n), 2_050n, 'not more than ten ticks');
  const near = NOW_S + BigInt(CONFIG.chain.marginSeconds) + BigInt(claimIntervalSeconds(600));
  t.equal(claimOf(1_050n + 37n, near), 1_050n);
  t.equal(claimOf(1_050n + 38n, near), 1_088n, 'before the margin, whatever brings more than its gas');
  t.end();
});

t.test('a final claim rests on ticks where they bring more than their gas; a proof never does', (t) => {
  const chain = testTicks({ channelId: idOf(0) });
  const end = (charged: bigint, index: number) => {
    const state = ticking(world({ charged: [charged], phase: 'closing' }), chain, index);
    const sessions = new Map([...state.sessions].map(([id, session]) => [id, { ...session, ended: 'owner' as const }]));
    const event: AgentEvent = { kind: 'reconciled', served: new Set(), counters: [], nowMs: 5 };
    const done = handle({ ...state, sessions }, event, CONFIG);
    const close = done.actions.find(({ kind }) => kind === 'close-channel');
    const proven = openShares(done.state).reduce((sum, { units, session }) => sum + units + session.proven.units, 0n);
    return { units: close?.kind === 'close-channel' ? close.units : undefined, proven };
  };
  t.strictSame(end(1_100n, 9), { units: 1_100n, proven: 1_050n });
  t.strictSame(end(1_087n, 9), { units: 1_050n, proven: 1_050n }, '37 units are not worth the gas');
  t.strictSame(end(800n, 9), { units: 800n, proven: 800n });
  t.end();
});

t.test('ticks of a channel that was opened for no fee are weighed by what gas usually costs', (t) => {
  const { channels } = ticking(world({ charged: [1_050n] }), testTicks({ tickValue: 100n, channelId: idOf(0) }), 10);
  const [paying] = channels.values();
  if (paying === undefined) throw new Error('The world has no channel.');
  const free = { ...paying, openFee: 0n, voucher: { ...paying.voucher, amount: 1_050n } };
  // 80k gas of 110k, where an open is worth 500 units: 364.
  t.equal(claimableUnits(free, 1_050n + 364n, 1n), 1_050n);
  t.equal(claimableUnits(free, 1_050n + 365n, 1n), 1_415n);
  t.end();
});

t.test('ticks claimed are part of what is claimed; refused ones leave what vouchers cover', (t) => {
  const chain = testTicks({ channelId: idOf(0) });
  const before = ticking(world({ charged: [1_100n], claimed: 700n }), chain, 9);
  const event = { kind: 'ticks-claimed' as const, channelId: idOf(0), units: 1_100n, feeWei: 5n, nowMs: 3 };
  const claimed = handle(before, event, CONFIG);
  t.match(claimed.state.channels.get(idOf(0)), { claimedUnits: 1_100n, gasWei: 5n });
  t.strictSame(claimed.actions, [{ kind: 'store-channel', channelId: idOf(0) }]);
  t.equal(handle(claimed.state, event, CONFIG).state, claimed.state, 'its fee counts once');
  t.same(handle(before, { ...event, channelId: idOf(9) }, CONFIG).actions, []);
  const first = handle(ticking(world({ charged: [1_100n] }), chain, 9), event, CONFIG);
  t.match(first.state.channels.get(idOf(0)), { claimedUnits: 1_100n });

  const refuse = (state: AgentState) => handle(state, { kind: 'ticks-refused', channelId: idOf(0), nowMs: 4 }, CONFIG);
  const running = refuse(before);
  t.equal(running.state.channels.get(idOf(0))?.ticks, undefined);
  t.equal(running.state.channels.get(idOf(0))?.closeUnits, undefined);
  t.same(refuse(running.state).actions, [], 'once');
  const closing = (closeUnits: bigint, claimedUnits?: bigint) => {
    const state = ticking(world({ charged: [1_100n] }), chain, 9);
    const channel = state.channels.get(idOf(0)) as LiveChannel;
    const more = claimedUnits === undefined ? {} : { claimedUnits };
    const channels = new Map([[idOf(0), { ...channel, phase: 'closing' as const, closeUnits, ...more }]]);
    return refuse({ ...state, channels }).state.channels.get(idOf(0))?.closeUnits;
  };
  t.equal(closing(1_100n), 1_050n);
  t.equal(closing(900n), 900n);
  t.equal(closing(1_100n, 1_090n), 1_090n, 'never below what was claimed');
  t.end();
});

function ticking(state: AgentState, chain: TestChain, index: number): AgentState {
  const channel = state.channels.get(idOf(0)) as LiveChannel;
  const ticks = { voucher: chain.voucher, last: chain.coin(index), renewedMs: 0, storedIndex: index };
  return { ...state, channels: new Map(state.channels).set(idOf(0), { ...channel, ticks }) };
}
