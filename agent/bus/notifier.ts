/** Tells the bus's subscribers what happened, as rows of the lists that it also answers with. */

import type { BusObject, BusTable } from '../bus-port.ts';
import type { AgentState } from '../core/state.ts';
import type { DriverLog } from '../driver.ts';
import { type Notice, noticesBetween } from './notices.ts';
import type { BusReport } from './report.ts';
import { channelBusRow, sessionBusRow } from './rows.ts';

export type BusNotifierDeps = {
  readonly bus: Pick<BusObject, 'isHeard' | 'notify'>;
  readonly report: BusReport;
  readonly log: DriverLog;
};

/** For Driver's onChange: does nothing while nobody listens, and never throws. */
export function busNotifier({ bus, report, log }: BusNotifierDeps): (before: AgentState, after: AgentState) => void {
  return (before, after) => {
    if (!bus.isHeard()) return;
    try {
      for (const notice of noticesBetween(before, after)) bus.notify(notice.kind, rowOf(notice, after, report));
    } catch (err) {
      log.warn({ err }, 'bus-notification-failed');
    }
  };
}

function rowOf(notice: Notice, state: AgentState, report: BusReport): BusTable {
  switch (notice.kind) {
    case 'session.start':
    case 'session.low':
      return sessionBusRow(state, notice.session, report.rowContext());
    case 'session.end':
      return { ...sessionBusRow(state, notice.session, report.rowContext()), reason: notice.reason };
    case 'payment':
      return { ...channelBusRow(state, notice.channel), paid_units: `${notice.paidUnits}` };
    case 'proof':
      return report.proofs(1)[0] ?? {};
  }
}
