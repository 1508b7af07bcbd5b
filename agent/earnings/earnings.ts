/**
 * From the byte on the air to the reward, day by day and session by session: metered -> paid -> proven -> accepted ->
 * rewarded, and at each arrow how many bytes stayed behind, and why (earning-reasons.ts says it in words).
 *
 * Days are UTC. Rewards are by the week and by what was claimed on chain; a day's part of its week's reward is that of its
 * accepted payments among those of the week.
 */

import type { ProofRecord } from '../ports.ts';
import type { EarningReason } from './earning-reasons.ts';

/** Bytes and units of an interval, by what is known of its time. */
type Interval = { readonly endS: bigint; readonly isDated: boolean; readonly bytes: bigint; readonly units: bigint };

/** What a week's claims on chain brought; `state` says what becomes of the reward. */
export type WeekReward = {
  /** Weeks since 1970. */
  readonly epoch: bigint;
  /** Claimed on chain for this device. */
  readonly claimedUnits: bigint;
  /** Paid, or to be claimed; for the running week what it would be now. */
  readonly rewardUnits: bigint;
  readonly state: 'running' | 'claimable' | 'paid';
};

export type SessionEarnings = {
  readonly id: number;
  readonly channelId?: string;
  readonly meteredBytes: bigint;
  readonly chargedUnits: bigint;
  /** In an interval that is not closed yet. */
  readonly openBytes: bigint;
  /** Closed, but not signed yet. */
  readonly unsignedBytes: bigint;
  /** Signed, and not acknowledged yet. */
  readonly waitingBytes: bigint;
  /** Acknowledged with a verdict: which, is on the list of proofs. */
  readonly judgedBytes: bigint;
  /** Free ones: trial and gifts, and all bytes of a session without a channel. */
  readonly freeBytes: bigint;
};

export type EarningsInput = {
  /** Of at least the days asked for, any order. */
  readonly records: readonly ProofRecord[];
  /** Closed intervals that are not signed yet. */
  readonly unsigned: readonly Interval[];
  /** Of paid sessions, since the last interval was closed. */
  readonly open: { readonly bytes: bigint; readonly units: bigint };
  /** Why nothing is signed at all, if so. */
  readonly heldBecause?: string;
  /** Of trials, ended ones among them as far as they are known (free-bytes.ts). */
  readonly freeBytesToday: bigint;
  /** All that are known, also those in which nothing was claimed. */
  readonly weeks: readonly WeekReward[];
  readonly sessions: readonly SessionEarnings[];
  /** Unix seconds. */
  readonly nowS: bigint;
};

/** Where bytes stayed behind: before the stage of that name. */
export type Arrow = 'paid' | 'proven' | 'accepted' | 'rewarded';

export type Loss = { readonly before: Arrow; readonly reason: EarningReason; readonly bytes: bigint };

export type DayEarnings = {
  readonly date: string;
  readonly meteredBytes: bigint;
  readonly paidBytes: bigint;
  readonly paidUnits: bigint;
  readonly provenBytes: bigint;
  readonly acceptedBytes: bigint;
  readonly acceptedUnits: bigint;
  /** Accepted bytes of weeks whose reward was paid out. */
  readonly rewardedBytes: bigint;
  /** Absent while nothing is known of the week's reward. */
  readonly rewardedUnits?: bigint;
  readonly losses: readonly Loss[];
};

export type Earnings = {
  /** Newest first; every day is there. */
  readonly days: readonly DayEarnings[];
  readonly weeks: readonly WeekReward[];
  readonly sessions: readonly SessionEarnings[];
  /** In intervals without a date: the clock was not set, and was not corrected since. */
  readonly undatedBytes: bigint;
  /** In the owner's own words why nothing is signed; absent while proofs are. */
  readonly heldBecause?: string;
};

type Sums = {
  metered: bigint;
  paid: bigint;
  paidUnits: bigint;
  proven: bigint;
  accepted: bigint;
  acceptedUnits: bigint;
  readonly losses: Map<string, { before: Arrow; reason: EarningReason; bytes: bigint }>;
};

const DAY_S = 86_400n;
const DAYS_PER_EPOCH = 7n;

export function earnings(input: EarningsInput, dayCount: number): Earnings {
  const { records, unsigned, open, heldBecause, freeBytesToday, weeks, sessions, nowS } = input;
  const today = nowS / DAY_S;
  const days = new Map<bigint, Sums>();
  for (let back = 0n; back < BigInt(dayCount); back += 1n) days.set(today - back, noSums());
  let undatedBytes = 0n;
  const dayOf = ({ endS, isDated, bytes }: Interval): Sums | undefined => {
    if (!isDated) undatedBytes += bytes;
    return isDated ? days.get(endS / DAY_S) : undefined;
  };
  for (const record of records) addRecord(dayOf(intervalOf(record)), record);
  for (const interval of unsigned)
    addUnproven(dayOf(interval), interval, heldBecause === undefined ? 'not-signed' : 'held');
  const current = { ...open, endS: nowS, isDated: true };
  addUnproven(days.get(today), current, heldBecause === undefined ? 'open-interval' : 'held');
  const newest = days.get(today);
  if (newest !== undefined) {
    newest.metered += freeBytesToday;
    lose(newest, 'paid', 'free', freeBytesToday);
  }
  const paidByEpoch = acceptedUnitsByEpoch(records);
  return {
    days: [...days].map(([day, sums]) => dayEarnings(day, sums, weeks, paidByEpoch)),
    weeks: weeks.filter(({ claimedUnits }) => claimedUnits > 0n),
    sessions,
    undatedBytes,
    ...(heldBecause === undefined ? {} : { heldBecause }),
  };
}

/** One whose clock was put right is dated by the collector; what the router has of that is the receipt. */
function intervalOf({ proof, receipt }: ProofRecord): Interval {
  const { endS, clockState, bytesUp, bytesDown, paid } = proof;
  const figures = { bytes: bytesUp + bytesDown, units: paid };
  if (clockState === 0n && receipt?.verdict === 'valid') return { endS: receipt.receivedS, isDated: true, ...figures };
  return { endS, isDated: clockState !== 0n, ...figures };
}

function addRecord(day: Sums | undefined, record: ProofRecord): void {
  if (day === undefined) return;
  const { bytes, units } = intervalOf(record);
  day.metered += bytes;
  day.paid += bytes;
  day.paidUnits += units;
  day.proven += bytes;
  const verdict = record.receipt?.verdict;
  if (verdict === 'valid') {
    day.accepted += bytes;
    day.acceptedUnits += units;
  } else lose(day, 'accepted', verdict ?? 'waiting', bytes);
}

function addUnproven(day: Sums | undefined, { bytes, units }: Interval, reason: EarningReason): void {
  if (day === undefined) return;
  day.metered += bytes;
  day.paid += bytes;
  day.paidUnits += units;
  lose(day, 'proven', reason, bytes);
}

function dayEarnings(
  day: bigint,
  sums: Sums,
  weeks: readonly WeekReward[],
  acceptedByEpoch: ReadonlyMap<bigint, bigint>,
): DayEarnings {
  const epoch = day / DAYS_PER_EPOCH;
  const week = weeks.find((one) => one.epoch === epoch);
  const accepted = acceptedByEpoch.get(epoch) ?? 0n;
  // Nothing for a week that is over; of one that runs it is not known yet.
  const isOpen = week === undefined || (week.claimedUnits === 0n && week.state === 'running');
  const rewardedUnits = isOpen || accepted === 0n ? undefined : (week.rewardUnits * sums.acceptedUnits) / accepted;
  const isPaid = week?.state === 'paid';
  if (!isPaid) lose(sums, 'rewarded', rewardLoss(week), sums.accepted);
  return {
    date: new Date(Number(day * DAY_S) * 1000).toISOString().slice(0, 10),
    meteredBytes: sums.metered,
    paidBytes: sums.paid,
    paidUnits: sums.paidUnits,
    provenBytes: sums.proven,
    acceptedBytes: sums.accepted,
    acceptedUnits: sums.acceptedUnits,
    rewardedBytes: isPaid ? sums.accepted : 0n,
    ...(rewardedUnits === undefined ? {} : { rewardedUnits }),
    losses: [...sums.losses.values()],
  };
}

function rewardLoss(week: WeekReward | undefined): EarningReason {
  if (week === undefined) return 'reward-unknown';
  if (week.state === 'running') return 'week-running';
  return week.rewardUnits === 0n ? 'nothing-claimed' : 'reward-unclaimed';
}

function acceptedUnitsByEpoch(records: readonly ProofRecord[]): ReadonlyMap<bigint, bigint> {
  const sums = new Map<bigint, bigint>();
  for (const record of records) {
    if (record.receipt?.verdict !== 'valid') continue;
    const { endS, units } = intervalOf(record);
    const epoch = endS / DAY_S / DAYS_PER_EPOCH;
    sums.set(epoch, (sums.get(epoch) ?? 0n) + units);
  }
  return sums;
}

function noSums(): Sums {
  return { metered: 0n, paid: 0n, paidUnits: 0n, proven: 0n, accepted: 0n, acceptedUnits: 0n, losses: new Map() };
}

function lose(day: Sums, before: Arrow, reason: EarningReason, bytes: bigint): void {
  if (bytes === 0n) return;
  const key = `${before} ${reason}`;
  const known = day.losses.get(key) ?? { before, reason, bytes: 0n };
  known.bytes += bytes;
  day.losses.set(key, known);
}
