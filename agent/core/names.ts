/**
 * Names and addresses that come from outside, checked once at the border. Only what passes here may reach a packet filter
 * rule: the kernel itself accepts interface names such as `a;accept`, `x"y` or `-h`.
 */
import type { DeviceName, IpAddress, Mac } from './model.ts';

const DEVICE_PATTERN = /^[A-Za-z0-9_.][A-Za-z0-9_.-]{0,14}$/;
const MAC_PATTERN = /^[0-9a-f]{2}(?::[0-9a-f]{2}){5}$/;

/** A unicast MAC in lower case with colons, from any of the forms OpenWrt's daemons use; undefined otherwise. */
export function parseMac(text: string): Mac | undefined {
  const lower = text.toLowerCase();
  const colons = /^[0-9a-f]{12}$/.test(lower) ? lower.replace(/(..)(?=.)/g, '$1:') : lower;
  if (!MAC_PATTERN.test(colons)) return undefined;
  const isGroup = (Number.parseInt(colons.slice(0, 2), 16) & 1) === 1;
  if (isGroup || colons === '00:00:00:00:00:00') return undefined;
  return colons as Mac;
}

/** An interface name of 1..15 safe characters that does not start with a hyphen; undefined otherwise. */
export function parseDeviceName(text: string): DeviceName | undefined {
  return DEVICE_PATTERN.test(text) && text !== '.' && text !== '..' ? (text as DeviceName) : undefined;
}

/** A canonical IPv4 or IPv6 unicast address; IPv4-mapped IPv6 becomes IPv4; undefined for anything else. */
export function parseIp(text: string): IpAddress | undefined {
  if (text.length > 45) return undefined;
  return text.includes(':') ? parseIpv6(text) : parseIpv4(text);
}

export function isIpv6(address: IpAddress): boolean {
  return address.includes(':');
}

/** fe80::/10: never routed, so never bound to a session. */
export function isLinkLocal(address: IpAddress): boolean {
  return /^fe[89ab][0-9a-f]:/.test(address) || address.startsWith('169.254.');
}

function parseIpv4(text: string): IpAddress | undefined {
  const match = /^(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})$/.exec(text);
  if (match === null) return undefined;
  const octets = match.slice(1).map(Number);
  const isCanonical = octets.every((octet, i) => octet <= 255 && String(octet) === match[i + 1]);
  const first = octets[0] as number;
  return isCanonical && first > 0 && first < 224 ? (text as IpAddress) : undefined;
}

function parseIpv6(text: string): IpAddress | undefined {
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(text);
  if (mapped !== null) return parseIpv4(mapped[1] as string);
  const groups = groupsFromIpv6(text);
  if (groups === undefined) return undefined;
  if (groups.slice(0, 5).every((group) => group === 0) && groups[5] === 0xffff) return ipv4FromMapped(groups);
  const isUnspecifiedOrLoopback = groups.slice(0, 7).every((group) => group === 0) && (groups[7] as number) <= 1;
  if (isUnspecifiedOrLoopback || (groups[0] as number) >= 0xff00) return undefined;
  return textFromGroups(groups) as IpAddress;
}

/** ::ffff:c0a8:1 is ::ffff:192.168.0.1 in its other spelling. */
function ipv4FromMapped(groups: readonly number[]): IpAddress | undefined {
  const [high, low] = groups.slice(6) as [number, number];
  return parseIpv4([high >> 8, high & 0xff, low >> 8, low & 0xff].join('.'));
}

/** Eight 16-bit groups, or undefined. Embedded IPv4 is not accepted: nobody sends it in the tables we read. */
function groupsFromIpv6(text: string): number[] | undefined {
  const halves = text.split('::');
  if (halves.length > 2) return undefined;
  const parse = (half: string): number[] | undefined => {
    if (half === '') return [];
    const parts = half.split(':');
    if (!parts.every((part) => /^[0-9a-fA-F]{1,4}$/.test(part))) return undefined;
    return parts.map((part) => Number.parseInt(part, 16));
  };
  const head = parse(halves[0] as string);
  const tail = halves.length === 2 ? parse(halves[1] as string) : [];
  if (head === undefined || tail === undefined) return undefined;
  const missing = 8 - head.length - tail.length;
  if (halves.length === 1 ? missing !== 0 : missing < 1) return undefined;
  return [...head, ...Array<number>(missing).fill(0), ...tail];
}

/** RFC 5952 section 4: lower case, the longest run of two or more zero groups (the first of equals) as "::". */
function textFromGroups(groups: readonly number[]): string {
  let best = { start: -1, length: 1 };
  for (let i = 0; i < 8; i++) {
    let length = 0;
    while (groups[i + length] === 0) length++;
    if (length > best.length) best = { start: i, length };
    i += length;
  }
  const hex = groups.map((group) => group.toString(16));
  if (best.start < 0) return hex.join(':');
  return `${hex.slice(0, best.start).join(':')}::${hex.slice(best.start + best.length).join(':')}`;
}

/** True if `address` lies in the prefix; false across families. `length` is 0..32 or 0..128. */
export function isInPrefix(address: IpAddress, prefix: IpAddress, length: number): boolean {
  if (isIpv6(address) !== isIpv6(prefix)) return false;
  const shift = BigInt((isIpv6(address) ? 128 : 32) - length);
  return numberFromIp(address) >> shift === numberFromIp(prefix) >> shift;
}

function numberFromIp(address: IpAddress): bigint {
  if (!isIpv6(address)) return address.split('.').reduce((sum, octet) => (sum << 8n) | BigInt(octet), 0n);
  const groups = groupsFromIpv6(address) as number[];
  return groups.reduce((sum, group) => (sum << 16n) | BigInt(group), 0n);
}
