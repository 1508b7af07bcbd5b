/**
 * How much guests can make the router spend on opening channels: each open that is relayed costs gas now and another
 * transaction when it is closed, and brings the open fee only if the guest's money really came. Whatever guests do, the
 * router relays no more than this, and nothing at all once the gas key holds less than it needs to close what is open.
 */

import { CLOSE_GAS, OPEN_GAS } from './gas.ts';
import type { StoredOpen } from './journal-entry.ts';
import {
  MAX_FREE_OPENS,
  MAX_FREE_OPENS_PER_MINUTE,
  MAX_OPENS_PER_DAY,
  MAX_OPENS_PER_HOUR,
  MAX_OPENS_PER_MAC_PER_HOUR,
} from './limits.ts';
import type { Mac } from './model.ts';
import { type Refused, refuse } from './refusal.ts';
import { floatFloorWei } from './settlement.ts';
import type { AgentState } from './state.ts';

type Open = AgentState['opens'][number];

const MINUTE_MS = 60_000;
const HOUR_MS = 3_600_000;
export const DAY_MS = 24 * HOUR_MS;
/** What a day of opens that bring nothing can cost at most: each opened and closed. */
export const MAX_OPEN_GAS_PER_DAY = BigInt(MAX_OPENS_PER_DAY) * (OPEN_GAS + CLOSE_GAS);

export type LimitRefusal = Refused<'too-many-opens' | 'not-selling'>;

/** Undefined while the gas key can pay for closing what is open, and for opening one more. It is named to the owner. */
export function judgeFloat(state: Pick<AgentState, 'costs' | 'channels'>, gasKey: string): LimitRefusal | undefined {
  const { costs } = state;
  if (costs === undefined || costs.balanceWei >= floatFloorWei(state, costs)) return undefined;
  const expected = `${floatFloorWei(state, costs)} wei in the gas key ${gasKey}: send it coin`;
  return refuse('not-selling', expected, `${costs.balanceWei} wei`);
}

/** Undefined while one more open may be relayed for this MAC. `gasKey` is named to the owner. */
export function judgeOpenLimits(
  state: Pick<AgentState, 'opens' | 'costs' | 'channels'>,
  gasKey: string,
  mac: Mac,
  nowMs: number,
): LimitRefusal | undefined {
  const { opens } = state;
  const poor = judgeFloat(state, gasKey);
  if (poor !== undefined) return poor;
  const recent = opens.filter((open) => nowMs - open.atMs < HOUR_MS);
  const own = recent.filter((open) => open.mac === mac).length;
  const hour = recent.filter(({ isFree }) => isFree !== true).length;
  const free = recent.filter(({ atMs, isFree }) => isFree === true && nowMs - atMs < MINUTE_MS).length;
  const day = opens.filter((open) => nowMs - open.atMs < DAY_MS && open.isFree !== true).length;
  if (own >= MAX_OPENS_PER_MAC_PER_HOUR) return tooMany(MAX_OPENS_PER_MAC_PER_HOUR, 'an hour', own);
  if (hour >= MAX_OPENS_PER_HOUR) return tooMany(MAX_OPENS_PER_HOUR, 'an hour in all', hour);
  if (day >= MAX_OPENS_PER_DAY) return tooMany(MAX_OPENS_PER_DAY, 'a day in all', day);
  if (free >= MAX_FREE_OPENS_PER_MINUTE)
    return tooMany(MAX_FREE_OPENS_PER_MINUTE, 'a minute that came to nothing', free);
  return undefined;
}

/** The opens with one more; those that no limit asks for any more are dropped, and of free ones the oldest of too many. */
export function withOpen(opens: readonly Open[], mac: Mac, nowMs: number): readonly Open[] {
  const costly = opens.filter(({ atMs, isFree }) => isFree !== true && nowMs - atMs < DAY_MS);
  const free = opens.filter(({ atMs, isFree }) => isFree === true && nowMs - atMs < HOUR_MS);
  return [...free.slice(-MAX_FREE_OPENS), ...costly, { mac, atMs: nowMs }];
}

/**
 * The opens once the newest of this MAC turned out to have cost nothing, because the chain refused it before anything was
 * sent: it counts for that MAC's hour, and for a minute that all share. Else whoever makes up keys without money keeps all
 * others out, for free.
 */
export function withFreeOpen(opens: readonly Open[], mac: Mac): readonly Open[] {
  const index = opens.findLastIndex((open) => open.mac === mac && open.isFree !== true);
  return opens.map((open, i) => (i === index ? { ...open, isFree: true as const } : open));
}

/** The opens of the last day as an earlier run counted them. Of one whose time means nothing now: as if made just now. */
export function restoredOpens(stored: readonly StoredOpen[], nowMs: number, nowS: bigint): readonly Open[] {
  const opens = stored.map(({ mac, atS }): Open => {
    const isMeaningful = atS > 0n && atS <= nowS;
    return { mac, atMs: isMeaningful ? nowMs - Number(nowS - atS) * 1000 : nowMs };
  });
  return opens.filter(({ atMs }) => nowMs - atMs < DAY_MS);
}

function tooMany(most: number, when: string, known: number): LimitRefusal {
  return refuse('too-many-opens', `${most} opens ${when}`, `${known + 1}`);
}
