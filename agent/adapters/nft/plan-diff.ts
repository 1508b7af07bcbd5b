/** From what stands in the kernel to what the plan says: the smallest change, as data. Pure. */
import type { CounterKey, SessionGrant, SessionId, Station } from '../../core/model.ts';
import { GRANT_SETS, type GrantSet, isCounterSet, QUOTA_MAPS, quotaName } from './layout.ts';
import { type Element, elementsFromGrant, ratesFromGrant } from './render-grant.ts';

export type InstalledQuota = { readonly round: number; readonly limitBytes: bigint };

/** One session as it stands in the kernel. */
export type InstalledSession = {
  readonly sessionId: SessionId;
  /** Absent if only leftovers of the session were found. */
  readonly quota?: InstalledQuota;
  readonly elements: ReadonlyMap<string, Element>;
  readonly rates: ReadonlySet<string>;
  /** The grant that was installed, to see at a glance that nothing changed; absent after adoption. */
  readonly grant?: SessionGrant;
};

export type InstalledSessions = ReadonlyMap<SessionId, InstalledSession>;

export type PlanDiff = {
  /** Elements of the quota maps to take out before anything is read: what they let through stops. */
  readonly stop: readonly Element[];
  readonly remove: readonly Element[];
  readonly add: readonly { readonly grant: SessionGrant; readonly element: Element }[];
  /** Counters that go away; their last readings are due. */
  readonly lost: readonly { readonly sessionId: SessionId; readonly key: CounterKey }[];
  readonly newQuotas: readonly { readonly grant: SessionGrant; readonly round: number }[];
  readonly changedQuotas: readonly { readonly grant: SessionGrant; readonly round: number }[];
  readonly oldQuotas: readonly string[];
  readonly newRates: ReadonlyMap<string, bigint>;
  readonly oldRates: readonly string[];
  /** What will stand once all of the above is done. */
  readonly after: InstalledSessions;
  /** Elements left out because a set is full or because another session has them. */
  readonly leftOut: readonly Element[];
};

/**
 * @param renew sessions whose quota is to be made anew with what truly passed, because it has also counted what it
 *   dropped.
 */
export function diffPlan(
  installed: InstalledSessions,
  grants: readonly SessionGrant[],
  renew: ReadonlySet<SessionId>,
): PlanDiff {
  const diff = new DiffBuilder();
  const wanted = new Map(grants.map((grant) => [grant.sessionId, grant]));
  for (const session of installed.values()) {
    const grant = wanted.get(session.sessionId);
    if (grant === undefined) diff.removeSession(session);
    else if (isUntouched(session, grant, renew)) diff.keepSession(session);
  }
  for (const grant of wanted.values()) {
    if (!diff.after.has(grant.sessionId)) diff.changeSession(installed.get(grant.sessionId), grant, renew);
  }
  return diff;
}

export function elementId({ set, key }: Element): string {
  return `${set} ${key}`;
}

export function isDiffEmpty(diff: PlanDiff): boolean {
  return (
    diff.stop.length + diff.remove.length + diff.add.length + diff.newQuotas.length + diff.changedQuotas.length === 0 &&
    diff.oldQuotas.length + diff.newRates.size + diff.oldRates.length === 0
  );
}

class DiffBuilder implements PlanDiff {
  readonly stop: Element[] = [];
  readonly remove: Element[] = [];
  readonly add: { readonly grant: SessionGrant; readonly element: Element }[] = [];
  readonly lost: { readonly sessionId: SessionId; readonly key: CounterKey }[] = [];
  readonly newQuotas: { readonly grant: SessionGrant; readonly round: number }[] = [];
  readonly changedQuotas: { readonly grant: SessionGrant; readonly round: number }[] = [];
  readonly oldQuotas: string[] = [];
  readonly newRates = new Map<string, bigint>();
  readonly oldRates: string[] = [];
  readonly after = new Map<SessionId, InstalledSession>();
  readonly leftOut: Element[] = [];
  readonly #taken = new Set<string>();
  readonly #counts = new Map<GrantSet, number>();

  removeSession(session: InstalledSession): void {
    for (const element of session.elements.values()) this.#takeOut(session.sessionId, element);
    if (session.quota !== undefined) this.oldQuotas.push(quotaName(session.sessionId, session.quota.round));
    this.oldRates.push(...session.rates);
  }

  keepSession(session: InstalledSession): void {
    for (const [id, element] of session.elements) this.#occupy(id, element);
    this.after.set(session.sessionId, session);
  }

  changeSession(session: InstalledSession | undefined, grant: SessionGrant, renew: ReadonlySet<SessionId>): void {
    const { sessionId, limitBytes } = grant;
    const old = session?.quota;
    const isNew = old === undefined || renew.has(sessionId);
    const round = isNew ? (old?.round ?? 0) + 1 : old.round;
    if (isNew) this.newQuotas.push({ grant, round });
    else if (old.limitBytes !== limitBytes) this.changedQuotas.push({ grant, round });
    if (isNew && old !== undefined) this.oldQuotas.push(quotaName(sessionId, old.round));

    const leftOutBefore = this.leftOut.length;
    const elements = new Map<string, Element>();
    for (const element of elementsFromGrant(grant, quotaName(sessionId, round))) {
      const id = elementId(element);
      if (elements.has(id)) continue;
      if (!this.#occupy(id, element)) this.leftOut.push(element);
      else elements.set(id, element);
    }
    for (const [id, element] of session?.elements ?? []) {
      if (elements.get(id)?.value !== element.value) this.#takeOut(sessionId, element);
    }
    for (const [id, element] of elements) {
      if (session?.elements.get(id)?.value !== element.value) this.add.push({ grant, element });
    }
    const rates = ratesFromGrant(grant);
    for (const [name, rate] of rates) if (session?.rates.has(name) !== true) this.newRates.set(name, rate);
    for (const name of session?.rates ?? []) if (!rates.has(name)) this.oldRates.push(name);
    const quota = { round, limitBytes };
    const done = { sessionId, quota, elements, rates: new Set(rates.keys()) };
    // What was left out is tried again next time: without its grant a session is looked at in full.
    this.after.set(sessionId, this.leftOut.length > leftOutBefore ? done : { ...done, grant });
  }

  /** False if another session has it or the set is full. */
  #occupy(id: string, element: Element): boolean {
    const count = this.#counts.get(element.set) ?? 0;
    if (this.#taken.has(id) || count >= GRANT_SETS[element.set].capacity) return false;
    this.#taken.add(id);
    this.#counts.set(element.set, count + 1);
    return true;
  }

  #takeOut(sessionId: SessionId, element: Element): void {
    const isStop = (QUOTA_MAPS as readonly GrantSet[]).includes(element.set);
    (isStop ? this.stop : this.remove).push(element);
    if (!isCounterSet(element.set)) return;
    this.lost.push({ sessionId, key: element.set === 'count_up' ? `up:${element.key}` : `down:${element.key}` });
  }
}

function isUntouched(session: InstalledSession, grant: SessionGrant, renew: ReadonlySet<SessionId>): boolean {
  const { quota, grant: old } = session;
  if (quota === undefined || old === undefined || renew.has(session.sessionId)) return false;
  return quota.limitBytes === grant.limitBytes && isSameService(old, grant);
}

/** True if both grants have the same elements under the same quota. */
function isSameService(a: SessionGrant, b: SessionGrant): boolean {
  return (
    a.isOnline === b.isOnline &&
    a.rate?.downBytesPerS === b.rate?.downBytesPerS &&
    a.rate?.upBytesPerS === b.rate?.upBytesPerS &&
    a.stations.length === b.stations.length &&
    a.stations.every((station, i) => isSameStation(station, b.stations[i]))
  );
}

function isSameStation(a: Station, b: Station | undefined): boolean {
  return (
    a.mac === b?.mac &&
    a.port === b.port &&
    a.addresses.length === b.addresses.length &&
    a.addresses.every((address, i) => address === b.addresses[i])
  );
}
