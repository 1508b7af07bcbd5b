/** Bounded waiting: the lab never sleeps for a fixed time, it waits until something holds or says what did not. */
import { setTimeout as delay } from 'node:timers/promises';
import { LabError } from './errors.ts';

const STEP_MS = 50;

/**
 * Calls `probe` until it gives something else than undefined or false.
 * @throws LabError LAB_WAIT after `timeoutMs`, naming `what` and the last error of the probe.
 */
export async function until<T>(
  what: string,
  timeoutMs: number,
  probe: () => Promise<T | undefined | false> | T | undefined | false,
): Promise<T> {
  const endsAt = performance.now() + timeoutMs;
  let lastError: unknown;
  for (;;) {
    try {
      const value = await probe();
      if (value !== undefined && value !== false) return value;
      lastError = undefined;
    } catch (error) {
      lastError = error;
    }
    if (performance.now() >= endsAt) {
      const why = lastError instanceof Error ? `; last error: ${lastError.message}` : '';
      throw new LabError('LAB_WAIT', `Waited ${timeoutMs} ms for ${what}, in vain${why}`, { cause: lastError });
    }
    await delay(STEP_MS);
  }
}

/** The value once it has stayed the same for `quietMs`: counters are compared only when no packet is under way. */
export async function settled<T>(what: string, quietMs: number, timeoutMs: number, read: () => Promise<T>): Promise<T> {
  let last = await read();
  let since = performance.now();
  return until(`${what} to stay the same for ${quietMs} ms`, timeoutMs, async () => {
    const next = await read();
    if (printed(next) !== printed(last)) {
      last = next;
      since = performance.now();
    }
    return performance.now() - since >= quietMs ? last : undefined;
  });
}

export async function pause(ms: number): Promise<void> {
  await delay(ms);
}

function printed(value: unknown): string {
  return JSON.stringify(value, (_key, field) => (typeof field === 'bigint' ? field.toString() : field)) ?? 'undefined';
}
