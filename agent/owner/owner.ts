/** What the owner may see and do, answered from the state. */

import { accountOf } from '../core/account.ts';
import type { AgentConfig } from '../core/config.ts';
import { judgeGift } from '../core/judge-gift.ts';
import type { NodeIdentity, SessionId } from '../core/model.ts';
import { channelOfSession } from '../core/state.ts';
import { sessionRow } from '../core/view.ts';
import type { Driver } from '../driver.ts';
import { saleTroubles } from '../guest/sale-trouble.ts';
import type { OwnerDesk } from '../owner-port.ts';
import type { AgentStatus, Clock, HealthCheck, Journal } from '../ports.ts';

export type OwnerDeps = {
  readonly version: string;
  readonly driver: Driver;
  readonly journal: Journal;
  readonly clock: Clock;
  readonly node: NodeIdentity;
  readonly notSelling: () => string | undefined;
  readonly isBusConnected: () => boolean;
  /** Why no proofs are signed; absent while they are. */
  readonly proofsHeld?: string | undefined;
  /** What the agent knows of itself beside sale, clock, bus and proofs. */
  readonly checks?: () => readonly HealthCheck[];
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
  // Intervals that are closed and not signed yet wait for the collector as well.
  const { drafts } = journal.waiting();
  const [notSelling] = saleTroubles({ driver, clock, notSelling: deps.notSelling });
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
    gasWei: sum([...state.channels.values()].map(({ gasWei = 0n }) => gasWei)),
    openFeeUnits: sum([...state.channels.values()].map((channel) => (channel.deposit > 0n ? channel.openFee : 0n))),
    downBytes: sum(sessions.map(({ usage }) => usage.downBytes)),
    upBytes: sum(sessions.map(({ usage }) => usage.upBytes)),
    proofs: {
      closed: proofs.length + drafts,
      acknowledged,
      waiting: proofs.length - acknowledged + drafts,
      ...(deps.proofsHeld === undefined ? {} : { held: deps.proofsHeld }),
    },
    isBusConnected: deps.isBusConnected(),
    isClockSynced: isOwnClockSet(clock),
    health: [
      ...(notSelling === undefined ? [] : [saleCheck(notSelling)]),
      clockCheck(clock),
      busCheck(deps.isBusConnected()),
      proofsCheck(deps.proofsHeld),
      ...depositsCheck(state),
      ...(deps.checks?.() ?? []),
    ],
  };
}

/** Troubles are written as "what is wrong; what to do". */
function saleCheck(trouble: string): HealthCheck {
  const [message = trouble, ...fix] = trouble.split('; ');
  return { check: 'sale', ok: false, message, fix: fix.join('; ') || 'Look further with: shareagent doctor' };
}

function clockCheck(clock: Clock): HealthCheck {
  if (isOwnClockSet(clock)) return { check: 'clock', ok: true, message: 'set by time synchronisation' };
  const fix = 'Enable NTP (uci set system.ntp.enabled=1; service sysntpd restart) and let udp port 123 out.';
  return { check: 'clock', ok: false, message: 'not set yet: nothing is sold, and proofs have no date', fix };
}

function busCheck(isConnected: boolean): HealthCheck {
  if (isConnected) return { check: 'bus', ok: true, message: 'ubus is heard' };
  const fix = 'See if ubusd runs (service ubus status) and shareagent.network.ubus_socket is right.';
  return { check: 'bus', ok: false, message: 'ubus is not heard: guests who leave are noticed late', fix };
}

function proofsCheck(held: string | undefined): HealthCheck {
  if (held === undefined) return { check: 'proofs', ok: true, message: 'signed and stored' };
  return { check: 'proofs', ok: false, message: `none is signed: ${held}`, fix: 'Repair the journal that it names.' };
}

/** Confirmed once, and less on chain since than the vouchers come to, or found so in the journal: no credit until it is there. */
function depositsCheck({ channels }: Driver['state']): readonly HealthCheck[] {
  const held = [...channels.values()].filter(
    ({ phase, deposit, isStale }) => phase === 'pending' && deposit > 0n && isStale !== true,
  );
  if (held.length === 0) return [];
  const message = `${held.length} channel(s) wait for a deposit that the chain had confirmed: ${held[0]?.id}`;
  const fix = 'They go on by themselves once the chain shows it. If not, see if chain.rpc_url follows the right chain.';
  return [{ check: 'deposits', ok: false, message, fix }];
}

/** Given; or there is no such running session; or the day's bound leaves only so many bytes. */
export type GiftResult =
  | { readonly kind: 'given' | 'not-found' }
  | { readonly kind: 'used-up'; readonly leftBytes: bigint };

/**
 * Gives a running session bytes for nothing: stored with the day's sum, and in the kernel, when it resolves.
 * @throws if journal or kernel refuse
 */
export async function extendSession(
  { driver, clock, config }: { readonly driver: Driver; readonly clock: Clock; readonly config: AgentConfig },
  sessionId: SessionId,
  bytes: bigint,
): Promise<GiftResult> {
  const session = driver.state.sessions.get(sessionId);
  if (session === undefined || session.ended !== undefined) return { kind: 'not-found' };
  const { isAllowed, leftBytes, dayS } = judgeGift(driver.state, config.price, bytes, clock.wall().unixS);
  if (!isAllowed) return { kind: 'used-up', leftBytes };
  driver.dispatch({ kind: 'session-extended', sessionId, bytes, dayS });
  const extended = driver.state.sessions.get(sessionId) ?? session;
  await driver.commit([driver.sessionEntry(extended), { kind: 'gifts', ...driver.state.gifts }]);
  await driver.reconciled();
  return { kind: 'given' };
}

function isOwnClockSet(clock: Clock): boolean {
  const { isSynced, isBorrowed } = clock.wall();
  return isSynced && isBorrowed !== true;
}
