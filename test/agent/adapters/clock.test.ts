import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { systemClock } from '../../../agent/adapters/clock.ts';
import '../../support/own-testdir.ts';

const NOW_MS = Date.UTC(2026, 10, 22);

t.test('monotonic time starts at 0 and counts whole milliseconds', (t) => {
  const readings = [5000.25, 5000.25, 5003.9];
  const clock = systemClock({ monotonicMs: () => readings.shift() as number });
  t.strictSame([clock.monotonicMs(), clock.monotonicMs()], [0, 3]);
  t.end();
});

t.test('the real clocks run forward', (t) => {
  const clock = systemClock();
  const first = clock.monotonicMs();
  t.ok(first >= 0 && clock.monotonicMs() >= first);
  t.ok(clock.wall().unixS > 0n);
  t.end();
});

t.test('a clock at 1970, or before 2026, is not synced', (t) => {
  for (const wallMs of [-5000, 0, Date.UTC(2025, 11, 31, 23, 59, 59)]) {
    t.equal(systemClock({ wallMs: () => wallMs }).wall().isSynced, false);
  }
  t.equal(systemClock({ wallMs: () => -5000 }).wall().unixS, 0n);
  t.strictSame(systemClock({ wallMs: () => NOW_MS + 999 }).wall(), { unixS: BigInt(NOW_MS / 1000), isSynced: true });
  t.end();
});

t.test('with a flag file the clock is synced only while the file exists', (t) => {
  const syncedFlagPath = join(t.testdir(), 'ntp-synced');
  const clock = systemClock({ syncedFlagPath, wallMs: () => NOW_MS });
  t.equal(clock.wall().isSynced, false);
  writeFileSync(syncedFlagPath, '');
  t.equal(clock.wall().isSynced, true);
  rmSync(syncedFlagPath);
  t.equal(clock.wall().isSynced, false);
  t.end();
});
