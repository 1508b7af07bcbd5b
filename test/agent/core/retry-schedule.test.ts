import fc from 'fast-check';
import t from 'tap';
import { chainRetryMs, nextDelayMs } from '../../../agent/core/retry-schedule.ts';

t.test('waits double from one second to ten minutes', (t) => {
  const waits = [0, 1, 2, 9, 10, 11, 1000].map((attempt) => nextDelayMs(attempt, 1));
  t.strictSame(waits, [1_000, 2_000, 4_000, 512_000, 600_000, 600_000, 600_000]);
  t.end();
});

t.test('jitter takes off up to half of the wait', (t) => {
  t.strictSame([nextDelayMs(3, 0), nextDelayMs(3, 0.5), nextDelayMs(3, 1)], [4_000, 6_000, 8_000]);
  t.end();
});

t.test('whatever the input, the wait is between half a second and ten minutes', (t) => {
  fc.assert(
    fc.property(fc.double({ noNaN: true }), fc.double({ noNaN: true }), (attempt, jitter) => {
      const ms = nextDelayMs(attempt, jitter);
      return Number.isInteger(ms) && ms >= 500 && ms <= 600_000;
    }),
  );
  t.end();
});

t.test('a close or a claim waits two seconds first, then twice as long each time, up to ten minutes', (t) => {
  const waits = [1, 2, 3, 9, 10, 1000].map(chainRetryMs);
  t.strictSame(waits, [2_000, 4_000, 8_000, 512_000, 600_000, 600_000]);
  t.end();
});
