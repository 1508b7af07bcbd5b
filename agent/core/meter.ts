/**
 * Readings of kernel counters to cumulative usage. Kernel counters are seeded with the last known value whenever they are
 * made anew, so a reading normally only grows; a smaller one means somebody else reset it and is taken as a new base.
 */
import type { ByteCount } from '../../protocol/units.ts';
import type { CounterKey, CounterReading, Usage } from './model.ts';

export type Metered = { readonly usage: Usage; readonly counters: ReadonlyMap<CounterKey, ByteCount> };

/**
 * Adds what each counter grew by since its last known value. Readings of counters never seen before count in full. What
 * counters that are gone have counted stays in the usage; their values are dropped, or a guest who changes addresses all
 * day would leave one for each.
 */
export function addReadings(metered: Metered, readings: readonly CounterReading[]): Metered {
  let { downBytes, upBytes } = metered.usage;
  const counters = new Map(metered.counters);
  for (const { key, bytes, isLast } of readings) {
    const last = counters.get(key) ?? 0n;
    const grown = bytes >= last ? bytes - last : bytes;
    if (key.startsWith('up:')) upBytes += grown;
    else downBytes += grown;
    if (isLast === true) counters.delete(key);
    else counters.set(key, bytes);
  }
  return { usage: { ...metered.usage, downBytes, upBytes }, counters };
}

export function totalBytes(usage: Usage): ByteCount {
  return usage.downBytes + usage.upBytes;
}
