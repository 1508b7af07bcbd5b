/** What the kernel shall look like, as a function of the state. */
import { accountOf } from './account.ts';
import type { AgentConfig } from './config.ts';
import { totalBytes } from './meter.ts';
import type { EnforcementPlan, SessionGrant, Station } from './model.ts';
import { type AgentState, channelOfSession, type LiveSession } from './state.ts';

export function enforcementPlan(state: AgentState, config: AgentConfig, nowMs: number): EnforcementPlan {
  const grants: SessionGrant[] = [];
  for (const session of state.sessions.values()) {
    if (isServed(session, config, nowMs)) grants.push(grantFor(state, session, config));
  }
  return { guestDevices: config.network.guestDevices, portalPort: config.portal.port, grants };
}

/** An ended session is not served; a used-up one is held for the grace time, then its flows are ended too. */
export function isServed(session: LiveSession, config: AgentConfig, nowMs: number): boolean {
  if (session.ended !== undefined) return false;
  return session.depletedAtMs === undefined || nowMs < session.depletedAtMs + config.session.graceSeconds * 1000;
}

function grantFor(state: AgentState, session: LiveSession, config: AgentConfig): SessionGrant {
  return {
    sessionId: session.id,
    limitBytes: accountOf(session, channelOfSession(state, session)).limitBytes,
    usedBytes: totalBytes(session.usage),
    counters: session.counters,
    stations: session.stations.map((station) => stationFor(state, station)),
    isOnline: session.depletedAtMs === undefined,
    ...(config.network.rate === undefined ? {} : { rate: config.network.rate }),
  };
}

/** The station as it is now: addresses and port change while a session runs. */
function stationFor(state: AgentState, station: Station): Station {
  const known = state.stations.get(station.mac);
  if (known === undefined) return station;
  const { mac, port, addresses } = known;
  return port === undefined ? { mac, addresses } : { mac, port, addresses };
}
