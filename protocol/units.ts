/**
 * Quantities of the protocol and their one parser.
 *
 * Token amounts are base units in bigint (SSP has 4 decimals: 1 SSP = 10,000 units; the whole supply,
 * 10^14 units, fits uint64). Bytes from the kernel are bigint. Both cross JSON as decimal strings.
 */

/** Base units of SSP (10^-4 SSP), 0..2^64-1. */
export type TokenAmount = bigint;
/** Layer-3 bytes, IP header included, 0..2^64-1. */
export type ByteCount = bigint;

export const SSP_DECIMALS = 4;
export const UNITS_PER_SSP = 10_000n;
export const BYTES_PER_MB = 1_000_000n;
export const MAX_UINT64 = (1n << 64n) - 1n;

/** Longest decimal form of a uint64; longer strings are refused before BigInt() sees them. */
const MAX_DECIMAL_DIGITS = 20;

/** A decimal string ("0", "123456") to a uint64, or undefined if it is anything else. */
export function uint64FromDecimal(text: string): bigint | undefined {
  if (text.length === 0 || text.length > MAX_DECIMAL_DIGITS) return undefined;
  if (!/^(0|[1-9][0-9]*)$/.test(text)) return undefined;
  const value = BigInt(text);
  return value <= MAX_UINT64 ? value : undefined;
}

/** "12.5" or "12.5 SSP" to base units, or undefined if malformed or finer than 4 decimals. */
export function unitsFromSsp(text: string): TokenAmount | undefined {
  const match = /^([0-9]{1,15})(?:\.([0-9]{1,4}))?(?: ?SSP)?$/.exec(text.trim());
  if (match === null) return undefined;
  const whole = BigInt(match[1] as string);
  const fraction = BigInt((match[2] ?? '').padEnd(SSP_DECIMALS, '0'));
  // Fifteen digits of SSP are less than 10^19 units: always a uint64.
  return whole * UNITS_PER_SSP + fraction;
}

/** Base units as SSP text without trailing zeros: 12500n -> "1.25". */
export function sspFromUnits(units: TokenAmount): string {
  const sign = units < 0n ? '-' : '';
  const abs = units < 0n ? -units : units;
  const fraction = (abs % UNITS_PER_SSP).toString().padStart(SSP_DECIMALS, '0').replace(/0+$/, '');
  return `${sign}${abs / UNITS_PER_SSP}${fraction === '' ? '' : `.${fraction}`}`;
}
