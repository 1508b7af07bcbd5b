/**
 * Brings the kernel in line with the state, one pass at a time, always to the newest state. A pass takes up all that changed
 * before it began; who asks while one runs waits for the next, and for no pass after that.
 */
import type { AgentConfig } from './core/config.ts';
import { enforcementPlan } from './core/enforcement.ts';
import type { CounterReading, SessionId } from './core/model.ts';
import type { AgentState } from './core/state.ts';
import type { Clock, Enforcer } from './ports.ts';

export type ReconcilerDeps = {
  readonly config: AgentConfig;
  readonly clock: Clock;
  readonly enforcer: Enforcer;
  readonly log: { error(details: object, event: string): void };
  readonly state: () => AgentState;
  /** After a pass that the kernel took: who is served by it, and the counters that came with it. */
  readonly onReconciled: (served: ReadonlySet<SessionId>, counters: readonly CounterReading[]) => void;
};

/** How long to wait before the kernel is tried again after it refused. */
const RETRY_MS = 1_000;

export class Reconciler {
  readonly #deps: ReconcilerDeps;
  /** The pass under way, or the last one; what it resolves to is why the kernel refused. */
  #current: Promise<string | undefined> | undefined;
  /** Asked for and not yet begun. */
  #next: Promise<string | undefined> | undefined;
  #trouble: string | undefined;
  #retryTimer: NodeJS.Timeout | undefined;
  #isClosed = false;

  constructor(deps: ReconcilerDeps) {
    this.#deps = deps;
  }

  /** Why the kernel refused the last pass; undefined if it took it. */
  get trouble(): string | undefined {
    return this.#trouble;
  }

  /** A pass that begins after this turn; resolves when it has ended, to why the kernel refused it if it did. */
  pass(): Promise<string | undefined> {
    this.#next ??= this.#passAfter(this.#current);
    return this.#next;
  }

  /** No pass begins any more; resolves when none is under way. */
  async close(): Promise<void> {
    this.#isClosed = true;
    clearTimeout(this.#retryTimer);
    await Promise.allSettled([this.#current, this.#next]);
  }

  async #passAfter(before: Promise<unknown> | undefined): Promise<string | undefined> {
    // Also if there is none: what else changes in this turn shares the pass. What became of it is its askers' matter.
    await before?.catch(() => undefined);
    this.#current = this.#next;
    this.#next = undefined;
    if (!this.#isClosed) await this.#reconcile();
    return this.#trouble;
  }

  async #reconcile(): Promise<void> {
    const { config, clock, enforcer, log, state, onReconciled } = this.#deps;
    const plan = enforcementPlan(state(), config, clock.monotonicMs());
    let counters: readonly CounterReading[];
    try {
      counters = await enforcer.reconcile(plan);
    } catch (cause) {
      this.#trouble = `the packet filter cannot be changed: ${cause instanceof Error ? cause.message : cause}`;
      log.error({ err: cause }, 'reconcile-failed');
      this.#retryLater();
      return;
    }
    this.#trouble = undefined;
    onReconciled(new Set(plan.grants.map(({ sessionId }) => sessionId)), counters);
  }

  /** One timer, however many callers see the refusal. */
  #retryLater(): void {
    if (this.#isClosed) return;
    clearTimeout(this.#retryTimer);
    this.#retryTimer = setTimeout(() => {
      this.pass().catch((cause: unknown) => this.#deps.log.error({ err: cause }, 'reconcile-failed'));
    }, RETRY_MS).unref();
  }
}
