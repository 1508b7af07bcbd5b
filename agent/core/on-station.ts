/** Stations come, go, and claim addresses. What the router itself handed out outranks what packets claim. */
import type { AgentAction } from './actions.ts';
import type { EventOf, Prefix } from './events.ts';
import { MAX_ADDRESSES_PER_STATION, MAX_CLAIMS_PER_MINUTE, MAX_IDLE_STATIONS } from './limits.ts';
import type { IpAddress, Mac } from './model.ts';
import { isInPrefix, isLinkLocal } from './names.ts';
import type { Outcome } from './outcome.ts';
import { type AgentState, type KnownStation, sessionOfMac, withEntry, withoutEntry } from './state.ts';

type StationEvent = EventOf<
  'station-joined' | 'station-left' | 'station-on-port' | 'address-leased' | 'address-released' | 'addresses-seen'
>;

const CLAIMS_WINDOW_MS = 60_000;

export function onStation(state: AgentState, event: StationEvent): Outcome {
  switch (event.kind) {
    case 'station-joined':
      return onStationJoined(state, event);
    case 'station-left':
      return onStationLeft(state, event);
    case 'station-on-port':
      return onStationOnPort(state, event);
    case 'address-leased':
      return onAddressLeased(state, event);
    case 'address-released':
      return onAddressReleased(state, event);
    case 'addresses-seen':
      return onAddressesSeen(state, event);
  }
}

/**
 * A station that is still associated elsewhere keeps its old port until hostapd says it left: whoever clones a MAC on
 * another BSS gets nothing while the owner of the MAC is there.
 */
function onStationJoined(state: AgentState, { mac, port, nowMs }: EventOf<'station-joined'>): Outcome {
  const known = stationOf(state, mac, nowMs);
  if (known.isAssociated && known.port !== undefined && known.port !== port) {
    const next = { ...known, pendingPort: port, lastSeenMs: nowMs };
    const log: AgentAction = {
      kind: 'log',
      event: 'second-association-held',
      details: { held: known.port, asked: port },
    };
    return { state: withStation(state, next), actions: [log] };
  }
  const { pendingPort: _, leftAtMs: __, ...rest } = known;
  const joined = withStation(state, { ...rest, port, isAssociated: true, lastSeenMs: nowMs });
  return { state: withPresence(joined, mac, undefined), actions: actionsIfServed(state, mac, known.port !== port) };
}

function onStationLeft(state: AgentState, { mac, port, nowMs }: EventOf<'station-left'>): Outcome {
  const known = state.stations.get(mac);
  if (known === undefined) return { state, actions: [] };
  const { pendingPort, ...rest } = known;
  // The clone gave up waiting: nobody is left there to move to once the first is gone.
  if (pendingPort === port) return { state: withStation(state, rest), actions: [] };
  if (known.port !== undefined && known.port !== port) return { state, actions: [] };
  if (pendingPort !== undefined) {
    const moved = withStation(state, { ...rest, port: pendingPort, lastSeenMs: nowMs });
    return { state: moved, actions: actionsIfServed(state, mac, true) };
  }
  const left = withStation(state, { ...rest, isAssociated: false, leftAtMs: nowMs, lastSeenMs: nowMs });
  return { state: withPresence(left, mac, nowMs), actions: [] };
}

/** Wired guests, and wireless ones while the bus is away: the port of the first sighting holds for the session. */
function onStationOnPort(state: AgentState, { mac, port, nowMs }: EventOf<'station-on-port'>): Outcome {
  const known = stationOf(state, mac, nowMs);
  if (known.port !== undefined && (known.isAssociated || sessionOfMac(state, mac) !== undefined))
    return { state, actions: [] };
  const next = withStation(state, { ...known, port, lastSeenMs: nowMs });
  return { state: next, actions: actionsIfServed(state, mac, known.port !== port) };
}

function onAddressLeased(state: AgentState, { mac, address, nowMs }: EventOf<'address-leased'>): Outcome {
  return bind(state, mac, address, nowMs);
}

function onAddressReleased(state: AgentState, { mac, address }: EventOf<'address-released'>): Outcome {
  if (state.addressOwner.get(address) !== mac) return { state, actions: [] };
  return { state: unbind(state, mac, address), actions: actionsIfServed(state, mac, true) };
}

/** First come, first served: an address that another present station holds is not given away. */
function onAddressesSeen(state: AgentState, { seen, prefixes, nowMs }: EventOf<'addresses-seen'>): Outcome {
  let next = state;
  const actions: AgentAction[] = [];
  for (const { mac, address } of seen) {
    if (!isBindable(address, prefixes)) continue;
    const owner = next.addressOwner.get(address);
    if (owner === mac) continue;
    if (owner !== undefined && next.stations.get(owner)?.isAssociated === true) {
      actions.push({ kind: 'log', event: 'address-claim-refused', details: { family: address.includes(':') ? 6 : 4 } });
      continue;
    }
    const claims = claimsWithOneMore(next.stations.get(mac), nowMs);
    // Seen again on its next packet after the minute.
    if (claims.count > MAX_CLAIMS_PER_MINUTE) continue;
    const outcome = bind(withStation(next, { ...stationOf(next, mac, nowMs), claims }), mac, address, nowMs);
    next = outcome.state;
    actions.push(...outcome.actions);
  }
  return { state: next, actions };
}

function claimsWithOneMore(station: KnownStation | undefined, nowMs: number): NonNullable<KnownStation['claims']> {
  const { sinceMs, count } = station?.claims ?? { sinceMs: nowMs, count: 0 };
  return nowMs - sinceMs < CLAIMS_WINDOW_MS ? { sinceMs, count: count + 1 } : { sinceMs: nowMs, count: 1 };
}

function isBindable(address: IpAddress, prefixes: readonly Prefix[]): boolean {
  return !isLinkLocal(address) && prefixes.some((prefix) => isInPrefix(address, prefix.address, prefix.length));
}

function bind(state: AgentState, mac: Mac, address: IpAddress, nowMs: number): Outcome {
  const owner = state.addressOwner.get(address);
  if (owner === mac) return { state, actions: [] };
  const freed = owner === undefined ? state : unbind(state, owner, address);
  const station = stationOf(freed, mac, nowMs);
  // The oldest binding goes first: privacy addresses are replaced, not collected.
  const dropped = station.addresses.slice(0, Math.max(0, station.addresses.length + 1 - MAX_ADDRESSES_PER_STATION));
  const kept = [...station.addresses.slice(dropped.length), address];
  const owners = new Map(freed.addressOwner).set(address, mac);
  for (const old of dropped) owners.delete(old);
  const next = withStation({ ...freed, addressOwner: owners }, { ...station, addresses: kept, lastSeenMs: nowMs });
  return { state: next, actions: actionsIfServed(next, mac, true) };
}

function unbind(state: AgentState, mac: Mac, address: IpAddress): AgentState {
  const station = state.stations.get(mac);
  const freed = { ...state, addressOwner: withoutEntry(state.addressOwner, address) };
  if (station === undefined) return freed;
  return withStation(freed, { ...station, addresses: station.addresses.filter((other) => other !== address) });
}

function stationOf(state: AgentState, mac: Mac, nowMs: number): KnownStation {
  return state.stations.get(mac) ?? { mac, addresses: [], lastSeenMs: nowMs, isAssociated: false };
}

function withStation(state: AgentState, station: KnownStation): AgentState {
  const stations = withEntry(state.stations, station.mac, station);
  const next = { ...state, stations };
  return stations.size > MAX_IDLE_STATIONS + state.sessionByMac.size ? withoutOldestIdle(next) : next;
}

/** A storm of random MACs must not grow memory: the one not seen for longest goes, never one with a session. */
function withoutOldestIdle(state: AgentState): AgentState {
  let oldest: KnownStation | undefined;
  for (const station of state.stations.values()) {
    if (state.sessionByMac.has(station.mac)) continue;
    if (oldest === undefined || station.lastSeenMs < oldest.lastSeenMs) oldest = station;
  }
  if (oldest === undefined) return state;
  const owners = new Map(state.addressOwner);
  for (const address of oldest.addresses) owners.delete(address);
  return { ...state, stations: withoutEntry(state.stations, oldest.mac), addressOwner: owners };
}

function withPresence(state: AgentState, mac: Mac, absentSinceMs: number | undefined): AgentState {
  const session = sessionOfMac(state, mac);
  if (session === undefined) return state;
  const { absentSinceMs: _, ...rest } = session;
  const isAnyHere = session.stations.some((station) => state.stations.get(station.mac)?.leftAtMs === undefined);
  const next = absentSinceMs === undefined || isAnyHere ? rest : { ...rest, absentSinceMs };
  return { ...state, sessions: withEntry(state.sessions, session.id, next) };
}

function actionsIfServed(state: AgentState, mac: Mac, isChanged: boolean): readonly AgentAction[] {
  const session = sessionOfMac(state, mac);
  if (!isChanged || session === undefined || session.ended !== undefined) return [];
  return [{ kind: 'reconcile' }, { kind: 'store-sessions', sessionIds: [session.id] }];
}
