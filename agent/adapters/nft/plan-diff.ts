/** From what stands in the kernel to what the plan says: the smallest change, as data. Pure. */
import type { CounterKey, SessionGrant, SessionId, Station } from '../../core/model.ts';
import type { ElementIndex, Room } from './element-index.ts';
import { GRANT_SETS, type GrantSet, QUOTA_MAPS, quotaName, TRIAL_MAPS } from './layout.ts';
import type { NftFamily } from './nft-json.ts';
import { counterKeyFromElement, type Element, elementId, elementsFromGrant, ratesFromGrant } from './render-grant.ts';

export type InstalledQuota = { readonly round: number; readonly limitBytes: bigint };

const TWINS: ReadonlyMap<GrantSet, GrantSet> = new Map(
  (Object.entries(TRIAL_MAPS) as [GrantSet, GrantSet][]).flatMap(([paid, trial]) => [
    [paid, trial],
    [trial, paid],
  ]),
);

/** One session as it stands in the kernel. */
export type InstalledSession = {
  readonly sessionId: SessionId;
  /** Absent if only leftovers of the session were found. */
  readonly quota?: InstalledQuota;
  /** By elementId. */
  readonly elements: ReadonlyMap<string, Element>;
  readonly rates: ReadonlySet<string>;
  /** The grant that was installed, to see at a glance that nothing changed; absent after adoption. */
  readonly grant?: SessionGrant;
};

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
  /** How the sessions that change will stand; those that go. */
  readonly changed: readonly InstalledSession[];
  readonly gone: readonly SessionId[];
  /** Elements left out because a set is full or because another session has them. */
  readonly leftOut: readonly Element[];
};

/**
 * @param index where each element of `installed` is; used to look up, not changed.
 * @param renew sessions whose quota is to be made anew with what truly passed, because it has also counted what it
 *   dropped.
 * @param families of the tables that stand; elements of others are left out.
 */
export function diffPlan(
  installed: ReadonlyMap<SessionId, InstalledSession>,
  index: ElementIndex,
  grants: readonly SessionGrant[],
  renew: ReadonlySet<SessionId>,
  families: readonly NftFamily[],
): PlanDiff {
  const diff = new DiffBuilder(index, families);
  const wanted = new Map(grants.map((grant) => [grant.sessionId, grant]));
  for (const session of installed.values()) if (!wanted.has(session.sessionId)) diff.removeSession(session);
  const changing = [...wanted.values()].filter((grant) => {
    const session = installed.get(grant.sessionId);
    return session === undefined || !isUntouched(session, grant, renew);
  });
  const drafts = changing.map((grant) => diff.draft(installed.get(grant.sessionId), grant, renew.has(grant.sessionId)));
  for (const draft of drafts) diff.changeSession(draft);
  return diff;
}

export function isDiffEmpty(diff: PlanDiff): boolean {
  const { stop, remove, add, newQuotas, changedQuotas, oldQuotas, newRates, oldRates } = diff;
  return [stop, remove, add, newQuotas, changedQuotas, oldQuotas, oldRates].every(isEmpty) && newRates.size === 0;
}

/** A session that changes, with all that its grant asks for. */
type Draft = {
  readonly session: InstalledSession | undefined;
  readonly grant: SessionGrant;
  readonly round: number;
  readonly elements: ReadonlyMap<string, Element>;
};

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
  readonly changed: InstalledSession[] = [];
  readonly gone: SessionId[] = [];
  readonly leftOut: Element[] = [];
  readonly #room: Room;
  readonly #families: readonly NftFamily[];

  constructor(index: ElementIndex, families: readonly NftFamily[]) {
    this.#room = index.room();
    this.#families = families;
  }

  removeSession(session: InstalledSession): void {
    for (const element of session.elements.values()) this.#takeOut(session.sessionId, element);
    if (session.quota !== undefined) this.oldQuotas.push(quotaName(session.sessionId, session.quota.round));
    this.oldRates.push(...session.rates);
    this.gone.push(session.sessionId);
  }

  /** Takes out what the session has no longer. Only when all have done so is it known what is free. */
  draft(session: InstalledSession | undefined, grant: SessionGrant, isRenewed: boolean): Draft {
    const old = session?.quota;
    const round = old === undefined ? 1 : isRenewed ? old.round + 1 : old.round;
    const wanted = elementsFromGrant(grant, quotaName(grant.sessionId, round));
    const placed = wanted.filter(({ set }) => this.#families.includes(GRANT_SETS[set].family));
    const elements = new Map(placed.map((element) => [elementId(element), element]));
    for (const [id, element] of session?.elements ?? []) {
      if (elements.get(id)?.value === element.value) continue;
      this.#takeOut(grant.sessionId, element, isMoved(element, elements));
    }
    return { session, grant, round, elements };
  }

  changeSession({ session, grant, round, elements }: Draft): void {
    const { sessionId, limitBytes } = grant;
    const old = session?.quota;
    if (old?.round !== round) this.newQuotas.push({ grant, round });
    else if (old.limitBytes !== limitBytes) this.changedQuotas.push({ grant, round });
    if (old !== undefined && old.round !== round) this.oldQuotas.push(quotaName(sessionId, old.round));
    const installed = new Map<string, Element>();
    for (const [id, element] of elements) {
      const isThere = session?.elements.get(id)?.value === element.value;
      if (!isThere && !this.#room.take(id, element.set)) {
        this.leftOut.push(element);
        continue;
      }
      installed.set(id, element);
      if (!isThere) this.add.push({ grant, element });
    }
    const rates = ratesFromGrant(grant);
    for (const [name, rate] of rates) if (session?.rates.has(name) !== true) this.newRates.set(name, rate);
    for (const name of session?.rates ?? []) if (!rates.has(name)) this.oldRates.push(name);
    const after = { sessionId, quota: { round, limitBytes }, elements: installed, rates: new Set(rates.keys()) };
    // What was left out is tried again next time: without its grant a session is looked at in full.
    this.changed.push(installed.size < elements.size ? after : { ...after, grant });
  }

  #takeOut(sessionId: SessionId, element: Element, isMovedElsewhere = false): void {
    const isStop = !isMovedElsewhere && (QUOTA_MAPS as readonly string[]).includes(element.set);
    (isStop ? this.stop : this.remove).push(element);
    this.#room.free(elementId(element), element.set);
    const key = counterKeyFromElement(element.set, element.key);
    if (key !== undefined) this.lost.push({ sessionId, key });
  }
}

/** True if a trial becomes a paid session, or one again: it changes maps in one transaction, without a moment in neither. */
function isMoved({ set, key, value }: Element, after: ReadonlyMap<string, Element>): boolean {
  const twin = TWINS.get(set);
  return twin !== undefined && after.get(elementId({ set: twin, key, value }))?.value === value;
}

function isUntouched(session: InstalledSession, grant: SessionGrant, renew: ReadonlySet<SessionId>): boolean {
  const { quota, grant: old } = session;
  if (quota === undefined || old === undefined || renew.has(session.sessionId)) return false;
  return quota.limitBytes === grant.limitBytes && (old === grant || isSameService(old, grant));
}

/** True if both grants have the same elements under the same quota. */
function isSameService(a: SessionGrant, b: SessionGrant): boolean {
  return (
    a.isOnline === b.isOnline &&
    a.isTrial === b.isTrial &&
    a.isPaused === b.isPaused &&
    a.rate?.downBytesPerS === b.rate?.downBytesPerS &&
    a.rate?.upBytesPerS === b.rate?.upBytesPerS &&
    isSameList(a.stations, b.stations, isSameStation)
  );
}

function isSameStation(a: Station, b: Station): boolean {
  return a.mac === b.mac && a.port === b.port && isSameList(a.addresses, b.addresses, Object.is);
}

function isSameList<T>(a: readonly T[], b: readonly T[], isSame: (a: T, b: T) => boolean): boolean {
  return a === b || (a.length === b.length && a.every((item, i) => isSame(item, b[i] as T)));
}

function isEmpty(list: readonly unknown[]): boolean {
  return list.length === 0;
}
