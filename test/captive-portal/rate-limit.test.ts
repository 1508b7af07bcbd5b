import t from 'tap';
import { MAX_RATED_GUESTS, RATE_BURST, RATE_REFILL_PER_S } from '../../captive-portal/limits.ts';
import { RateLimit } from '../../captive-portal/rate-limit.ts';

t.test('a burst passes, then as many a second as are refilled', (t) => {
  const rate = new RateLimit();
  for (let i = 0; i < RATE_BURST; i++) t.ok(rate.take('a', 0));
  t.notOk(rate.take('a', 0));
  let passed = 0;
  for (let ms = 1; ms <= 10_000; ms++) if (rate.take('a', ms)) passed++;
  t.equal(passed, 10 * RATE_REFILL_PER_S);
  t.end();
});

t.test('rest fills the bucket to the burst and no further', (t) => {
  const rate = new RateLimit();
  rate.take('a', 0);
  let passed = 0;
  for (let i = 0; i < 100; i++) if (rate.take('a', 3_600_000)) passed++;
  t.equal(passed, RATE_BURST);
  t.end();
});

t.test('refused requests cost nothing, so waiting helps even one who keeps asking', (t) => {
  const rate = new RateLimit();
  for (let i = 0; i < RATE_BURST + 500; i++) rate.take('a', 0);
  t.ok(rate.take('a', 1_000 / RATE_REFILL_PER_S));
  t.end();
});

t.test('memory is bounded, and the guest seen last is the last to be forgotten', (t) => {
  const rate = new RateLimit();
  for (let i = 0; i < RATE_BURST; i++) rate.take('busy', 0);
  for (let i = 0; i < 3 * MAX_RATED_GUESTS; i++) {
    rate.take(`mac-${i}`, 0);
    rate.take('busy', 0);
  }
  t.equal(rate.size, MAX_RATED_GUESTS);
  t.notOk(rate.take('busy', 0));
  t.end();
});
