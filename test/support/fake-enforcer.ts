/**
 * A model of the kernel: lets bytes pass up to each session's quota, counts them, and outlives the agent. `passed` is what
 * truly went through, whatever the agent knows of it.
 */
import type {
  CounterKey,
  CounterReading,
  EnforcementPlan,
  SessionGrant,
  SessionId,
  UnboundAddress,
} from '../../agent/core/model.ts';
import type { Enforcer, EnforcerEvent } from '../../agent/ports.ts';
import type { FaultLine } from './fault-line.ts';

type Installed = { limit: bigint; used: bigint; isPaused: boolean; readonly counters: Map<CounterKey, bigint> };

export class FakeEnforcer implements Enforcer {
  readonly installed = new Map<SessionId, Installed>();
  readonly passed = new Map<SessionId, bigint>();
  plans: EnforcementPlan[] = [];
  unbound: readonly UnboundAddress[] = [];
  isIntact = true;
  readonly #line: FaultLine;
  #listeners: ((event: EnforcerEvent) => void)[] = [];

  constructor(line: FaultLine) {
    this.#line = line;
  }

  reconcile(plan: EnforcementPlan): Promise<readonly CounterReading[]> {
    return this.#line.call('enforcer.reconcile', () => this.#apply(plan), refuse);
  }

  read(): Promise<{ readonly counters: readonly CounterReading[]; readonly unbound: readonly UnboundAddress[] }> {
    const readAll = () => ({
      counters: [...this.installed].flatMap(([id, session]) => readingsOf(id, session)),
      unbound: this.unbound,
    });
    return this.#line.call('enforcer.read', readAll, refuse);
  }

  verify(): Promise<boolean> {
    return this.#line.call('enforcer.verify', () => this.isIntact, refuse);
  }

  onEvent(listener: (event: EnforcerEvent) => void): void {
    this.#listeners.push(listener);
  }

  say(event: EnforcerEvent): void {
    for (const listener of this.#listeners) listener(event);
  }

  close(): Promise<void> {
    return Promise.resolve();
  }

  /** The agent is gone; what is in the kernel stays. */
  forgetListeners(): void {
    this.#listeners = [];
  }

  /** A guest's packets: what fits the quota passes. Returns it. */
  carry(id: SessionId, bytes: bigint, key: CounterKey): bigint {
    const session = this.installed.get(id);
    if (session === undefined || session.isPaused) return 0n;
    const room = session.limit > session.used ? session.limit - session.used : 0n;
    const fits = bytes < room ? bytes : room;
    session.used += fits;
    session.counters.set(key, (session.counters.get(key) ?? 0n) + fits);
    this.passed.set(id, (this.passed.get(id) ?? 0n) + fits);
    if (fits < bytes) this.say({ kind: 'depleted', sessionId: id });
    return fits;
  }

  #apply(plan: EnforcementPlan): readonly CounterReading[] {
    this.plans.push(plan);
    this.isIntact = true;
    const wanted = new Set(plan.grants.map(({ sessionId }) => sessionId));
    const gone = [...this.installed].filter(([id]) => !wanted.has(id));
    for (const [id] of gone) this.installed.delete(id);
    for (const grant of plan.grants) this.#install(grant);
    return gone.flatMap(([id, session]) => readingsOf(id, session));
  }

  #install({ sessionId, limitBytes, usedBytes, counters, isPaused: paused }: SessionGrant): void {
    const isPaused = paused === true;
    const known = this.installed.get(sessionId);
    if (known === undefined) {
      this.installed.set(sessionId, { limit: limitBytes, used: usedBytes, isPaused, counters: new Map(counters) });
    } else Object.assign(known, { limit: limitBytes, isPaused });
  }
}

function readingsOf(sessionId: SessionId, { counters }: Installed): readonly CounterReading[] {
  return [...counters].map(([key, bytes]) => ({ sessionId, key, bytes, packets: 0n }));
}

function refuse(): never {
  throw new Error('nft: no');
}
