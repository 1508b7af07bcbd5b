import t from 'tap';
import { judgeTick, judgeTickVoucher } from '../../../agent/core/judge-tick.ts';
import type { Tick } from '../../../protocol/payword.ts';
import type { SignedTickVoucher } from '../../../protocol/tick-voucher.ts';
import { LAPTOP, NOW_S, PHONE, Story, testChannel, testVoucher } from './support/story.ts';
import { type TestChain, testTicks } from './support/tick-voucher.ts';

const time = { nowS: NOW_S, marginSeconds: 600 };
const id = testChannel().id;
/** When a Story begins. */
const nowMs = 1_000;

/** The phone's paid channel, with the chain begun where one is given. */
function paid(chain?: TestChain): Story {
  const story = new Story();
  story.paid(testChannel({ mode: 'stream' }));
  if (chain !== undefined) {
    story.send({ kind: 'tick-voucher-taken', tickVoucher: chain.voucher, anchor: chain.coin(0) });
  }
  return story;
}

t.test('a tick voucher on top of the last voucher passes; the same again is a repeat', (t) => {
  const chain = testTicks();
  t.match(judgeTickVoucher(paid().state, PHONE, chain.voucher, time), { ok: true, isRepeat: false });
  t.match(judgeTickVoucher(paid(chain).state, PHONE, chain.voucher, time), { ok: true, isRepeat: true });
  t.end();
});

t.test('the signature of the last tick voucher makes no repeat of other numbers', (t) => {
  const chain = testTicks();
  const { state } = paid(chain);
  const forgeries: readonly Partial<SignedTickVoucher>[] = [
    { amount: 9_000_000_000_000_000_000n },
    { amount: chain.voucher.amount - 1n },
    { tickValue: chain.voucher.tickValue + 1n },
    { ticks: chain.voucher.ticks + 1n },
    { anchor: `0x${'0a'.repeat(32)}` },
  ];
  for (const forgery of forgeries) {
    const judgement = judgeTickVoucher(state, PHONE, { ...chain.voucher, ...forgery }, time);
    t.equal(judgement.ok && judgement.isRepeat, false, Object.keys(forgery).join());
  }
  t.end();
});

t.test('a tick voucher is refused for who sends it as a voucher is', (t) => {
  const { voucher } = testTicks();
  t.match(judgeTickVoucher(paid().state, LAPTOP, voucher, time), { reason: 'not-your-channel' });
  t.match(judgeTickVoucher(new Story().state, PHONE, voucher, time), { reason: 'unknown-channel' });
  t.end();
});

t.test('the base of a chain is covered by a voucher, and forgets no tick of the chain before', (t) => {
  const chain = testTicks();
  const story = paid(chain);
  const { voucher } = testTicks({ amount: 1_051n }, 2);
  t.match(judgeTickVoucher(story.state, PHONE, voucher, time), {
    reason: 'renewal-due',
    expected: 'a base of at most the last voucher, 1050',
    got: '1051',
    lastVoucher: testVoucher(1_050n),
  });
  story.send({
    kind: 'ticks-taken',
    ticks: [{ channelId: id, signature: chain.voucher.signature, last: chain.coin(5) }],
  });
  story.send({ kind: 'vouchers-stored', vouchers: [testVoucher(2_000n)] });
  story.send({
    kind: 'ticks-taken',
    ticks: [{ channelId: id, signature: chain.voucher.signature, last: chain.coin(6) }],
  });
  t.match(judgeTickVoucher(story.state, PHONE, testTicks({ amount: 1_999n }, 2).voucher, time), {
    reason: 'renewal-due',
    expected: 'a base of at least 2000, already promised',
  });
  t.match(judgeTickVoucher(story.state, PHONE, testTicks({ amount: 2_000n }, 2).voucher, time), { ok: true });
  t.end();
});

t.test('a tick extends the credit by what its index says, also if some before it were lost', (t) => {
  const chain = testTicks();
  const { state } = paid(chain);
  const judge = (tick: Tick, last?: Tick) => judgeTick(state, PHONE, id, tick, { last, nowMs, time });
  t.same(judge(chain.coin(1)), { ok: true, promisedUnits: 1_060n });
  t.same(judge(chain.coin(64)), { ok: true, promisedUnits: 1_690n });
  t.same(judge(chain.coin(9), chain.coin(8)), { ok: true, promisedUnits: 1_140n });
  t.same(judge(chain.coin(9), chain.coin(0)), { ok: true, promisedUnits: 1_140n }, 'the state knows as much');
  t.end();
});

t.test('the last coin of a chain counts, and the last unit of the deposit', (t) => {
  const judge = (chain: TestChain, index: number) =>
    judgeTick(paid(chain).state, PHONE, id, chain.coin(index), { last: undefined, nowMs, time });
  t.same(judge(testTicks({ ticks: 3n }, 4), 3), { ok: true, promisedUnits: 1_080n });
  t.same(judge(testTicks({ tickValue: 8_950n }, 5), 1), { ok: true, promisedUnits: 10_000n });
  t.end();
});

t.test('each refusal of a tick has its reason', (t) => {
  const chain = testTicks();
  const { state } = paid(chain);
  const judge = (tick: Tick, last?: Tick, mac = PHONE) => judgeTick(state, mac, id, tick, { last, nowMs, time });
  t.match(judge(chain.coin(1), undefined, LAPTOP), { reason: 'not-your-channel' });
  t.match(judgeTick(paid().state, PHONE, id, chain.coin(1), { last: undefined, nowMs, time }), {
    reason: 'no-tick-voucher',
    got: 'tick 1',
  });
  t.match(judge(chain.coin(8), chain.coin(8)), { reason: 'tick-not-later', expected: 'a tick after 8' });
  t.match(judge(chain.coin(7), chain.coin(8)), { reason: 'tick-not-later' });
  t.match(judge({ index: 1, preimage: new Uint8Array(32) }), {
    reason: 'tick-not-in-chain',
    expected: 'a preimage that hashes to tick 0',
  });
  t.match(judge({ index: 2, preimage: chain.coin(1).preimage }), { reason: 'tick-not-in-chain' });
  t.match(judge(chain.coin(65)), {
    reason: 'renewal-due',
    expected: /more than 1690 units/,
    got: '1700',
    lastVoucher: testVoucher(1_050n),
  });
  const short = testTicks({ ticks: 3n }, 4);
  t.match(judgeTick(paid(short).state, PHONE, id, { ...chain.coin(4) }, { last: undefined, nowMs, time }), {
    reason: 'tick-not-in-chain',
    expected: 'a tick of 1..3',
  });
  const dear = testTicks({ tickValue: 9_000n }, 5);
  t.match(judgeTick(paid(dear).state, PHONE, id, dear.coin(1), { last: undefined, nowMs, time }), {
    reason: 'amount-above-deposit',
    expected: 'at most the deposit, 10000',
    got: '10050',
  });
  t.end();
});

t.test('a minute after the last signature that covered all, ticks beyond it wait for a voucher', (t) => {
  const chain = testTicks();
  const story = paid(chain);
  const judge = (index: number, atMs: number) =>
    judgeTick(story.state, PHONE, id, chain.coin(index), { last: undefined, nowMs: atMs, time });
  const take = (index: number) =>
    story.send({
      kind: 'ticks-taken',
      ticks: [{ channelId: id, signature: chain.voucher.signature, last: chain.coin(index) }],
    });
  t.match(judge(1, nowMs + 60_000), { ok: true });
  t.match(judge(1, nowMs + 60_001), {
    reason: 'renewal-due',
    expected: 'a voucher that covers the ticks within 60 s',
    got: '60 s',
    lastVoucher: testVoucher(1_050n),
  });
  take(5);
  story.nowMs = nowMs + 30_000;
  story.send({ kind: 'vouchers-stored', vouchers: [testVoucher(1_099n)] });
  t.match(judge(6, nowMs + 60_001), { reason: 'renewal-due' }, 'a voucher that leaves a tick uncovered is no renewal');
  story.send({ kind: 'vouchers-stored', vouchers: [testVoucher(1_100n)] });
  t.match(judge(6, nowMs + 90_000), { ok: true }, 'one that covers just what was promised is');
  story.send({ kind: 'vouchers-stored', vouchers: [testVoucher(1_120n)] });
  t.match(judge(7, nowMs + 300_000), { ok: true }, 'ticks that the voucher covers put nobody at risk');
  t.match(judge(8, nowMs + 90_000), { ok: true });
  t.match(judge(8, nowMs + 90_001), { reason: 'renewal-due' });
  t.end();
});
