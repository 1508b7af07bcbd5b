/**
 * Money from usage: one formula, its inverse, and the choice of a tariff by time of day.
 *
 * charge = ceil(chargeableBytes * unitsPerMb / 10^6 + onlineMs * unitsPerMinute / 60,000), rounded once, up, from
 * cumulative usage. Both sides are kept over the common denominator, so the inverse is exact: the byte allowance is the
 * largest number of bytes whose charge does not exceed the credit (invariant I1).
 */
import { BYTES_PER_MB, type ByteCount, MAX_UINT64, type TokenAmount } from '../../protocol/units.ts';
import type { AgentConfig } from './config.ts';
import type { Tariff, Usage } from './model.ts';

const MS_PER_MINUTE = 60_000n;
const DENOMINATOR = BYTES_PER_MB * MS_PER_MINUTE;
/** "No byte limit" for tariffs without a price per MB: far above what one session can carry, and a valid nft quota. */
export const UNLIMITED_BYTES: ByteCount = MAX_UINT64 >> 1n;

/** Units for the usage beyond the free bytes. Rounds up. */
export function chargeForUsage(tariff: Tariff, usage: Usage, freeBytes: ByteCount): TokenAmount {
  const total = usage.downBytes + usage.upBytes;
  const chargeable = total > freeBytes ? total - freeBytes : 0n;
  const numerator =
    chargeable * tariff.unitsPerMb * MS_PER_MINUTE + BigInt(usage.onlineMs) * tariff.unitsPerMinute * BYTES_PER_MB;
  return (numerator + DENOMINATOR - 1n) / DENOMINATOR;
}

/** Total bytes (free ones included) that `units` pay for after `onlineMs` of time were paid from them. Rounds down. */
export function bytesForUnits(tariff: Tariff, units: TokenAmount, onlineMs: number, freeBytes: ByteCount): ByteCount {
  const left = units * DENOMINATOR - BigInt(onlineMs) * tariff.unitsPerMinute * BYTES_PER_MB;
  if (left < 0n) return freeBytes;
  if (tariff.unitsPerMb === 0n) {
    const isTimeSpent = tariff.unitsPerMinute > 0n && left === 0n;
    return isTimeSpent ? freeBytes : UNLIMITED_BYTES;
  }
  return freeBytes + left / (tariff.unitsPerMb * MS_PER_MINUTE);
}

/** Milliseconds that `units` still pay for at the tariff's time price; undefined without one. Rounds down. */
export function millisForUnits(tariff: Tariff, units: TokenAmount): bigint | undefined {
  return tariff.unitsPerMinute === 0n ? undefined : (units * MS_PER_MINUTE) / tariff.unitsPerMinute;
}

/** Tariff for a session that starts at `minuteOfDay` (0..1439, local time): the first window that holds it, else the base. */
export function tariffAt(price: AgentConfig['price'], minuteOfDay: number): Tariff {
  const window = price.windows.find(({ fromMinute, toMinute }) =>
    fromMinute <= toMinute
      ? minuteOfDay >= fromMinute && minuteOfDay < toMinute
      : minuteOfDay >= fromMinute || minuteOfDay < toMinute,
  );
  return window?.tariff ?? price.tariff;
}
