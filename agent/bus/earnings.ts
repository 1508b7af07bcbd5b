/** The funnel of each day as rows on the bus (docs/ubus.md). */

import type { BusTable } from '../bus-port.ts';
import type { Arrow, DayEarnings, Earnings } from '../earnings/earnings.ts';

export const MAX_EARNINGS_DAYS = 31;

/** Who kept the bytes from the next stage. */
const STAGE: Readonly<Record<Arrow, string>> = {
  paid: 'meter',
  proven: 'sign',
  accepted: 'collector',
  rewarded: 'chain',
};

export function earningsTable({ days, undatedBytes }: Earnings): {
  readonly days: readonly BusTable[];
  readonly undated_bytes: bigint;
} {
  return { days: days.map(dayTable), undated_bytes: undatedBytes };
}

function dayTable(day: DayEarnings): BusTable {
  return {
    date: day.date,
    metered_bytes: day.meteredBytes,
    bytes: day.paidBytes,
    paid_units: `${day.paidUnits}`,
    proven_bytes: day.provenBytes,
    accepted_bytes: day.acceptedBytes,
    rewarded_units: day.rewardedUnits === undefined ? undefined : `${day.rewardedUnits}`,
    // A router that was never told of rewards has lost nothing by that.
    reasons: day.losses
      .filter(({ reason }) => reason !== 'reward-unknown')
      .map(({ before, reason, bytes }) => ({
        stage: reason === 'waiting' ? 'upload' : STAGE[before],
        reason,
        bytes,
      })),
  };
}
