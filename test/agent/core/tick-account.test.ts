import t from 'tap';
import { isTickClaimWorth, promisedUnits, renewalCeiling, tickUnits } from '../../../agent/core/tick-account.ts';
import { testVoucher } from './support/story.ts';
import { testTicks } from './support/tick-voucher.ts';

const chain = testTicks();
const voucher = testVoucher(1_050n);
const ticked = { voucher, ticks: { voucher: chain.voucher, last: chain.coin(7) } };

t.test('credit is the voucher or the ticks, whichever promises more', (t) => {
  t.equal(promisedUnits({ voucher }), 1_050n);
  t.equal(promisedUnits(ticked), 1_120n);
  t.equal(promisedUnits({ ...ticked, voucher: testVoucher(1_121n) }), 1_121n);
  t.equal(promisedUnits({ voucher, ticks: { voucher: chain.voucher, last: chain.coin(0) } }), 1_050n);
  t.end();
});

t.test('64 ticks may stand beyond the voucher', (t) => {
  t.equal(renewalCeiling(voucher, chain.voucher), 1_690n);
  t.end();
});

t.test('a claim by ticks is for what was charged, promised and not covered, and worth more than its gas', (t) => {
  t.equal(tickUnits(ticked, 1_000n), 0n);
  t.equal(tickUnits(ticked, 1_100n), 50n);
  t.equal(tickUnits(ticked, 5_000n), 70n, 'not more than promised');
  t.equal(tickUnits({ voucher }, 5_000n), 0n);
  t.equal(isTickClaimWorth(ticked, 1_100n, 49n), true);
  t.equal(isTickClaimWorth(ticked, 1_100n, 50n), false);
  t.end();
});
