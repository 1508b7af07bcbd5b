/** Quantities as people read them. Exact values are what --json is for. */
import { sspFromUnits, type TokenAmount } from '../../protocol/units.ts';

const BYTE_UNITS = ['B', 'kB', 'MB', 'GB', 'TB', 'PB', 'EB'] as const;

/** Powers of ten, as the price per MB has it: 1234567n -> "1.23 MB". */
export function bytesText(bytes: bigint): string {
  let value = Number(bytes);
  let unit = 0;
  // 999.5 would round to "1000": go on to the next unit.
  while (value >= 999.5 && unit < BYTE_UNITS.length - 1) {
    value /= 1000;
    unit += 1;
  }
  return `${unit === 0 ? value : threeDigits(value)} ${BYTE_UNITS[unit]}`;
}

export function rateText(bytesPerSecond: number): string {
  return `${bytesText(BigInt(Math.max(0, Math.round(bytesPerSecond))))}/s`;
}

export function sspText(units: TokenAmount): string {
  return `${sspFromUnits(units)} SSP`;
}

/** Six digits are enough to see what a transaction took: 1500000000000000n wei -> "0.0015 coin". */
export function coinText(wei: bigint): string {
  const micro = wei / 1_000_000_000_000n;
  const fraction = `${micro % 1_000_000n}`.padStart(6, '0').replace(/0+$/, '');
  return `${micro / 1_000_000n}${fraction === '' ? '' : `.${fraction}`} coin`;
}

/** The two largest units: "1d 2h", "12m 34s", "5s". */
export function durationText(ms: number): string {
  const seconds = Math.floor(ms / 1000);
  const parts = [
    [Math.floor(seconds / 86_400), 'd'],
    [Math.floor(seconds / 3600) % 24, 'h'],
    [Math.floor(seconds / 60) % 60, 'm'],
    [seconds % 60, 's'],
  ] as const;
  const first = parts.findIndex(([value]) => value > 0);
  if (first < 0) return '0s';
  return parts
    .slice(first, first + 2)
    .filter(([value]) => value > 0)
    .map(([value, unit]) => `${value}${unit}`)
    .join(' ');
}

/** "2026-11-22 21:56" in UTC. */
export function utcText(unixSeconds: bigint): string {
  // The last instant that Date knows; later ones come from hostile or broken clocks only.
  if (unixSeconds > 8_640_000_000_000n) return `${unixSeconds}`;
  return new Date(Number(unixSeconds) * 1000).toISOString().slice(0, 16).replace('T', ' ');
}

/** "0xc1c1c1..c1c1": enough to tell apart, and to search the explorer's list by. */
export function shortHex(hex: string): string {
  return hex.length <= 14 ? hex : `${hex.slice(0, 8)}..${hex.slice(-4)}`;
}

export function counted(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`;
}

function threeDigits(value: number): string {
  return value >= 99.95 ? value.toFixed(0) : value >= 9.995 ? value.toFixed(1) : value.toFixed(2);
}
