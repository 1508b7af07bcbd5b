/**
 * The kinds of value an option can have: how the text is read, and how range and unit are told to people.
 * UCI text is written by owners, so amounts are SSP decimals and sizes and durations may carry a unit.
 */
import { isIP } from 'node:net';
import { type Address, parseAddress } from '../../../protocol/address.ts';
import {
  type ByteCount,
  sspFromUnits,
  type TokenAmount,
  uint64FromDecimal,
  unitsFromSsp,
} from '../../../protocol/units.ts';
import type { DeviceName } from '../../core/model.ts';
import { parseDeviceName } from '../../core/names.ts';

export type OptionKind<T> = {
  /** Ends the sentence "must be ...". */
  readonly expected: string;
  /** For the documentation: "" where there is none. */
  readonly unit: string;
  readonly range: string;
  /** The value, or undefined if the text is not one. */
  readonly parse: (text: string) => T | undefined;
};

const BYTES_PER_SUFFIX: Readonly<Record<string, bigint>> = { '': 1n, kb: 1_000n, mb: 1_000_000n, gb: 1_000_000_000n };
const SECONDS_PER_SUFFIX: Readonly<Record<string, number>> = { '': 1, s: 1, m: 60, h: 3600, d: 86_400 };
const MINUTE_PATTERN = /^([01][0-9]|2[0-3]):([0-5][0-9])$/;

export function flag(): OptionKind<boolean> {
  const parse = (text: string): boolean | undefined => (text === '0' || text === '1' ? text === '1' : undefined);
  return { expected: '0 (no) or 1 (yes)', unit: '', range: '0 or 1', parse };
}

export function choice<const T extends string>(...values: readonly T[]): OptionKind<T> {
  const range = values.join(', ');
  return { expected: `one of ${range}`, unit: '', range, parse: (text) => values.find((value) => value === text) };
}

export function integer(min: number, max: number, unit = ''): OptionKind<number> {
  return {
    expected: `a whole number from ${min} to ${max}${unit === '' ? '' : ` (${unit})`}`,
    unit,
    range: `${min}..${max}`,
    parse: (text) => {
      const value = /^[0-9]{1,15}$/.test(text) ? Number(text) : -1;
      return value >= min && value <= max ? value : undefined;
    },
  };
}

/** EIP-155 chain id: any positive integer that JSON numbers carry exactly. */
export function chainId(): OptionKind<bigint> {
  return {
    expected: 'a chain id such as 1 (Ethereum) or 31337 (anvil)',
    unit: '',
    range: `1..${Number.MAX_SAFE_INTEGER}`,
    parse: (text) => {
      const value = uint64FromDecimal(text) ?? 0n;
      return value >= 1n && value <= BigInt(Number.MAX_SAFE_INTEGER) ? value : undefined;
    },
  };
}

/** Bounds in SSP text, as the owner reads them. */
export function ssp(min: string, max: string, example: string): OptionKind<TokenAmount> {
  const [minUnits, maxUnits] = [boundFrom(min), boundFrom(max)];
  return {
    expected: `an SSP amount from ${min} to ${max} with at most 4 decimals, such as ${example}`,
    unit: 'SSP',
    range: `${min}..${max}`,
    parse: (text) => within(unitsFromSsp(text), minUnits, maxUnits),
  };
}

/** A size; kB, MB and GB are powers of ten, like the MB of the price. */
export function bytes(min: bigint, max: bigint): OptionKind<ByteCount> {
  return {
    expected: `a size from ${min} to ${max} bytes such as 500kB, 20MB or 1GB`,
    unit: 'bytes, or with kB, MB, GB',
    range: `${min}..${max}`,
    parse: (text) => {
      const match = /^([0-9]{1,19}) ?(|kb|mb|gb)$/.exec(text.toLowerCase());
      const factor = BYTES_PER_SUFFIX[match?.[2] ?? ''];
      return match === null || factor === undefined ? undefined : within(BigInt(match[1] ?? '') * factor, min, max);
    },
  };
}

/** A duration; bounds in seconds. */
export function duration(minSeconds: number, maxSeconds: number): OptionKind<number> {
  const [min, max] = [durationText(minSeconds), durationText(maxSeconds)];
  return {
    expected: `a duration from ${min} to ${max} such as 30s, 10m, 2h or 7d`,
    unit: 'seconds, or with s, m, h, d',
    range: `${min}..${max}`,
    parse: (text) => {
      const match = /^([0-9]{1,9}) ?([smhd]?)$/.exec(text);
      const factor = SECONDS_PER_SUFFIX[match?.[2] ?? ''] ?? 0;
      const seconds = match === null ? -1 : Number(match[1]) * factor;
      return seconds >= minSeconds && seconds <= maxSeconds ? seconds : undefined;
    },
  };
}

/** Minute of the day, 0..1439, from "HH:MM". */
export function timeOfDay(): OptionKind<number> {
  return {
    expected: 'a time of day from 00:00 to 23:59',
    unit: 'HH:MM, local time',
    range: '00:00..23:59',
    parse: (text) => {
      const match = MINUTE_PATTERN.exec(text);
      return match === null ? undefined : Number(match[1]) * 60 + Number(match[2]);
    },
  };
}

export function address(): OptionKind<Address> {
  return {
    expected: 'an address (0x and 40 hex digits)',
    unit: '',
    range: '0x and 40 hex digits',
    parse: parseAddress,
  };
}

export function httpUrl(): OptionKind<string> {
  return {
    expected: 'an http:// or https:// URL of at most 512 characters',
    unit: '',
    range: 'http:// or https://, at most 512 characters',
    parse: (text) => (/^https?:\/\/[^\s/]/.test(text) && text.length <= 512 && URL.canParse(text) ? text : undefined),
  };
}

export function ipAddress(): OptionKind<string> {
  return {
    expected: 'an IPv4 or IPv6 address',
    unit: '',
    range: 'IPv4 or IPv6',
    parse: (text) => (isIP(text) === 0 ? undefined : text),
  };
}

export function hostName(): OptionKind<string> {
  return {
    expected: 'a lower-case host name such as portal.lan',
    unit: '',
    range: 'letters, digits, "-" and "."',
    parse: (text) => {
      const isShort = text.length <= 100;
      const isHost = /^[a-z0-9](?:[a-z0-9-]*[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]*[a-z0-9])?)*$/.test(text);
      return isShort && isHost && !/^[0-9.]+$/.test(text) ? text : undefined;
    },
  };
}

/** A name whose addresses are free: with a dot, or everything below a top-level domain would be. RFC 1035 section 2.3.4. */
export function gardenDomain(): OptionKind<string> {
  const { parse } = hostName();
  return {
    expected: 'a lower-case domain name with at least one dot, such as example.org',
    unit: '',
    range: 'letters, digits, "-" and at least one "."',
    parse: (text) =>
      text.includes('.') && text.split('.').every((part) => part.length <= 63) ? parse(text) : undefined,
  };
}

export function deviceName(): OptionKind<DeviceName> {
  return {
    expected: 'a network device name of 1 to 15 letters, digits, "_", "." and "-"',
    unit: '',
    range: '1 to 15 letters, digits, "_", "." and "-"',
    parse: parseDeviceName,
  };
}

/** Absolute and without "..", so that what is shown is where the file is. */
/** Plain, so that the init script and procd take it as one word (openwrt/files/usr/libexec/shareagent/checked-options). */
export function filePath(maxLength: number): OptionKind<string> {
  return {
    expected: `an absolute path of letters, digits and "/._+@-", without "..", of at most ${maxLength} characters`,
    unit: '',
    range: `absolute, at most ${maxLength} characters`,
    parse: (text) =>
      text.length <= maxLength && /^\/[A-Za-z0-9_./+@-]+$/.test(text) && !/(?:^|\/)\.\.(?:\/|$)/.test(text)
        ? text
        : undefined,
  };
}

/** One line of text for people. */
export function label(maxLength: number): OptionKind<string> {
  return {
    expected: `text of 1 to ${maxLength} characters on one line`,
    unit: '',
    range: `1 to ${maxLength} characters`,
    parse: (text) =>
      text !== '' && text.trim() === text && [...text].length <= maxLength && !/\p{C}/u.test(text) ? text : undefined,
  };
}

/** 90 -> "90s", 3600 -> "1h": the largest unit that needs no fraction. */
export function durationText(seconds: number): string {
  if (seconds === 0) return '0s';
  const unit =
    (['d', 'h', 'm', 's'] as const).find((suffix) => seconds % (SECONDS_PER_SUFFIX[suffix] ?? 1) === 0) ?? 's';
  return `${seconds / (SECONDS_PER_SUFFIX[unit] ?? 1)}${unit}`;
}

function within(value: bigint | undefined, min: bigint, max: bigint): bigint | undefined {
  return value !== undefined && value >= min && value <= max ? value : undefined;
}

function boundFrom(text: string): TokenAmount {
  const units = unitsFromSsp(text);
  if (units === undefined || sspFromUnits(units) !== text)
    throw new RangeError(`bound must be an SSP amount, got ${text}`);
  return units;
}
