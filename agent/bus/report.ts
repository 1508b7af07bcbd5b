/** The agent as the owner sees it over the bus: tables in the words of docs/ubus.md, from state, journal and configuration. */

import { type BusTable, int32 } from '../bus-port.ts';
import type { AgentConfig } from '../core/config.ts';
import type { Mac, Tariff } from '../core/model.ts';
import { bytesForUnits, millisForUnits, tariffAt } from '../core/tariff.ts';
import { guestView } from '../core/view.ts';
import type { Driver } from '../driver.ts';
import type { WeekReward } from '../earnings/earnings.ts';
import { createEarningsBook } from '../earnings/earnings-book.ts';
import type { OwnerDesk } from '../owner-port.ts';
import type { AirReading, Clock, Journal } from '../ports.ts';
import { earningsTable } from './earnings.ts';
import { channelBusRow, proofBusRow, type RowContext, sessionBusRow } from './rows.ts';

export type BusReportDeps = {
  readonly config: AgentConfig;
  readonly driver: Pick<Driver, 'state'>;
  readonly journal: Pick<Journal, 'proofs' | 'drafts' | 'outbox'>;
  /** What is known of rewards; absent: nothing. */
  readonly weeks?: () => readonly WeekReward[];
  readonly freeToday?: () => bigint;
  readonly clock: Clock;
  readonly owner: Pick<OwnerDesk, 'status'>;
  readonly saleTroubles: () => readonly string[];
  readonly restartNeeded: () => readonly string[];
  /** Whether the chain answered when it was last asked; undefined before that. */
  readonly isChainConnected: () => boolean | undefined;
  readonly minuteOfDay: () => number;
  readonly hostnameOf: (mac: Mac) => string | undefined;
  readonly airOf: (mac: Mac) => AirReading | undefined;
};

export type BusReport = {
  readonly status: () => BusTable;
  readonly sessions: () => readonly BusTable[];
  readonly channels: () => readonly BusTable[];
  readonly earnings: (days: number) => BusTable;
  readonly proofs: (limit: number) => readonly BusTable[];
  readonly price: () => BusTable;
  /** For notifications: rows are of the moment. */
  readonly rowContext: () => RowContext;
};

/** A day of ten-minute intervals, many times over. */
const TODAY_PROOFS = 1_000;

export function createBusReport(deps: BusReportDeps): BusReport {
  const { driver, journal, clock } = deps;
  const rowContext = (): RowContext => {
    const wall = clock.wall();
    const { hostnameOf, airOf } = deps;
    return { nowMs: clock.monotonicMs(), ...(wall.isSynced ? { unixS: wall.unixS } : {}), hostnameOf, airOf };
  };
  return {
    status: () => statusTable(deps),
    sessions: () => {
      const context = rowContext();
      return [...driver.state.sessions.values()].map((session) => sessionBusRow(driver.state, session, context));
    },
    channels: () => [...driver.state.channels.values()].map((channel) => channelBusRow(driver.state, channel)),
    earnings: (days) => earningsOf(deps, days),
    proofs: (limit) => journal.proofs(limit).map(proofBusRow),
    price: () => priceTable(deps),
    rowContext,
  };
}

function statusTable(deps: BusReportDeps): BusTable {
  const { config, driver, journal, clock } = deps;
  const status = deps.owner.status();
  const troubles = deps.saleTroubles();
  const records = journal.proofs(TODAY_PROOFS);
  const [today] = earningsOf(deps, 1).days;
  const verdicts = records.flatMap(({ receipt }) => receipt?.verdict ?? []);
  const accepted = verdicts.filter((verdict) => verdict === 'valid').length;
  const selling = troubles.length === 0 ? 'selling' : 'not-selling';
  return {
    version: status.version,
    state: config.isEnabled ? selling : 'disabled',
    not_selling: troubles,
    uptime_s: int32(status.uptimeMs / 1000),
    device: status.device,
    payee: status.payee,
    sessions: status.sessions,
    guests_online: guestsOnline(driver.state),
    clock: clock.wall().isSynced ? 'synced' : 'unsynced',
    bus: status.isBusConnected ? 'connected' : 'lost',
    chain: {
      connected: deps.isChainConnected(),
      claimable_units: `${status.earnedUnits}`,
      settled_units: `${status.settledUnits}`,
    },
    proofs: {
      held: status.proofs.held,
      pending: status.proofs.waiting,
      accepted,
      rejected: verdicts.length - accepted,
    },
    bytes_today: today?.['bytes'],
    earned_today_units: today?.['paid_units'],
    restart_needed: deps.restartNeeded(),
    health: (status.health ?? []).map(({ check, ok, message, fix }) => ({ check, ok, message, fix })),
  };
}

function guestsOnline(state: Driver['state']): number {
  return [...state.sessionByMac.keys()].filter((mac) => guestView(state, mac).isOnline).length;
}

function earningsOf(deps: BusReportDeps, days: number) {
  return earningsTable(createEarningsBook({ ...deps, proofsHeld: () => deps.owner.status().proofs.held })(days));
}

function priceTable({ config, minuteOfDay }: BusReportDeps): BusTable {
  const { price } = config;
  const now = tariffAt(price, minuteOfDay());
  return {
    ...tariffTable(price.tariff),
    open_fee_units: `${price.openFee}`,
    min_deposit_units: `${price.minDeposit}`,
    trial_bytes: price.trialBytes,
    now: tariffTable(now),
    packages: price.packages.map(({ name, units }) => ({
      name,
      price_units: `${units}`,
      ...purchase(now, units - price.openFee),
    })),
    windows: price.windows.map(({ fromMinute, toMinute, tariff }) => ({
      from: timeText(fromMinute),
      to: timeText(toMinute),
      ...tariffTable(tariff),
    })),
  };
}

/** What the units buy, each as if the other cost nothing. */
function purchase(tariff: Tariff, units: bigint): BusTable {
  const millis = millisForUnits(tariff, units);
  return {
    bytes: tariff.unitsPerMb === 0n ? undefined : bytesForUnits(tariff, units, 0, 0n),
    seconds: millis === undefined ? undefined : int32(Number(millis / 1000n)),
  };
}

function tariffTable({ unitsPerMb, unitsPerMinute }: Tariff): BusTable {
  return { per_mb_units: `${unitsPerMb}`, per_minute_units: `${unitsPerMinute}` };
}

function timeText(minute: number): string {
  return `${String(Math.floor(minute / 60)).padStart(2, '0')}:${String(minute % 60).padStart(2, '0')}`;
}
