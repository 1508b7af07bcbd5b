import t from 'tap';
import { judgeVoucher } from '../../../agent/core/judge-voucher.ts';
import { LAPTOP, NOW_S, PHONE, Story, testChannel, testVoucher } from './support/story.ts';

const time = { nowS: NOW_S, marginSeconds: 600 };
const other = `0x${'ee'.repeat(32)}` as const;

t.test('a higher voucher within the deposit passes', (t) => {
  const story = new Story();
  const id = story.paid();
  story.counted(id, 500n);
  const judgement = judgeVoucher(story.state, PHONE, testVoucher(2_000n, testChannel().id, 500n), time);
  t.match(judgement, { ok: true, isRepeat: false });
  t.end();
});

t.test('the deposit can be promised to its last unit', (t) => {
  const story = new Story();
  story.paid();
  t.match(judgeVoucher(story.state, PHONE, testVoucher(10_000n), time), { ok: true, isRepeat: false });
  t.end();
});

t.test('a guest who used up what is paid tops it up while the flows are held', (t) => {
  const story = new Story();
  story.counted(story.paid(), 100_000_000n);
  t.equal(story.state.channels.get(testChannel().id)?.phase, 'grace');
  t.match(judgeVoucher(story.state, PHONE, testVoucher(2_000n), time), { ok: true, isRepeat: false });
  t.end();
});

t.test('the same voucher again is a repeat, not an error', (t) => {
  const story = new Story();
  story.paid();
  t.match(judgeVoucher(story.state, PHONE, testVoucher(1_050n), time), { ok: true, isRepeat: true });
  t.end();
});

t.test('refusals name what was expected and got', (t) => {
  const story = new Story();
  story.paid();
  const judge = (voucher = testVoucher(2_000n), mac = PHONE, at: typeof time | undefined = time) =>
    judgeVoucher(story.state, mac, voucher, at);
  t.match(judge(testVoucher(1n, other)), { ok: false, reason: 'unknown-channel', got: other });
  t.match(judge(testVoucher(2_000n), LAPTOP), { ok: false, reason: 'not-your-channel' });
  t.match(judge(testVoucher(1_049n)), {
    ok: false,
    reason: 'amount-not-increasing',
    expected: 'an amount above 1050',
    got: '1049',
    lastVoucher: testVoucher(1_050n),
  });
  t.match(judge({ ...testVoucher(1_050n), signature: `0x${'11'.repeat(64)}` }), { reason: 'amount-not-increasing' });
  t.match(judge(testVoucher(10_001n)), { reason: 'amount-above-deposit', expected: /10000/, got: '10001' });
  t.match(judge(testVoucher(2_000n, testChannel().id, 1n)), { reason: 'ack-above-metered', got: '1' });
  const late = { nowS: testChannel().config.expiry - 600n, marginSeconds: 600 };
  t.match(judge(testVoucher(2_000n), PHONE, late), { reason: 'channel-draining' });
  t.end();
});

t.test('while the clock is not trusted no voucher is refused for its channel age', (t) => {
  const story = new Story();
  story.paid();
  t.match(judgeVoucher(story.state, PHONE, testVoucher(2_000n), undefined), { ok: true });
  t.end();
});

t.test('a channel that is not open takes no voucher', (t) => {
  const story = new Story();
  story.send({ kind: 'channel-opening', mac: PHONE, channel: testChannel() });
  t.match(judgeVoucher(story.state, PHONE, testVoucher(2_000n), time), { reason: 'channel-not-open', got: 'pending' });
  const left = new Story();
  left.send({ kind: 'session-left', sessionId: left.paid(testChannel()), reason: 'guest-left' });
  t.match(judgeVoucher(left.state, PHONE, testVoucher(2_000n), time), { reason: 'channel-not-open', got: 'closing' });
  const orphan = { ...left.state, sessionByChannel: new Map() };
  t.match(judgeVoucher(orphan, PHONE, testVoucher(2_000n), time), { reason: 'not-your-channel' });
  t.end();
});
