/**
 * Numbers as people read them in their language: data, money, time and speed. Pure; decimal units throughout
 * (1 MB = 1,000,000 bytes). Number and unit are joined by a no-break space.
 */
import { BYTES_PER_MB, SSP_DECIMALS, UNITS_PER_SSP } from '../../protocol/units.ts';
import { filled, type Strings } from './strings.ts';

/** `locale` (BCP 47) decides on digits and separators. Whole sets of units come from the strings: iOS 14.0 has no unit style. */
export type Tongue = { readonly strings: Strings; readonly locale: string };

type Price = { readonly unitsPerMb: bigint; readonly unitsPerMinute: bigint };

/** The kernel's "no limit" is 2^63 - 1 bytes; nothing real comes near half of it. */
const UNLIMITED_BYTES = 1n << 62n;
const NBSP = '\u00a0';
const CENT = UNITS_PER_SSP / 100n;

export function isUnlimited(bytes: bigint): boolean {
  return bytes >= UNLIMITED_BYTES;
}

/** 950 -> "950 B", 1_234_567 -> "1.23 MB". Rounds down, so that "left" never promises too much. */
export function dataText(bytes: bigint, { strings, locale }: Tongue): string {
  const units = ['B', 'kB', 'MB', 'GB', 'TB'] as const;
  let divisor = 1n;
  let index = 0;
  while (index < units.length - 1 && bytes >= divisor * 1_000n) {
    divisor *= 1_000n;
    index++;
  }
  return `${threeDigits(bytes, divisor, locale)}${NBSP}${strings.unit[units[index] ?? 'B']}`;
}

/** Bytes a second -> "1.2 Mbit/s". */
export function speedText(bytesPerSecond: bigint, { strings, locale }: Tongue): string {
  const bits = bytesPerSecond * 8n;
  if (bits < 1_000_000n) return `${numberText(bits / 1_000n, 0, locale)}${NBSP}${strings.unit.kbit}`;
  return `${threeDigits(bits, 1_000_000n, locale)}${NBSP}${strings.unit.Mbit}`;
}

/** 59 -> "59 s", 125 -> "2 min 5 s", 7_260 -> "2 h 1 min". */
export function timeText(seconds: number, { strings: { unit }, locale }: Tongue): string {
  const whole = Math.max(0, Math.floor(seconds));
  const part = (value: number, name: string) => `${numberText(BigInt(value), 0, locale)}${NBSP}${name}`;
  const two = (value: number, large: string, small: string) => {
    const rest = value % 60;
    const first = part(Math.floor(value / 60), large);
    return rest === 0 ? first : `${first} ${part(rest, small)}`;
  };
  if (whole < 60) return part(whole, unit.s);
  return whole < 3_600 ? two(whole, unit.min, unit.s) : two(Math.floor(whole / 60), unit.h, unit.min);
}

/** Exact, to the last of the four decimals. */
export function moneyText(units: bigint, { locale }: Tongue): string {
  return `${numberText(units, SSP_DECIMALS, locale)}${NBSP}SSP`;
}

/** A running amount, from 1 SSP on in two decimals. Rounds up: what is spent is never understated. */
export function spentText(units: bigint, tongue: Tongue): string {
  return moneyText(units < UNITS_PER_SSP ? units : ((units + CENT - 1n) / CENT) * CENT, tongue);
}

/** As spentText, rounded down: what is left is never overstated. */
export function leftText(units: bigint, tongue: Tongue): string {
  return moneyText(units < UNITS_PER_SSP ? units : (units / CENT) * CENT, tongue);
}

/** The price in words: what 1 SSP buys, and what comes on top. */
export function priceText(price: Price, tongue: Tongue): { readonly main: string; readonly extra?: string } {
  const { unitsPerMb, unitsPerMinute } = price;
  const { strings } = tongue;
  if (unitsPerMb === 0n && unitsPerMinute === 0n) return { main: strings.price.free };
  const money = moneyText(UNITS_PER_SSP, tongue);
  if (unitsPerMb === 0n) {
    const time = timeText(Number((UNITS_PER_SSP * 60n) / unitsPerMinute), tongue);
    return { main: filled(strings.price.perSspTime, { money, time }) };
  }
  const main = filled(strings.price.perSsp, {
    money,
    data: dataText((UNITS_PER_SSP * BYTES_PER_MB) / unitsPerMb, tongue),
  });
  if (unitsPerMinute === 0n) return { main };
  return { main, extra: filled(strings.price.perMinute, { money: moneyText(unitsPerMinute, tongue) }) };
}

/** What opening a channel sets aside, and what it costs. */
export function depositText(deposit: bigint, openFee: bigint, tongue: Tongue): string {
  const { pay } = tongue.strings;
  const aside = filled(pay.deposit, { money: moneyText(deposit, tongue) });
  return openFee === 0n ? aside : `${aside} ${filled(pay.openFee, { money: moneyText(openFee, tongue) })}`;
}

/** At most three significant digits and no trailing zeros: 1.23, 12.3, 123, 10. */
function threeDigits(value: bigint, divisor: bigint, locale: string): string {
  const whole = value / divisor;
  const places = divisor === 1n || whole >= 100n ? 0 : whole >= 10n ? 1 : 2;
  return numberText((value * 10n ** BigInt(places)) / divisor, places, locale);
}

/** `value` / 10^places, in the locale's digits and separators. Exact below 2^53, which is more than there are SSP. */
function numberText(value: bigint, places: number, locale: string): string {
  return new Intl.NumberFormat(locale, { maximumFractionDigits: places }).format(Number(value) / 10 ** places);
}
