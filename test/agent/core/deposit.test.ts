import t from 'tap';
import { coversVoucher, isFunded } from '../../../agent/core/deposit.ts';
import { testChannel, testVoucher } from './support/story.ts';

const channel = testChannel({ voucher: testVoucher(1_050n) });
const held = { deposit: 2_000n, claimed: 0n, exitAt: 0n, isClosed: false };

t.test('a session begins on a deposit that is large enough, covers the voucher and stays', (t) => {
  t.ok(isFunded(held, channel, 2_000n));
  t.notOk(isFunded(held, channel, 2_001n), 'less than the quote asks for');
  t.notOk(isFunded({ ...held, deposit: 1_049n }, channel, 1_000n), 'less than the first voucher');
  t.notOk(isFunded({ ...held, exitAt: 1n }, channel, 1_000n), 'on its way back to the payer');
  t.notOk(isFunded({ ...held, isClosed: true }, channel, 1_000n));
  t.end();
});

t.test('what was promised can be claimed while the payer is leaving, not after', (t) => {
  t.ok(coversVoucher({ ...held, exitAt: 1n }, channel));
  t.ok(coversVoucher({ ...held, deposit: 1_050n }, channel), 'to the last unit');
  t.notOk(coversVoucher({ ...held, isClosed: true }, channel));
  t.notOk(coversVoucher({ ...held, deposit: 1_049n }, channel));
  t.end();
});
