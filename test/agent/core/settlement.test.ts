/** The settlement crank: when a batch is sent, what the chain's word does to a running channel, and the float. */
import t from 'tap';
import type { ChainChannel } from '../../../agent/core/chain-facts.ts';
import type { AgentConfig } from '../../../agent/core/config.ts';
import { promisable } from '../../../agent/core/deposit.ts';
import type { AgentEvent } from '../../../agent/core/events.ts';
import { handle } from '../../../agent/core/handle.ts';
import { claimIntervalSeconds, floatFloorWei, MAX_CLAIMS_PER_BATCH } from '../../../agent/core/settlement.ts';
import { type AgentState, emptyState, type LiveChannel } from '../../../agent/core/state.ts';
import type { Hex } from '../../../protocol/hex.ts';
import { carried, HOME, SISTER } from './support/hand-over.ts';
import { CONFIG, idOf, READY_MS, tick, ticked, world } from './support/settlement-world.ts';
import { kindsOf, NOW_S, testConfig } from './support/story.ts';

const INTERVAL_MS = 180_000;

t.test('a batch goes out once it brings twenty times its gas, largest gain first', (t) => {
  // One claim is 77k gas, an open of 110k gas is priced 50 units: 700 units are worth it, 699 are not.
  t.strictSame(ticked(world({ charged: [699n] }), READY_MS), []);
  t.strictSame(ticked(world({ charged: [700n] }), READY_MS), [
    { kind: 'claim-channels', claims: [{ channelId: idOf(0), units: 700n }] },
  ]);
  const [action] = ticked(world({ charged: [100n, 900n] }), READY_MS);
  t.strictSame(action, {
    kind: 'claim-channels',
    claims: [
      { channelId: idOf(1), units: 900n },
      { channelId: idOf(0), units: 100n },
    ],
  });
  t.end();
});

t.test('the owner sets the ratio; what is claimed already does not count again', (t) => {
  const dear = (config: AgentConfig): AgentConfig => ({ ...config, chain: { ...config.chain, claimRatio: 40 } });
  t.strictSame(ticked(world({ charged: [1_000n] }), READY_MS, testConfig(dear)), []);
  t.strictSame(ticked(world({ charged: [1_000n], claimed: 400n }), READY_MS), []);
  t.strictSame(ticked(world({ charged: [1_000n], claimed: 1_000n }), READY_MS), []);
  t.end();
});

t.test('gas has its price also where guests are asked no fee for it, by the owner or by what is usual', (t) => {
  const free = (chain: Partial<AgentConfig['chain']> = {}): AgentConfig =>
    testConfig((config) => ({
      ...config,
      price: { ...config.price, openFee: 0n },
      chain: { ...config.chain, ...chain },
    }));
  // 77k gas of 110k, where an open is worth 500 units, twenty times.
  t.strictSame(ticked(world({ charged: [6_999n], voucher: 9_000n }), READY_MS, free()), []);
  t.match(ticked(world({ charged: [7_000n], voucher: 9_000n }), READY_MS, free()), [{ kind: 'claim-channels' }]);
  t.strictSame(ticked(world({ charged: [139n] }), READY_MS, free({ gasWorthUnits: 10n })), []);
  t.match(ticked(world({ charged: [140n] }), READY_MS, free({ gasWorthUnits: 10n })), [{ kind: 'claim-channels' }]);
  t.end();
});

t.test('nothing is claimed in the first minute, of sessions that ended, or above the voucher', (t) => {
  t.strictSame(ticked(world({ charged: [900n] }), READY_MS - 1), []);
  const ended = world({ charged: [900n] });
  const sessions = new Map([...ended.sessions].map(([id, session]) => [id, { ...session, ended: 'owner' as const }]));
  t.strictSame(ticked({ ...ended, sessions }, READY_MS), []);
  t.strictSame(ticked(world({ charged: [900n], phase: 'closing' }), READY_MS), []);
  const above = ticked(world({ charged: [900n], voucher: 800n }), READY_MS);
  t.match(above, [{ kind: 'claim-channels', claims: [{ units: 800n }] }]);
  t.end();
});

t.test('near the margin even one unit is claimed, and never without a true time', (t) => {
  const nearS = NOW_S + BigInt(CONFIG.chain.marginSeconds) + BigInt(claimIntervalSeconds(600));
  const near = world({ charged: [60n], expiry: nearS });
  t.match(ticked(near, READY_MS), [{ kind: 'claim-channels', claims: [{ units: 60n }] }]);
  t.strictSame(ticked(world({ charged: [60n], expiry: nearS + 1n }), READY_MS), []);
  t.strictSame(ticked(near, READY_MS, CONFIG, 0n), []);
  t.end();
});

t.test('the claim interval leaves room for two attempts within the margin', (t) => {
  for (const marginSeconds of [840, 900, 7_440]) t.ok(2 * claimIntervalSeconds(marginSeconds) + 240 <= marginSeconds);
  t.equal(claimIntervalSeconds(30), 60, 'and is never shorter than a minute');
  t.end();
});

t.test('what a sister opened is hers to claim', (t) => {
  const state = world({ charged: [900n] });
  const last = carried({ channelId: idOf(0), to: SISTER });
  const visiting = new Map([[idOf(0), { self: SISTER, last, isDelivered: true }]]);
  t.strictSame(ticked({ ...state, custody: visiting }, READY_MS), []);
  const athome = new Map([[idOf(0), { self: HOME, last, isDelivered: true }]]);
  t.match(ticked({ ...state, custody: athome }, READY_MS), [{ kind: 'claim-channels' }]);
  t.end();
});

t.test('one batch at a time, of bounded size, and the next after an interval', (t) => {
  const many = world({ charged: Array.from({ length: MAX_CLAIMS_PER_BATCH + 1 }, () => 800n) });
  const { state, actions } = tick(many, READY_MS);
  const [action] = actions.filter(({ kind }) => kind === 'claim-channels');
  t.ok(action?.kind === 'claim-channels' && action.claims.length === MAX_CLAIMS_PER_BATCH);
  t.strictSame(ticked(state, READY_MS + 1_000), [], 'while it is under way');
  const claims = action?.kind === 'claim-channels' ? action.claims : [];
  const done = handle(state, { kind: 'channels-claimed', claims, feeWei: 101n, nowMs: READY_MS + 2_000 }, CONFIG);
  const first = done.state.channels.get(claims[0]?.channelId ?? '0x');
  t.match(first, { claimedUnits: 800n, gasWei: 3n });
  t.equal(done.actions.length, MAX_CLAIMS_PER_BATCH, 'each is stored');
  t.strictSame(ticked(done.state, READY_MS + 2_000 + INTERVAL_MS - 1), []);
  t.equal(ticked(done.state, READY_MS + 2_000 + INTERVAL_MS).length, 1, 'the one that is left');
  t.end();
});

t.test('a claimed channel that is gone meanwhile changes nothing; a claim never lowers what was claimed', (t) => {
  const state = world({ charged: [800n], claimed: 900n });
  const claims = [
    { channelId: idOf(0), units: 800n },
    { channelId: idOf(7), units: 5n },
  ];
  const done = handle(state, { kind: 'channels-claimed', claims, feeWei: 4n, nowMs: 1 }, CONFIG);
  t.match(done.state.channels.get(idOf(0)), { claimedUnits: 900n, gasWei: 2n });
  t.equal(done.state.channels.size, 1);
  t.end();
});

t.test('a failed batch is sent again later, each time twice as late, up to ten minutes', (t) => {
  let { state } = tick(world({ charged: [800n] }), READY_MS);
  const waits: number[] = [];
  for (let failures = 0; failures < 12; failures++) {
    state = handle(state, { kind: 'claim-failed', nowMs: 0 }, CONFIG).state;
    waits.push(state.settlement.nextMs);
  }
  t.strictSame(waits.slice(0, 3), [2_000, 4_000, 8_000]);
  t.equal(waits.at(-1), 600_000);
  t.match(ticked(state, 600_000), [{ kind: 'claim-channels' }]);
  t.end();
});

t.test('a channel that the chain has lost gives no credit until it is back, and is not given up', (t) => {
  const before = world({ charged: [700n] });
  const gone = see(before, { deposit: 0n, claimed: 0n });
  t.match(gone.state.channels.get(idOf(0)), { phase: 'pending', deposit: 10_000n, voucher: { amount: 1_050n } });
  t.strictSame(
    gone.actions.map(({ kind }) => kind),
    ['store-channel', 'log', 'reconcile', 'notify'],
  );
  const { channels } = see(before, { deposit: 1_050n, claimed: 0n }).state;
  t.equal(channels.get(idOf(0))?.phase, 'active', 'a deposit of just what the voucher says is not lost');
  const failed = handle(gone.state, { kind: 'channel-failed', channelId: idOf(0), nowMs: 9 }, CONFIG);
  t.equal(failed.state, gone.state, 'its vouchers are worth what they were');
  const event: AgentEvent = { kind: 'channel-confirmed', channelId: idOf(0), deposit: 10_000n, feeWei: 7n, nowMs: 10 };
  const back = handle(gone.state, event, CONFIG);
  t.match(back.state.channels.get(idOf(0)), { phase: 'active', deposit: 10_000n, gasWei: 7n });
  t.end();
});

t.test('what the chain says of deposit and claims is taken; the same again changes nothing', (t) => {
  const before = world({ charged: [700n] });
  const seen = see(before, { deposit: 20_000n, claimed: 300n });
  t.match(seen.state.channels.get(idOf(0)), { phase: 'active', deposit: 20_000n, claimedUnits: 300n });
  t.strictSame(
    seen.actions.map(({ kind }) => kind),
    ['store-channel', 'notify'],
  );
  t.equal(see(seen.state, { deposit: 20_000n, claimed: 300n }).state, seen.state);
  t.equal(see(before, { deposit: 10_000n, claimed: 0n }).state, before);
  const closing = world({ charged: [700n], phase: 'closing' });
  t.equal(see(closing, { deposit: 0n, claimed: 0n }).state, closing);
  t.equal(see(emptyState(0, 0n), { deposit: 0n, claimed: 0n }).actions.length, 0);
  t.end();
});

t.test('the final claim is never below what was claimed already', (t) => {
  const state = world({ charged: [300n], claimed: 500n, phase: 'closing' });
  const sessions = new Map([...state.sessions].map(([id, session]) => [id, { ...session, ended: 'owner' as const }]));
  const event: AgentEvent = { kind: 'reconciled', served: new Set(), counters: [], nowMs: 5 };
  const { actions } = handle({ ...state, sessions }, event, CONFIG);
  t.match(
    actions.find(({ kind }) => kind === 'close-channel'),
    { units: 500n },
  );
  t.end();
});

t.test('what opening, claiming and closing cost adds up in the channel', (t) => {
  const state = world({ charged: [300n], phase: 'closing' });
  const tx = `0x${'0c'.repeat(32)}` as const;
  const event: AgentEvent = { kind: 'channel-closed', channelId: idOf(0), units: 300n, tx, feeWei: 5n, nowMs: 9 };
  const closed = handle(state, event, CONFIG).state;
  t.match(closed.channels.get(idOf(0)), { phase: 'settled', gasWei: 5n });
  const [[id, channel]] = [...state.channels] as [[Hex, LiveChannel]];
  const known = { ...state, channels: new Map([[id, { ...channel, gasWei: 2n }]]) };
  t.equal(handle(known, event, CONFIG).state.channels.get(id)?.gasWei, 7n);
  t.end();
});

t.test('the float pays for closing all that is open, one more, and the open', (t) => {
  const costs = { gasPriceWei: 2n, balanceWei: 1n };
  t.equal(floatFloorWei(emptyState(0, 0n), costs), 420_000n);
  t.equal(floatFloorWei(world({ charged: [1n, 1n] }), costs), 820_000n);
  t.equal(floatFloorWei(world({ charged: [1n, 1n], phase: 'settled' }), costs), 420_000n);
  const told = handle(emptyState(0, 0n), { kind: 'costs-seen', costs, nowMs: 1 }, CONFIG);
  t.strictSame(told.state.costs, costs);
  t.end();
});

t.test('a look that lags behind a top-up lowers what is promised next, not what was confirmed', (t) => {
  const topped = see(world({ charged: [500n] }), { deposit: 20_000n, claimed: 0n }).state;
  const doubted = see(topped, { deposit: 10_000n, claimed: 0n });
  t.notOk(kindsOf(doubted.actions).includes('reconcile'), 'who is served is served on');
  const channel = () => doubted.state.channels.get(idOf(0)) as LiveChannel;
  t.match(channel(), { phase: 'active', deposit: 20_000n, seenDeposit: 10_000n });
  t.equal(promisable(channel()), 10_000n);
  t.same(see(doubted.state, { deposit: 10_000n, claimed: 0n }).actions, [], 'seen again, nothing new');
  const voucher = { ...channel().voucher, amount: 15_000n };
  const stored = handle(doubted.state, { kind: 'vouchers-stored', vouchers: [voucher], nowMs: 4 }, CONFIG).state;
  t.match(stored.channels.get(idOf(0)), { phase: 'active', voucher: { amount: 15_000n }, deposit: 20_000n });
  const gone = see(stored, { deposit: 9_000n, claimed: 0n }).state.channels.get(idOf(0));
  t.match(gone, { phase: 'pending', deposit: 20_000n });
  t.notHas(gone, { seenDeposit: 10_000n });
  const back = see(stored, { deposit: 20_000n, claimed: 0n }).state.channels.get(idOf(0)) as LiveChannel;
  t.equal(promisable(back), 20_000n);
  t.notHas(back, { seenDeposit: 10_000n });
  t.end();
});

function see(state: AgentState, seen: Pick<ChainChannel, 'deposit' | 'claimed'>) {
  const event: AgentEvent = {
    kind: 'channel-seen',
    channelId: idOf(0),
    seen: { ...seen, exitAt: 0n, isClosed: false },
    nowMs: 3,
  };
  return handle(state, event, CONFIG);
}
