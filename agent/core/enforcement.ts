/** What the kernel shall look like, as a function of the state. */
import { accountOf, hasCredit } from './account.ts';
import type { AgentConfig } from './config.ts';
import { totalBytes } from './meter.ts';
import type { EnforcementPlan, SessionGrant, Station } from './model.ts';
import { type AgentState, channelOfSession, type LiveChannel, type LiveSession } from './state.ts';
import { rateOfTrial } from './trial-share.ts';

export function enforcementPlan(state: AgentState, config: AgentConfig, nowMs: number): EnforcementPlan {
  const served = [...state.sessions.values()].filter((session) => isServed(session, config, nowMs));
  const trials = new Set(served.filter((session) => !isPaid(channelOfSession(state, session))));
  const { trial } = config.price;
  const rate = trial === undefined ? undefined : rateOfTrial(trial.rate, trials.size, config.network.rate);
  const grants = served.map((session) => {
    const grant = grantFor(state, session, config);
    return rate === undefined || !trials.has(session) ? grant : { ...grant, rate, isTrial: true as const };
  });
  return { guestDevices: config.network.guestDevices, portalPort: config.portal.port, grants };
}

/** An ended session is not served; a used-up one is held for the grace time, then its flows are ended too; a paused one is held as long as that. */
export function isServed(session: LiveSession, config: AgentConfig, nowMs: number): boolean {
  if (session.ended !== undefined) return false;
  if (session.pausedAtMs !== undefined) return true;
  return session.depletedAtMs === undefined || nowMs < session.depletedAtMs + config.session.graceSeconds * 1000;
}

function grantFor(state: AgentState, session: LiveSession, config: AgentConfig): SessionGrant {
  const { limitBytes } = accountOf(session, channelOfSession(state, session));
  // What the kernel never saw pass counts on neither side of its quota.
  const { raisedBytes = 0n } = session;
  return {
    sessionId: session.id,
    limitBytes: limitBytes > raisedBytes ? limitBytes - raisedBytes : 0n,
    usedBytes: totalBytes(session.usage) - raisedBytes,
    counters: session.counters,
    stations: session.stations.map((station) => stationFor(state, station)),
    isOnline: session.depletedAtMs === undefined && session.pausedAtMs === undefined,
    ...(session.pausedAtMs === undefined ? {} : { isPaused: true as const }),
    ...(config.network.rate === undefined ? {} : { rate: config.network.rate }),
  };
}

/** Money is there: the session is a payer's, whatever free bytes it has left. */
function isPaid(channel: LiveChannel | undefined): boolean {
  return channel !== undefined && hasCredit(channel);
}

/** The station as it is now: addresses and port change while a session runs. */
function stationFor(state: AgentState, station: Station): Station {
  const known = state.stations.get(station.mac);
  if (known === undefined) return station;
  const { mac, port, addresses } = known;
  return port === undefined ? { mac, addresses } : { mac, port, addresses };
}
