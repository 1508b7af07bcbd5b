/** What the owner may see and do, answered from the state. */

import { accountOf } from './core/account.ts';
import type { NodeIdentity } from './core/model.ts';
import { channelOfSession } from './core/state.ts';
import { sessionRow } from './core/view.ts';
import type { Driver } from './driver.ts';
import type { AgentStatus, Clock, Journal, OwnerDesk } from './ports.ts';

export type OwnerDeps = {
  readonly version: string;
  readonly driver: Driver;
  readonly journal: Journal;
  readonly clock: Clock;
  readonly node: NodeIdentity;
  readonly notSelling: () => string | undefined;
  readonly isBusConnected: () => boolean;
  /** Why no proofs are signed; absent while they are. */
  readonly proofsHeld?: string;
};

/** Proofs counted for the status line; the journal keeps more. */
const STATUS_PROOFS = 1_000;

export function createOwnerDesk(deps: OwnerDeps): OwnerDesk {
  const { driver, journal } = deps;
  const startedMs = deps.clock.monotonicMs();
  return {
    status: () => statusOf(deps, startedMs),
    sessions: () => [...driver.state.sessions.values()].map((session) => sessionRow(driver.state, session)),
    channels: () => [...driver.state.channels.values()],
    proofs: (limit) => journal.proofs(limit),
    endSession: async (id) => {
      const session = driver.state.sessions.get(id);
      if (session === undefined || session.ended !== undefined) return false;
      driver.dispatch({ kind: 'session-left', sessionId: id, reason: 'owner' });
      await driver.reconciled();
      return true;
    },
  };
}

function statusOf({ driver, journal, clock, node, version, ...deps }: OwnerDeps, startedMs: number): AgentStatus {
  const { state } = driver;
  const sessions = [...state.sessions.values()];
  const running = sessions.filter(({ ended }) => ended === undefined);
  const unsettled = sessions.filter((session) => channelOfSession(state, session)?.phase !== 'settled');
  const sum = (values: readonly bigint[]) => values.reduce((total, value) => total + value, 0n);
  const proofs = journal.proofs(STATUS_PROOFS);
  const acknowledged = proofs.filter(({ receipt }) => receipt !== undefined).length;
  const notSelling = driver.trouble ?? deps.notSelling();
  return {
    version,
    uptimeMs: clock.monotonicMs() - startedMs,
    device: node.device,
    payee: node.payee,
    ...(notSelling === undefined ? {} : { notSelling }),
    sessions: running.length,
    openChannels: running.filter(({ channelId }) => channelId !== undefined).length,
    earnedUnits: sum(unsettled.map((session) => accountOf(session, channelOfSession(state, session)).chargedUnits)),
    settledUnits: state.settledUnits,
    downBytes: sum(sessions.map(({ usage }) => usage.downBytes)),
    upBytes: sum(sessions.map(({ usage }) => usage.upBytes)),
    proofs: {
      closed: proofs.length,
      acknowledged,
      waiting: proofs.length - acknowledged,
      ...(deps.proofsHeld === undefined ? {} : { held: deps.proofsHeld }),
    },
    isBusConnected: deps.isBusConnected(),
    isClockSynced: clock.wall().isSynced,
  };
}
