/**
 * The newest reading of every counter, kept or gone. With it a plan that is a little older than the kernel still gives
 * the true total of a session.
 */
import type { CounterKey, CounterReading, SessionGrant, SessionId } from '../../core/model.ts';
import type { CounterBase } from './layout.ts';

type Known = { readonly bytes: bigint; readonly packets: bigint };

export class UsageBook {
  readonly #sessions = new Map<SessionId, Map<CounterKey, Known>>();

  note(readings: readonly CounterReading[]): void {
    for (const { sessionId, key, bytes, packets } of readings) {
      const known = this.#sessions.get(sessionId) ?? new Map<CounterKey, Known>();
      this.#sessions.set(sessionId, known);
      known.set(key, { bytes, packets });
    }
  }

  reading(sessionId: SessionId, key: CounterKey): CounterReading {
    const { bytes, packets } = this.#sessions.get(sessionId)?.get(key) ?? { bytes: 0n, packets: 0n };
    return { sessionId, key, bytes, packets };
  }

  /** What a counter made anew goes on from. */
  baseOf(grant: SessionGrant, key: CounterKey): CounterBase {
    const { sessionId } = grant;
    const { bytes, packets } = this.reading(sessionId, key);
    const planned = grant.counters.get(key) ?? 0n;
    return { sessionId, bytes: bytes > planned ? bytes : planned, packets };
  }

  /** Bytes that truly passed in the session: what the plan knows plus what the counters have seen since. */
  usedBytes(grant: SessionGrant): bigint {
    let used = grant.usedBytes;
    for (const [key, { bytes }] of this.#sessions.get(grant.sessionId) ?? []) {
      const planned = grant.counters.get(key) ?? 0n;
      if (bytes > planned) used += bytes - planned;
    }
    return used;
  }

  forget(sessionId: SessionId): void {
    this.#sessions.delete(sessionId);
  }
}
