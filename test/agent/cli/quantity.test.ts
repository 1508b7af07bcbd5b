import t from 'tap';
import { bytesText, counted, durationText, rateText, shortHex, sspText, utcText } from '../../../agent/cli/quantity.ts';

t.test('bytes have three digits and powers of ten', (t) => {
  const cases: readonly (readonly [bigint, string])[] = [
    [0n, '0 B'],
    [999n, '999 B'],
    [1_000n, '1.00 kB'],
    [1_234_567n, '1.23 MB'],
    [9_996_000n, '10.0 MB'],
    [99_960_000n, '100 MB'],
    [999_499_999n, '999 MB'],
    [999_500_000n, '1.00 GB'],
    [(1n << 64n) - 1n, '18.4 EB'],
    [10n ** 22n, '10000 EB'],
  ];
  for (const [bytes, text] of cases) t.equal(bytesText(bytes), text);
  t.end();
});

t.test('rates are never negative', (t) => {
  t.equal(rateText(1_250_000.4), '1.25 MB/s');
  t.equal(rateText(-5), '0 B/s');
  t.end();
});

t.test('durations have their two largest units', (t) => {
  const cases: readonly (readonly [number, string])[] = [
    [0, '0s'],
    [999, '0s'],
    [61_000, '1m 1s'],
    [60_000, '1m'],
    [3_600_000, '1h'],
    [3_605_000, '1h'],
    [93_784_000, '1d 2h'],
  ];
  for (const [ms, text] of cases) t.equal(durationText(ms), text);
  t.end();
});

t.test('money, times, hashes and counts read well', (t) => {
  t.equal(sspText(12_345n), '1.2345 SSP');
  t.equal(utcText(1_795_000_000n), '2026-11-18 11:06');
  t.equal(utcText(1n << 64n), '18446744073709551616');
  t.equal(shortHex(`0x${'ab'.repeat(32)}`), '0xababab..abab');
  t.equal(shortHex('0x12'), '0x12');
  t.equal(counted(1, 'session'), '1 session');
  t.equal(counted(0, 'session'), '0 sessions');
  t.end();
});
