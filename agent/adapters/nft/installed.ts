/**
 * What stands in the kernel, read from nft's listing. Nothing listed is trusted to be ours: what does not parse as one of
 * our names is a stray, to be deleted.
 */
import type { CounterReading, IpAddress, Mac, SessionId } from '../../core/model.ts';
import { parseIp, parseMac } from '../../core/names.ts';
import { GRANT_SETS, type GrantSet, isCounterSet, isRateName, parseQuotaName, quotaName, TABLE } from './layout.ts';
import { isArray, isObject, isSameJson, type Json, type JsonObject, type NftFamily } from './nft-json.ts';
import type { InstalledQuota, InstalledSession } from './plan-diff.ts';
import { baseFromElement, counterKeyFromElement, type Element, elementId, elementKey } from './render-grant.ts';
import { canonical, type TableSpec } from './table-spec.ts';

export type ListedQuota = InstalledQuota & { readonly sessionId: SessionId; readonly usedBytes: bigint };

export type ListedSessions = {
  readonly sessions: ReadonlyMap<SessionId, InstalledSession>;
  readonly quotas: readonly ListedQuota[];
  readonly readings: readonly CounterReading[];
  /** Elements and objects in our sets that belong to no session. */
  readonly strayElements: readonly Element[];
  readonly strayQuotas: readonly string[];
  readonly strayRates: readonly string[];
  /** False if something in our sets cannot even be named: only a new table helps. */
  readonly isLegible: boolean;
};

/** How a table differs from what was rendered. */
export type TableState =
  | { readonly kind: 'equal' }
  | { readonly kind: 'missing' }
  /** Rules or chains differ; they can be written anew around the sets. */
  | { readonly kind: 'rules'; readonly what: string; readonly strayChains: readonly string[] }
  /** Sets differ or a chain is hooked in elsewhere; the table must be made anew. */
  | { readonly kind: 'layout'; readonly what: string };

/** Compares a listing (with or without elements) with the rendering. `baseline` holds rules known to be ours in nft's words. */
export function tableState(
  spec: TableSpec,
  listed: readonly JsonObject[],
  baseline?: ReadonlyMap<string, Json>,
): TableState {
  const inFamily = listed.filter((item) => Object.values(item).some((body) => isOurs(body, spec.family)));
  if (inFamily.length === 0) return { kind: 'missing' };
  const layout = layoutDifference(spec, inFamily);
  if (layout !== undefined) return { kind: 'layout', what: layout };
  const names = new Set(spec.chains.map(({ name }) => name));
  const strayChains = bodies(inFamily, 'chain').flatMap((chain) => {
    const name = String(chain['name']);
    return names.has(name) ? [] : [name];
  });
  const rules = rulesByChain(inFamily);
  const chains = new Set(bodies(inFamily, 'chain').map((chain) => chain['name']));
  const changed = spec.chains.find((chain) => {
    const found = rules.get(chain.name) ?? [];
    const isKnown = baseline !== undefined && isSameJson(found, baseline.get(chain.name) ?? []);
    return !chains.has(chain.name) || !(isKnown || isSameJson(found, canonical(chain.rules as Json)));
  });
  if (changed === undefined && strayChains.length === 0) return { kind: 'equal' };
  return { kind: 'rules', what: `chain ${changed?.name ?? strayChains[0]} differs`, strayChains };
}

/** All rules of a listing in nft's own words, by chain. */
export function rulesByChain(listed: readonly JsonObject[]): Map<string, Json[]> {
  const rules = new Map<string, Json[]>();
  for (const rule of bodies(listed, 'rule')) {
    const chain = String(rule['chain']);
    const list = rules.get(chain) ?? [];
    rules.set(chain, list);
    list.push(canonical(rule['expr'] ?? null));
  }
  return rules;
}

/** Finds each session's elements and quota in the listings of both families. */
export function listedSessions(listed: readonly JsonObject[]): ListedSessions {
  const quotas: ListedQuota[] = [];
  const strayQuotas: string[] = [];
  for (const body of bodies(listed, 'quota')) {
    const parsed = parseQuotaName(String(body['name']));
    if (parsed === undefined) strayQuotas.push(String(body['name']));
    else quotas.push({ ...parsed, limitBytes: bytesFrom(body['bytes']), usedBytes: bytesFrom(body['used']) });
  }
  const collected = elementsFromListing(listed);
  const owners = new Map<string, SessionId>();
  for (const { element, sessionId } of collected.elements) {
    // Counters name their session; whatever else has the same MAC or address is that session's too.
    if (isCounterSet(element.set) && sessionId !== undefined) owners.set(element.key, sessionId);
  }
  const builders = new Map<SessionId, { elements: Map<string, Element>; rates: Set<string> }>();
  const strayElements: Element[] = [];
  for (const { element, sessionId } of collected.elements) {
    const owner = sessionId ?? owners.get(element.key.split(' ', 1)[0] ?? '');
    if (owner === undefined) {
      strayElements.push(element);
      continue;
    }
    const builder = builders.get(owner) ?? { elements: new Map(), rates: new Set() };
    builders.set(owner, builder);
    builder.elements.set(elementId(element), element);
  }
  const { sessions, oldQuotas } = joinQuotas(builders, quotas);
  const rates = ratesFromListing(listed, sessions);
  return {
    sessions: rates.sessions,
    quotas,
    readings: collected.readings,
    strayElements,
    strayQuotas: [...strayQuotas, ...oldQuotas],
    strayRates: rates.strays,
    isLegible: collected.isLegible && strayQuotas.length === 0,
  };
}

export function pairsFromSet(listed: readonly JsonObject[]): { readonly mac: Mac; readonly address: IpAddress }[] {
  return bodies(listed, 'set').flatMap((set) =>
    elementItems(set).flatMap((item) => pairFromParts(keyParts(elementValue(item)))),
  );
}

/** One pair, or none if the parts are not a MAC and an address. */
export function pairFromParts([mac, address]: readonly string[]): { readonly mac: Mac; readonly address: IpAddress }[] {
  const pair = { mac: parseMac(mac ?? ''), address: parseIp(address ?? '') };
  return pair.mac === undefined || pair.address === undefined ? [] : [{ mac: pair.mac, address: pair.address }];
}

type FoundElement = { readonly element: Element; readonly sessionId?: SessionId };

function elementsFromListing(listed: readonly JsonObject[]): {
  readonly elements: readonly FoundElement[];
  readonly readings: readonly CounterReading[];
  readonly isLegible: boolean;
} {
  const elements: FoundElement[] = [];
  const readings: CounterReading[] = [];
  let isLegible = true;
  for (const body of [...bodies(listed, 'map'), ...bodies(listed, 'set')]) {
    const set = String(body['name']);
    if (!isGrantSet(set) || body['family'] !== GRANT_SETS[set].family) continue;
    for (const item of elementItems(body)) {
      const key = elementKey(set, keyParts(elementValue(item)));
      if (key === undefined) {
        isLegible = false;
        continue;
      }
      const value = isArray(item) && typeof item[1] === 'string' ? item[1] : '';
      const counterKey = counterKeyFromElement(set, key);
      const details = isObject(item) ? item['elem'] : undefined;
      const base = isObject(details) ? baseFromElement(details) : undefined;
      const sessionId = base?.sessionId ?? parseQuotaName(value)?.sessionId ?? sessionOfRate(value);
      elements.push(
        sessionId === undefined ? { element: { set, key, value } } : { element: { set, key, value }, sessionId },
      );
      if (counterKey === undefined || base === undefined || !isObject(details)) continue;
      const counter = isObject(details['counter']) ? details['counter'] : {};
      readings.push({
        sessionId: base.sessionId,
        key: counterKey,
        bytes: base.bytes + bytesFrom(counter['bytes']),
        packets: base.packets + bytesFrom(counter['packets']),
      });
    }
  }
  return { elements, readings, isLegible };
}

/** Newest quota of each session; older ones are leftovers of a change that was cut short. */
function joinQuotas(
  builders: ReadonlyMap<SessionId, { readonly elements: Map<string, Element>; readonly rates: Set<string> }>,
  quotas: readonly ListedQuota[],
): { readonly sessions: Map<SessionId, InstalledSession>; readonly oldQuotas: readonly string[] } {
  const newest = new Map<SessionId, ListedQuota>();
  for (const quota of quotas) {
    if ((newest.get(quota.sessionId)?.round ?? -1) < quota.round) newest.set(quota.sessionId, quota);
  }
  const oldQuotas = quotas
    .filter((quota) => newest.get(quota.sessionId) !== quota)
    .map(({ sessionId, round }) => quotaName(sessionId, round));
  const sessions = new Map<SessionId, InstalledSession>();
  for (const sessionId of new Set([...builders.keys(), ...newest.keys()])) {
    const quota = newest.get(sessionId);
    const built = builders.get(sessionId) ?? { elements: new Map<string, Element>(), rates: new Set<string>() };
    sessions.set(sessionId, {
      sessionId,
      ...built,
      ...(quota === undefined ? {} : { quota: { round: quota.round, limitBytes: quota.limitBytes } }),
    });
  }
  return { sessions, oldQuotas };
}

function ratesFromListing(
  listed: readonly JsonObject[],
  sessions: ReadonlyMap<SessionId, InstalledSession>,
): { readonly sessions: ReadonlyMap<SessionId, InstalledSession>; readonly strays: readonly string[] } {
  const joined = new Map(sessions);
  const strays: string[] = [];
  for (const body of bodies(listed, 'limit')) {
    const name = String(body['name']);
    const session = joined.get(sessionOfRate(name) ?? -1);
    if (session === undefined) strays.push(name);
    else joined.set(session.sessionId, { ...session, rates: new Set([...session.rates, name]) });
  }
  return { sessions: joined, strays };
}

/** The first difference in sets, counters or hooks; chains that are missing altogether are the rules' matter. */
function layoutDifference(spec: TableSpec, listed: readonly JsonObject[]): string | undefined {
  const sets = new Map(
    [...bodies(listed, 'set'), ...bodies(listed, 'map')].map((body) => [String(body['name']), body]),
  );
  for (const { name, type, map, size, timeout, stmt } of spec.sets) {
    const found = sets.get(name);
    if (found === undefined) return `set ${name} is missing`;
    const wanted: Json = [type, map ?? null, size, timeout ?? null, stmt ?? null];
    const actual: Json = ['type', 'map', 'size', 'timeout', 'stmt'].map((key) => found[key] ?? null);
    if (!isSameJson(wanted, actual))
      return `set ${name} is ${JSON.stringify(actual)}, expected ${JSON.stringify(wanted)}`;
  }
  const counters = new Set(bodies(listed, 'counter').map((body) => body['name']));
  const missing = spec.counters.find((name) => !counters.has(name));
  if (missing !== undefined) return `counter ${missing} is missing`;
  const chains = new Map(bodies(listed, 'chain').map((body) => [body['name'], body]));
  for (const { name, base } of spec.chains) {
    const found = chains.get(name);
    const wanted: Json = base === undefined ? [null, null, null, null] : [base.type, base.hook, base.prio, 'accept'];
    const actual: Json = ['type', 'hook', 'prio', 'policy'].map((key) => found?.[key] ?? null);
    if (found !== undefined && !isSameJson(wanted, actual))
      return `chain ${name} is hooked as ${JSON.stringify(actual)}`;
  }
  return undefined;
}

function bodies(listed: readonly JsonObject[], kind: string): JsonObject[] {
  return listed.flatMap((item) => {
    const body = item[kind];
    return isObject(body) ? [body] : [];
  });
}

function isOurs(body: Json, family: NftFamily): boolean {
  return isObject(body) && body['family'] === family && (body['table'] === TABLE || body['name'] === TABLE);
}

function elementItems(body: JsonObject): readonly Json[] {
  const items = body['elem'];
  return isArray(items) ? items : [];
}

/** Key of an element: plain, with details, or of a map. */
function elementValue(item: Json): Json {
  if (isArray(item)) return elementValue(item[0] ?? null);
  if (isObject(item) && isObject(item['elem'])) return item['elem']['val'] ?? null;
  return item;
}

function keyParts(value: Json): string[] {
  const parts = isObject(value) && isArray(value['concat']) ? value['concat'] : [value];
  return parts.map((part) => (typeof part === 'string' ? part : ''));
}

function sessionOfRate(name: string): SessionId | undefined {
  return isRateName(name) ? Number(/^[a-z]+([0-9]+)_/.exec(name)?.[1]) : undefined;
}

function isGrantSet(name: string): name is GrantSet {
  return Object.hasOwn(GRANT_SETS, name);
}

function bytesFrom(value: Json | undefined): bigint {
  return typeof value === 'number' && value >= 0 ? BigInt(Math.trunc(value)) : 0n;
}
