import t from 'tap';
import { accountOf } from '../../../agent/core/account.ts';
import { openShares } from '../../../agent/core/open-shares.ts';
import { stateFromJournal } from '../../../agent/core/restore.ts';
import type { LiveChannel, LiveSession } from '../../../agent/core/state.ts';
import type { Hex } from '../../../protocol/hex.ts';
import { restoreCase } from './support/restore-case.ts';
import { kindsOf, NOW_S, PHONE, Story, testChannel } from './support/story.ts';
import { testTicks } from './support/tick-voucher.ts';

const id = testChannel().id;
const chain = testTicks();
const unknown: Hex = `0x${'ee'.repeat(32)}`;

function ticking(): Story {
  const story = new Story();
  story.paid(testChannel({ mode: 'stream' }));
  story.send({ kind: 'tick-voucher-taken', tickVoucher: chain.voucher, anchor: chain.coin(0) });
  return story;
}

function accountIn(story: Story) {
  return accountOf(story.state.sessions.get(1) as LiveSession, story.state.channels.get(id) as LiveChannel);
}

function take(story: Story, index: number, change: { channelId?: Hex; signature?: Hex } = {}) {
  const taken = { channelId: id, signature: chain.voucher.signature, last: chain.coin(index), ...change };
  return story.send({ kind: 'ticks-taken', ticks: [taken] });
}

t.test('ticks raise credit and quota', (t) => {
  const story = ticking();
  t.equal(accountIn(story).creditUnits, 1_050n);
  t.same(take(story, 10), [{ kind: 'reconcile' }, { kind: 'notify', mac: PHONE }]);
  t.match(accountIn(story), { creditUnits: 1_150n, limitBytes: 110_000_000n });
  t.end();
});

t.test('a guest that was held goes on with the tick that pays', (t) => {
  const story = ticking();
  story.counted(1, 100_000_000n);
  t.type(story.state.sessions.get(1)?.depletedAtMs, 'number');
  t.equal(story.state.channels.get(id)?.phase, 'grace');
  take(story, 1);
  t.equal(story.state.sessions.get(1)?.depletedAtMs, undefined);
  t.equal(story.state.channels.get(id)?.phase, 'active', 'as after a voucher: it may be paused again');
  t.end();
});

t.test('an earlier coin, one of another chain or channel, or one without a session changes nothing', (t) => {
  const story = ticking();
  take(story, 10);
  const { state } = story;
  t.same(kindsOf(take(story, 10)), []);
  t.same(kindsOf(take(story, 9)), []);
  t.same(kindsOf(take(story, 11, { signature: `0x${'22'.repeat(64)}` })), []);
  t.same(kindsOf(take(story, 11, { channelId: unknown })), []);
  t.equal(story.state.channels, state.channels);
  const orphan = new Story(story.config, { ...state, sessionByChannel: new Map() });
  t.same(kindsOf(take(orphan, 11)), []);
  const fresh = new Story();
  fresh.paid();
  t.same(kindsOf(take(fresh, 1)), [], 'no chain was begun');
  t.end();
});

t.test('a tick voucher for a channel that is gone is nothing', (t) => {
  const story = new Story();
  const before = story.state;
  t.same(story.send({ kind: 'tick-voucher-taken', tickVoucher: chain.voucher, anchor: chain.coin(0) }), []);
  t.equal(story.state, before);
  t.end();
});

t.test('a proof claims no more than the voucher it carries, however many ticks were paid', (t) => {
  const story = ticking();
  take(story, 10);
  story.counted(1, 105_000_000n);
  t.equal(accountIn(story).chargedUnits, 1_100n);
  t.match(openShares(story.state), [{ units: 1_050n }]);
  t.end();
});

t.test('ticks of all channels are written every five seconds, and only what is new', (t) => {
  const story = ticking();
  t.same(kindsOf(story.wait(5_000)), [], 'the chain alone was written before it was answered');
  take(story, 3);
  t.same(kindsOf(story.wait(1_000)), []);
  t.same(story.wait(4_000), [{ kind: 'store-channel', channelId: id }]);
  t.same(kindsOf(story.wait(5_000)), []);
  take(story, 4);
  t.same(kindsOf(story.wait(5_000)), ['store-channel']);
  t.end();
});

t.test('a chain goes on after a restart where it was written; a coin that was seen is worth nothing again', (t) => {
  const story = ticking();
  take(story, 3);
  const kept = restoreCase(story.state);
  const after = new Story(story.config, stateFromJournal(kept, story.nowMs, NOW_S));
  t.equal(accountIn(after).creditUnits, 1_080n);
  t.same(kindsOf(take(after, 3)), []);
  take(after, 4);
  t.equal(accountIn(after).creditUnits, 1_090n);
  const orphan = stateFromJournal({ ...kept, channels: [] }, story.nowMs, NOW_S);
  t.equal(orphan.channels.size, 0, 'ticks of a channel that is gone are nothing');
  t.end();
});
