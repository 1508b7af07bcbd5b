/**
 * Names and sizes of what stands in the kernel. A name here never holds text from outside: session numbers and counters
 * only.
 */
import type { ByteCount } from '../../../protocol/units.ts';
import type { SessionId } from '../../core/model.ts';
import type { NftFamily } from './nft-json.ts';

/** Our table's name, in the families inet (metering, enforcement) and bridge (which port a MAC belongs to). */
export const TABLE = 'shareagent';

/** Sets whose elements say what one session may do. `family` is that of the table which holds the set. */
export const GRANT_SETS = {
  up4: { family: 'inet', capacity: 8_192 },
  up6: { family: 'inet', capacity: 32_768 },
  down4: { family: 'inet', capacity: 8_192 },
  down6: { family: 'inet', capacity: 32_768 },
  count_up: { family: 'inet', capacity: 8_192 },
  count_down4: { family: 'inet', capacity: 8_192 },
  count_down6: { family: 'inet', capacity: 32_768 },
  online: { family: 'inet', capacity: 8_192 },
  rate_up: { family: 'inet', capacity: 8_192 },
  rate_down4: { family: 'inet', capacity: 8_192 },
  rate_down6: { family: 'inet', capacity: 32_768 },
  trial_up4: { family: 'inet', capacity: 4_096 },
  trial_up6: { family: 'inet', capacity: 16_384 },
  trial_down4: { family: 'inet', capacity: 4_096 },
  trial_down6: { family: 'inet', capacity: 16_384 },
  trial_rate_up: { family: 'inet', capacity: 4_096 },
  trial_rate_down4: { family: 'inet', capacity: 4_096 },
  trial_rate_down6: { family: 'inet', capacity: 16_384 },
  port: { family: 'bridge', capacity: 8_192 },
  bound: { family: 'bridge', capacity: 8_192 },
  arp_home: { family: 'bridge', capacity: 8_192 },
  nd_home: { family: 'inet', capacity: 32_768 },
  nd_owned: { family: 'inet', capacity: 32_768 },
} as const satisfies Record<string, { readonly family: NftFamily; readonly capacity: number }>;

export type GrantSet = keyof typeof GRANT_SETS;

/** What paid sessions pass through, and the map of trials in its stead: looked at after it, so that trials cost payers nothing. */
export const TRIAL_MAPS = {
  up4: 'trial_up4',
  up6: 'trial_up6',
  down4: 'trial_down4',
  down6: 'trial_down6',
  rate_up: 'trial_rate_up',
  rate_down4: 'trial_rate_down4',
  rate_down6: 'trial_rate_down6',
} as const satisfies Partial<Record<GrantSet, GrantSet>>;
/** A packet passes only through these: taking a session's elements out of them stops it at once. */
export const QUOTA_MAPS = [
  'up4',
  'up6',
  'down4',
  'down6',
  'trial_up4',
  'trial_up6',
  'trial_down4',
  'trial_down6',
] as const satisfies readonly GrantSet[];
/** What is billed is read from these. */
export const COUNTER_SETS = ['count_up', 'count_down4', 'count_down6'] as const satisfies readonly GrantSet[];
export const UNBOUND_SETS = ['unbound4', 'unbound6'] as const;

/** Room for addresses waiting to be bound: 60 of each of 64 busy guests. What does not fit is seen again on its next packet. */
export const UNBOUND_CAPACITY = 4_096;
/** A pair is remembered this long after its first packet; several sampling intervals. */
export const UNBOUND_SECONDS = 30;
/** Addresses that dnsmasq may put into the walled garden. */
export const GARDEN_CAPACITY = 4_096;
/** dnsmasq does not put an address in again while it answers from its cache: longer than nearly all names may be cached. */
export const GARDEN_SECONDS = 86_400;
/** MACs whose DNS or ping rate is watched at a time. One more than that gets no DNS until another is forgotten. */
export const WATCHED_MACS_CAPACITY = 8_192;
export const WATCHED_MACS_SECONDS = 60;

/** GRO makes packets of up to 64 KiB; a smaller burst would never let one through. */
export const RATE_BURST_BYTES = 65_536;
/** Largest integer that survives JSON; 9 PB. */
const MAX_JSON_INTEGER = BigInt(Number.MAX_SAFE_INTEGER);

export function isCounterSet(set: GrantSet): boolean {
  return set.startsWith('count_');
}

/** Quotas are numbered within a session: a used-up one is replaced by a new one, seeded with what truly passed. */
export function quotaName(sessionId: SessionId, round: number): string {
  return `q${sessionId}_${round}`;
}

export function parseQuotaName(name: string): { readonly sessionId: SessionId; readonly round: number } | undefined {
  const match = /^q([0-9]{1,15})_([0-9]{1,15})$/.exec(name);
  return match === null ? undefined : { sessionId: Number(match[1]), round: Number(match[2]) };
}

/** The value is part of the name because a limit cannot be changed in place. */
export function rateName(direction: 'up' | 'down', sessionId: SessionId, bytesPerS: bigint): string {
  return `${direction}${sessionId}_${bytesPerS}`;
}

export function isRateName(name: string): boolean {
  return /^(up|down)[0-9]{1,15}_[0-9]{1,19}$/.test(name);
}

/** What stood in a counter before this element was made: JSON cannot seed an element's counter, its comment can hold the base. */
export type CounterBase = { readonly sessionId: SessionId; readonly bytes: ByteCount; readonly packets: bigint };

export function commentFromBase(base: CounterBase): string {
  return `${base.sessionId} ${base.bytes} ${base.packets}`;
}

export function baseFromComment(comment: string): CounterBase | undefined {
  const match = /^([0-9]{1,15}) ([0-9]{1,19}) ([0-9]{1,19})$/.exec(comment);
  if (match === null) return undefined;
  const [, sessionId = '', bytes = '', packets = ''] = match;
  return { sessionId: Number(sessionId), bytes: BigInt(bytes), packets: BigInt(packets) };
}

export function jsonFromBytes(bytes: ByteCount): number {
  return Number(bytes < MAX_JSON_INTEGER ? bytes : MAX_JSON_INTEGER);
}
