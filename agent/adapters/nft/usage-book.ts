/**
 * The newest reading of every counter, kept or gone. With it a plan that is a little older than the kernel still gives
 * the true total of a session. A counter that is gone is retired once its last reading is handed out: the next plan has it
 * in its total and names it no more.
 */
import type { CounterKey, CounterReading, SessionGrant, SessionId } from '../../core/model.ts';
import type { CounterBase } from './layout.ts';

type Known = { readonly bytes: bigint; readonly packets: bigint };
type Knowns = Map<CounterKey, Known>;

const NOTHING: Known = { bytes: 0n, packets: 0n };

export class UsageBook {
  readonly #sessions = new Map<SessionId, Knowns>();
  /** Handed out for the last time; they count only in plans that were made before. */
  readonly #retired = new Map<SessionId, Knowns>();

  note(readings: readonly CounterReading[]): void {
    for (const { sessionId, key, bytes, packets } of readings)
      knownsOf(this.#sessions, sessionId).set(key, { bytes, packets });
  }

  reading(sessionId: SessionId, key: CounterKey): CounterReading {
    return { sessionId, key, ...(this.#sessions.get(sessionId)?.get(key) ?? NOTHING) };
  }

  /** What a counter made anew goes on from. */
  baseOf(grant: SessionGrant, key: CounterKey): CounterBase {
    const { bytes, packets } = this.#newest(grant, key);
    return { sessionId: grant.sessionId, bytes, packets };
  }

  /** Bytes that truly passed in the session: what the plan knows plus what the counters have seen since. */
  usedBytes(grant: SessionGrant): bigint {
    const { sessionId, counters } = grant;
    let used = grant.usedBytes;
    const retired = [...(this.#retired.get(sessionId) ?? [])].filter(([key]) => counters.has(key));
    for (const [key, { bytes }] of [...(this.#sessions.get(sessionId) ?? []), ...retired]) {
      const planned = counters.get(key) ?? 0n;
      if (bytes > planned) used += bytes - planned;
    }
    return used;
  }

  /**
   * Retires the counters that the plan knows and the kernel has no more; where the plan knows no more than are bound nothing
   * has piled up, and nothing is looked up: this runs with every voucher.
   * @returns their last readings, for whoever made the plan: one that is made before they are known must not follow.
   */
  retire(
    grants: readonly SessionGrant[],
    isInstalled: (sessionId: SessionId, key: CounterKey) => boolean,
  ): CounterReading[] {
    return grants.flatMap((grant) => {
      const { sessionId, counters } = grant;
      if (counters.size <= boundCounters(grant) && !this.#retired.has(sessionId)) return [];
      const gone = [...counters.keys()].filter((key) => !isInstalled(sessionId, key));
      const lasts = gone.map((key) => ({ sessionId, key, ...this.#newest(grant, key), isLast: true as const }));
      this.#retired.delete(sessionId);
      for (const { key, bytes, packets } of lasts) {
        this.#sessions.get(sessionId)?.delete(key);
        knownsOf(this.#retired, sessionId).set(key, { bytes, packets });
      }
      return lasts;
    });
  }

  forget(sessionId: SessionId): void {
    this.#sessions.delete(sessionId);
    this.#retired.delete(sessionId);
  }

  #newest({ sessionId, counters }: SessionGrant, key: CounterKey): Known {
    const planned = counters.get(key);
    const retired = planned === undefined ? undefined : this.#retired.get(sessionId)?.get(key);
    const { bytes, packets } = this.#sessions.get(sessionId)?.get(key) ?? retired ?? NOTHING;
    return { bytes: planned !== undefined && planned > bytes ? planned : bytes, packets };
  }
}

function boundCounters({ stations }: SessionGrant): number {
  return stations.reduce((count, { addresses }) => count + 1 + addresses.length, 0);
}

function knownsOf(sessions: Map<SessionId, Knowns>, sessionId: SessionId): Knowns {
  const knowns = sessions.get(sessionId) ?? new Map<CounterKey, Known>();
  sessions.set(sessionId, knowns);
  return knowns;
}
