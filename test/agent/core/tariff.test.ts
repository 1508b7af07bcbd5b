import fc from 'fast-check';
import t from 'tap';
import {
  bytesForUnits,
  chargeForUsage,
  millisForUnits,
  tariffAt,
  UNLIMITED_BYTES,
} from '../../../agent/core/tariff.ts';
import { testConfig } from './support/story.ts';

const usage = (downBytes: bigint, onlineMs = 0) => ({ downBytes, upBytes: 0n, onlineMs });

t.test('a started unit is charged in full, once, from the cumulative total', (t) => {
  const tariff = { unitsPerMb: 10n, unitsPerMinute: 0n };
  t.equal(chargeForUsage(tariff, usage(0n), 0n), 0n);
  t.equal(chargeForUsage(tariff, usage(1n), 0n), 1n);
  t.equal(chargeForUsage(tariff, usage(100_000n), 0n), 1n);
  t.equal(chargeForUsage(tariff, usage(100_001n), 0n), 2n);
  t.end();
});

t.test('free bytes come first and are not charged', (t) => {
  const tariff = { unitsPerMb: 10n, unitsPerMinute: 0n };
  t.equal(chargeForUsage(tariff, usage(1_000_000n), 1_000_000n), 0n);
  t.equal(chargeForUsage(tariff, usage(2_000_000n), 1_000_000n), 10n);
  t.end();
});

t.test('bytes and time add up before the one rounding', (t) => {
  const tariff = { unitsPerMb: 1n, unitsPerMinute: 1n };
  t.equal(chargeForUsage(tariff, usage(500_000n, 30_000), 0n), 1n);
  t.end();
});

t.test('the byte allowance is the largest whose charge the credit covers', (t) => {
  const arbitrary = fc.record({
    unitsPerMb: fc.bigInt(1n, 100_000n),
    unitsPerMinute: fc.bigInt(0n, 1_000n),
    units: fc.bigInt(0n, 10n ** 12n),
    onlineMs: fc.nat(10_000_000),
    free: fc.bigInt(0n, 10n ** 8n),
  });
  fc.assert(
    fc.property(arbitrary, ({ unitsPerMb, unitsPerMinute, units, onlineMs, free }) => {
      const tariff = { unitsPerMb, unitsPerMinute };
      const bytes = bytesForUnits(tariff, units, onlineMs, free);
      const isTimeOverdrawn = chargeForUsage(tariff, usage(0n, onlineMs), free) > units;
      if (isTimeOverdrawn) return bytes === free;
      const fits = chargeForUsage(tariff, usage(bytes, onlineMs), free) <= units;
      const isLargest = chargeForUsage(tariff, usage(bytes + 1n, onlineMs), free) > units;
      return fits && isLargest;
    }),
  );
  t.pass('held for all cases');
  t.end();
});

t.test('without a price per MB bytes are unlimited while time is paid for', (t) => {
  const byTime = { unitsPerMb: 0n, unitsPerMinute: 60n };
  t.equal(bytesForUnits(byTime, 60n, 59_999, 0n), UNLIMITED_BYTES);
  t.equal(bytesForUnits(byTime, 60n, 60_000, 7n), 7n);
  t.equal(bytesForUnits(byTime, 60n, 60_001, 7n), 7n);
  t.equal(bytesForUnits({ unitsPerMb: 0n, unitsPerMinute: 0n }, 0n, 0, 0n), UNLIMITED_BYTES);
  t.end();
});

t.test('remaining time is known only with a price per minute', (t) => {
  t.equal(millisForUnits({ unitsPerMb: 1n, unitsPerMinute: 0n }, 5n), undefined);
  t.equal(millisForUnits({ unitsPerMb: 1n, unitsPerMinute: 2n }, 5n), 150_000n);
  t.end();
});

t.test('a time window replaces the base tariff, across midnight too', (t) => {
  const night = { unitsPerMb: 1n, unitsPerMinute: 0n };
  const noon = { unitsPerMb: 30n, unitsPerMinute: 0n };
  const { price } = testConfig((config) => ({
    ...config,
    price: {
      ...config.price,
      windows: [
        { fromMinute: 1320, toMinute: 360, tariff: night },
        { fromMinute: 720, toMinute: 780, tariff: noon },
      ],
    },
  }));
  t.equal(tariffAt(price, 1320), night);
  t.equal(tariffAt(price, 359), night);
  t.equal(tariffAt(price, 360), price.tariff);
  t.equal(tariffAt(price, 720), noon);
  t.equal(tariffAt(price, 780), price.tariff);
  t.end();
});
