/**
 * Numbers as people read them: data, money, time and speed. Pure; decimal units throughout (1 MB = 1,000,000 bytes).
 * Number and unit are joined by a no-break space.
 */
import { BYTES_PER_MB, sspFromUnits, UNITS_PER_SSP } from '../../protocol/units.ts';
import type { Strings } from './strings.ts';

type Price = { readonly unitsPerMb: bigint; readonly unitsPerMinute: bigint };

/** The kernel's "no limit" is 2^63 - 1 bytes; nothing real comes near half of it. */
const UNLIMITED_BYTES = 1n << 62n;
const NBSP = '\u00a0';
const CENT = UNITS_PER_SSP / 100n;

export function isUnlimited(bytes: bigint): boolean {
  return bytes >= UNLIMITED_BYTES;
}

/** 950 -> "950 B", 1_234_567 -> "1.23 MB". Rounds down, so that "left" never promises too much. */
export function dataText(bytes: bigint): string {
  const units = ['B', 'kB', 'MB', 'GB', 'TB'] as const;
  let divisor = 1n;
  let index = 0;
  while (index < units.length - 1 && bytes >= divisor * 1_000n) {
    divisor *= 1_000n;
    index++;
  }
  return `${threeDigits(bytes, divisor)}${NBSP}${units[index]}`;
}

/** Bytes a second -> "1.2 Mbit/s". */
export function speedText(bytesPerSecond: bigint): string {
  const bits = bytesPerSecond * 8n;
  return bits < 1_000_000n ? `${bits / 1_000n}${NBSP}kbit/s` : `${threeDigits(bits, 1_000_000n)}${NBSP}Mbit/s`;
}

/** 59 -> "59 s", 125 -> "2 min 5 s", 7_260 -> "2 h 1 min". */
export function timeText(seconds: number): string {
  const whole = Math.max(0, Math.floor(seconds));
  if (whole < 60) return `${whole}${NBSP}s`;
  if (whole < 3_600) return withRest(whole, 60, 'min', 's');
  return withRest(Math.floor(whole / 60), 60, 'h', 'min');
}

/** Exact, to the last of the four decimals. */
export function moneyText(units: bigint): string {
  return `${sspFromUnits(units)}${NBSP}SSP`;
}

/** A running amount, from 1 SSP on in two decimals. Rounds up: what is spent is never understated. */
export function spentText(units: bigint): string {
  return moneyText(units < UNITS_PER_SSP ? units : ((units + CENT - 1n) / CENT) * CENT);
}

/** As spentText, rounded down: what is left is never overstated. */
export function leftText(units: bigint): string {
  return moneyText(units < UNITS_PER_SSP ? units : (units / CENT) * CENT);
}

/** The price in words: what 1 SSP buys, and what comes on top. */
export function priceText(price: Price, strings: Strings): { readonly main: string; readonly extra?: string } {
  const { unitsPerMb, unitsPerMinute } = price;
  if (unitsPerMb === 0n && unitsPerMinute === 0n) return { main: strings.price.free };
  if (unitsPerMb === 0n) {
    return { main: strings.price.perSspTime(timeText(Number((UNITS_PER_SSP * 60n) / unitsPerMinute))) };
  }
  const main = strings.price.perSsp(dataText((UNITS_PER_SSP * BYTES_PER_MB) / unitsPerMb));
  return unitsPerMinute === 0n ? { main } : { main, extra: strings.price.perMinute(sspFromUnits(unitsPerMinute)) };
}

/** At most three significant digits and no trailing zeros: 1.23, 12.3, 123, 10. */
function threeDigits(value: bigint, divisor: bigint): string {
  const whole = value / divisor;
  const places = divisor === 1n || whole >= 100n ? 0 : whole >= 10n ? 1 : 2;
  const fraction = ((value % divisor) * 10n ** BigInt(places)) / divisor;
  const digits = fraction.toString().padStart(places, '0').replace(/0+$/, '');
  return places === 0 || digits === '' ? whole.toString() : `${whole}.${digits}`;
}

function withRest(value: number, base: number, large: string, small: string): string {
  const rest = value % base;
  const whole = `${Math.floor(value / base)}${NBSP}${large}`;
  return rest === 0 ? whole : `${whole} ${rest}${NBSP}${small}`;
}
