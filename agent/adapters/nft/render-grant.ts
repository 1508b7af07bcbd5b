/**
 * What one session has in the kernel: elements of sets and maps, keyed by the typed names of its stations and by nothing
 * else.
 */
import type { CounterKey, DeviceName, IpAddress, Mac, SessionGrant, SessionId } from '../../core/model.ts';
import { isIpv6, isLinkLocal, parseDeviceName, parseIp, parseMac } from '../../core/names.ts';
import {
  baseFromComment,
  type CounterBase,
  commentFromBase,
  GRANT_SETS,
  type GrantSet,
  isCounterSet,
  jsonFromBytes,
  quotaName,
  RATE_BURST_BYTES,
  rateName,
  TABLE,
  TRIAL_MAPS,
} from './layout.ts';
import type { Json, JsonObject, NftCommand } from './nft-json.ts';

/** One element. `value` is what a map leads to, an object's name or a MAC; empty in sets. */
export type Element = { readonly set: GrantSet; readonly key: ElementKey; readonly value: string };
/** One or two names with a blank between. */
export type ElementKey = Mac | IpAddress | `${Mac} ${DeviceName}` | `${IpAddress} ${Mac}`;

/** What tells an element from all others. */
export function elementId({ set, key }: Element): string {
  return `${set} ${key}`;
}

/** All elements of a grant under the given quota. Link-local addresses are never routed and get none. */
export function elementsFromGrant(grant: SessionGrant, quota: string): Element[] {
  const elements: Element[] = [];
  const { rate, sessionId, isPaused = false } = grant;
  const add = (set: GrantSet, key: ElementKey, value = ''): void => {
    elements.push({ set, key, value });
  };
  const addToMap = (map: keyof typeof TRIAL_MAPS, key: ElementKey, value: string): void =>
    add(grant.isTrial === true ? TRIAL_MAPS[map] : map, key, value);
  for (const { mac, port, addresses } of grant.stations) {
    add('count_up', mac);
    if (grant.isOnline) add('online', mac);
    if (rate !== undefined && !isPaused) addToMap('rate_up', mac, rateName('up', sessionId, rate.upBytesPerS));
    if (port !== undefined) {
      add('port', `${mac} ${port}`);
      add('bound', mac);
    }
    for (const address of addresses) {
      if (isLinkLocal(address)) continue;
      const version = isIpv6(address) ? 6 : 4;
      if (!isPaused) {
        addToMap(`up${version}`, `${address} ${mac}`, quota);
        addToMap(`down${version}`, address, quota);
      }
      add(`count_down${version}`, address);
      if (rate !== undefined && !isPaused)
        addToMap(`rate_down${version}`, address, rateName('down', sessionId, rate.downBytesPerS));
      if (version === 4) {
        add('arp_home', address, mac);
        continue;
      }
      add('nd_home', `${address} ${mac}`);
      add('nd_owned', address);
    }
  }
  return elements;
}

/** Limits that the grant's elements lead to, by name. */
export function ratesFromGrant(grant: SessionGrant): Map<string, bigint> {
  const { rate, sessionId } = grant;
  if (rate === undefined) return new Map();
  return new Map([
    [rateName('up', sessionId, rate.upBytesPerS), rate.upBytesPerS],
    [rateName('down', sessionId, rate.downBytesPerS), rate.downBytesPerS],
  ]);
}

/** Key of the counter that an element of a counter set is; undefined for other sets. */
export function counterKeyFromElement(set: GrantSet, key: ElementKey): CounterKey | undefined {
  if (!isCounterSet(set)) return undefined;
  return set === 'count_up' ? `up:${key}` : `down:${key}`;
}

/** The element that a counter is; the other way round than counterKeyFromElement. */
export function elementIdFromCounterKey(key: CounterKey): string {
  const name = key.slice(key.indexOf(':') + 1);
  const set = key.startsWith('up:') ? 'count_up' : isIpv6(name as IpAddress) ? 'count_down6' : 'count_down4';
  return `${set} ${name}`;
}

export function quotaCommand(sessionId: SessionId, round: number, limitBytes: bigint, usedBytes: bigint): NftCommand {
  const name = quotaName(sessionId, round);
  const [bytes, used] = [jsonFromBytes(limitBytes), jsonFromBytes(usedBytes)];
  return { add: { quota: { family: 'inet', table: TABLE, name, bytes, used, inv: false } } };
}

export function rateCommand(name: string, bytesPerS: bigint): NftCommand {
  const rate = { rate: jsonFromBytes(bytesPerS), per: 'second', rate_unit: 'bytes', inv: true };
  const burst = { burst: RATE_BURST_BYTES, burst_unit: 'bytes' };
  return { add: { limit: { family: 'inet', table: TABLE, name, ...rate, ...burst } } };
}

export function deleteObjectCommand(kind: 'quota' | 'limit', name: string): NftCommand {
  return { delete: { [kind]: { family: 'inet', table: TABLE, name } } };
}

/** Commands that add the elements, one for each set. `baseOf` gives what a new counter starts from. */
export function addElementCommands(
  elements: readonly Element[],
  baseOf: (element: Element) => CounterBase | undefined,
): NftCommand[] {
  return elementCommands('add', elements, (element) => {
    const key = jsonFromKey(element.key);
    if (element.value !== '') return [key, element.value];
    const base = baseOf(element);
    return base === undefined ? key : { elem: { val: key, comment: commentFromBase(base) } };
  });
}

export function deleteElementCommands(elements: readonly Element[]): NftCommand[] {
  return elementCommands('delete', elements, ({ key, value }) =>
    value === '' ? jsonFromKey(key) : [jsonFromKey(key), value],
  );
}

/** Comment of a counter element to its base; undefined if it is not one of ours. */
export function baseFromElement(item: JsonObject): CounterBase | undefined {
  const comment = item['comment'];
  return typeof comment === 'string' ? baseFromComment(comment) : undefined;
}

/** A listed key, checked as if it came from outside; undefined if it is not one that we would write. */
export function elementKey(set: GrantSet, [first = '', second = '']: readonly string[]): ElementKey | undefined {
  const [mac, address] = [parseMac(first), parseIp(first)];
  switch (set) {
    case 'up4':
    case 'up6':
    case 'trial_up4':
    case 'trial_up6':
    case 'nd_home':
      return joined(address, parseMac(second));
    case 'port':
      return joined(mac, parseDeviceName(second));
    case 'count_up':
    case 'online':
    case 'rate_up':
    case 'trial_rate_up':
    case 'bound':
      return mac;
    default:
      return address;
  }
}

function joined(first: string | undefined, second: string | undefined): ElementKey | undefined {
  return first === undefined || second === undefined ? undefined : (`${first} ${second}` as ElementKey);
}

function elementCommands(
  verb: 'add' | 'delete',
  elements: readonly Element[],
  toJson: (e: Element) => Json,
): NftCommand[] {
  const bySet = new Map<GrantSet, Json[]>();
  for (const element of elements) {
    const list = bySet.get(element.set) ?? [];
    bySet.set(element.set, list);
    list.push(toJson(element));
  }
  return [...bySet].map(([name, elem]) => ({
    [verb]: { element: { family: GRANT_SETS[name].family, table: TABLE, name, elem } },
  }));
}

function jsonFromKey(key: ElementKey): Json {
  const parts = key.split(' ');
  return parts.length === 1 ? key : { concat: parts };
}
