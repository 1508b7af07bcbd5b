/** Bounded waiting: the lab never sleeps for a fixed time, it waits until something holds or says what did not. */
import { readFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { LabError } from './errors.ts';

const STEP_MS = 50;
/** Where somebody had to wait for a processor half of the time or more, limits are so many times as long. */
const BUSY_SHARE = 0.5;
const BUSY_PATIENCE = 4;

/**
 * Calls `probe` until it gives something else than undefined or false.
 * @throws LabError LAB_WAIT after `timeoutMs` (four times that on a busy machine), naming `what` and the last error of the probe.
 */
export async function until<T>(
  what: string,
  timeoutMs: number,
  probe: () => Promise<T | undefined | false> | T | undefined | false,
): Promise<T> {
  const watch = new Stopwatch();
  let lastError: unknown;
  for (;;) {
    try {
      const value = await probe();
      if (value !== undefined && value !== false) return value;
      lastError = undefined;
    } catch (error) {
      lastError = error;
    }
    if (!watch.isWithin(timeoutMs)) {
      const why = lastError instanceof Error ? `; last error: ${lastError.message}` : '';
      throw new LabError('LAB_WAIT', `Waited ${Math.round(watch.ms)} ms for ${what}, in vain${why}`, {
        cause: lastError,
      });
    }
    await delay(STEP_MS);
  }
}

/** Time since it was made, and whether that is within a limit, which is longer where the machine is busy. */
export class Stopwatch {
  readonly #beganMs = performance.now();
  readonly #stalledMs = processorStallsMs();

  get ms(): number {
    return performance.now() - this.#beganMs;
  }

  isWithin(limitMs: number): boolean {
    const takenMs = this.ms;
    if (takenMs < limitMs) return true;
    return takenMs < limitMs * BUSY_PATIENCE && processorStallsMs() - this.#stalledMs >= takenMs * BUSY_SHARE;
  }
}

/** How long somebody waited for a processor since the machine started, in ms. 0 on a kernel that does not say (Linux PSI). */
function processorStallsMs(): number {
  try {
    return Number(/^some .*total=(\d+)$/m.exec(readFileSync('/proc/pressure/cpu', 'utf8'))?.[1] ?? 0) / 1_000;
  } catch {
    return 0;
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
