/** The sessions that stand in the kernel, kept in step with what was done. */
import type { CounterKey, IpAddress, Mac, SessionId } from '../../core/model.ts';
import { isIpv6 } from '../../core/names.ts';
import { ElementIndex } from './element-index.ts';
import { TRIAL_MAPS } from './layout.ts';
import type { InstalledSession, PlanDiff } from './plan-diff.ts';
import { elementId, elementIdFromCounterKey } from './render-grant.ts';

export class InstalledSessions {
  readonly sessions = new Map<SessionId, InstalledSession>();
  readonly index = new ElementIndex();

  constructor(sessions: Iterable<InstalledSession>) {
    for (const session of sessions) this.#put(session);
  }

  /** Takes over a change that was made. */
  apply(diff: PlanDiff): void {
    for (const sessionId of [...diff.gone, ...diff.changed.map((session) => session.sessionId)]) this.#take(sessionId);
    for (const session of diff.changed) this.#put(session);
  }

  isBound(mac: Mac, address: IpAddress): boolean {
    const map = isIpv6(address) ? 'up6' : 'up4';
    const key = `${address} ${mac}` as const;
    return ([map, TRIAL_MAPS[map]] as const).some((set) => this.index.has(elementId({ set, key, value: '' })));
  }

  hasCounter(sessionId: SessionId, key: CounterKey): boolean {
    return this.sessions.get(sessionId)?.elements.has(elementIdFromCounterKey(key)) === true;
  }

  #take(sessionId: SessionId): void {
    for (const [id, { set }] of this.sessions.get(sessionId)?.elements ?? []) this.index.delete(id, set);
    this.sessions.delete(sessionId);
  }

  #put(session: InstalledSession): void {
    for (const [id, { set }] of session.elements) this.index.add(id, set);
    this.sessions.set(session.sessionId, session);
  }
}
