/** What the router has earned, and its rewards, which are claimed once they are worth the gas: watch and report joined. */

import type { OwnerDesk } from '../owner-port.ts';
import type { Earnings, WeekReward } from './earnings.ts';
import { createEarningsBook, type EarningsBookDeps } from './earnings-book.ts';
import { FreeBytes } from './free-bytes.ts';
import { RewardWatch, type RewardWatchDeps } from './reward-watch.ts';

type Parts = RewardWatchDeps &
  Omit<EarningsBookDeps, 'weeks' | 'proofsHeld'> & { readonly owner: Pick<OwnerDesk, 'status'> };

/** `opened`: what is closed at the end, in reverse. */
export function followEarnings(
  parts: Parts,
  opened: { readonly name: string; readonly close: () => unknown }[],
): {
  readonly weeks: () => readonly WeekReward[];
  readonly freeToday: () => bigint;
  readonly earnings: (days: number) => Earnings;
} {
  const rewards = new RewardWatch(parts);
  opened.push({ name: 'rewards', close: () => rewards.close() });
  rewards.start();
  const free = new FreeBytes(parts);
  opened.push({ name: 'free-bytes', close: () => free.close() });
  free.start();
  const freeToday = () => free.today();
  const weeks = () => rewards.known();
  const proofsHeld = () => parts.owner.status().proofs.held;
  return { weeks, freeToday, earnings: createEarningsBook({ ...parts, weeks, freeToday, proofsHeld }) };
}
