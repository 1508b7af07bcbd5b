import t from 'tap';
import type { Hex } from '../../../protocol/hex.ts';
import { LAPTOP, PHONE, Story, testChannel, testVoucher } from './support/story.ts';

const FIRST = testChannel();
const SECOND = testChannel({ id: `0x${'c2'.repeat(32)}` });
const UNKNOWN: Hex = `0x${'77'.repeat(32)}`;

t.test('vouchers of one commit are one event: each channel gets its own, the kernel is brought in line once', (t) => {
  const story = new Story();
  const phone = story.paid(FIRST, PHONE);
  const laptop = story.paid(SECOND, LAPTOP);
  story.counted(phone, 100_000_000n);
  story.counted(laptop, 100_000_000n);
  const before = story.state;
  const vouchers = [
    testVoucher(2_000n, FIRST.id),
    testVoucher(9n, UNKNOWN),
    testVoucher(3_000n, SECOND.id),
    testVoucher(1_999n, FIRST.id),
  ];
  t.strictSame(story.send({ kind: 'vouchers-stored', vouchers }), [
    { kind: 'reconcile' },
    { kind: 'notify', mac: PHONE },
    { kind: 'notify', mac: LAPTOP },
  ]);
  t.match(story.state.channels.get(FIRST.id), { phase: 'active', voucher: testVoucher(2_000n, FIRST.id) });
  t.match(story.state.channels.get(SECOND.id), { phase: 'active', voucher: testVoucher(3_000n, SECOND.id) });
  for (const id of [phone, laptop]) t.equal(story.state.sessions.get(id)?.depletedAtMs, undefined);
  t.equal(before.channels.get(FIRST.id)?.voucher.amount, 1_050n, 'the state before is as it was');
  t.not(before.sessions.get(phone)?.depletedAtMs, undefined);
  t.end();
});

t.test('one after the other they give the same state as all at once', (t) => {
  const vouchers = [testVoucher(2_000n, FIRST.id), testVoucher(3_000n, SECOND.id)];
  const [together, apart] = [new Story(), new Story()];
  for (const story of [together, apart]) {
    story.paid(FIRST, PHONE);
    story.paid(SECOND, LAPTOP);
  }
  together.send({ kind: 'vouchers-stored', vouchers });
  for (const voucher of vouchers) apart.send({ kind: 'vouchers-stored', vouchers: [voucher] });
  t.strictSame(together.state, apart.state);
  t.end();
});

t.test('vouchers that raise nothing change nothing', (t) => {
  const story = new Story();
  story.paid(FIRST, PHONE);
  const before = story.state;
  const vouchers = [testVoucher(1_050n, FIRST.id), testVoucher(9n, UNKNOWN)];
  t.strictSame(story.send({ kind: 'vouchers-stored', vouchers }), []);
  t.equal(story.state, before);
  t.end();
});
