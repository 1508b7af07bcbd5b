/** How fast data flows, from two views. Pure. */
import type { View } from './wire.ts';

type Counters = Pick<View, 'downBytes' | 'upBytes'>;

/** Two views closer together than this say nothing about speed. */
const LEAST_MS = 200;

/** Bytes a second, both directions; `known` while the views are too close together to tell. */
export function speedBetween(before: Counters, after: Counters, elapsedMs: number, known: bigint): bigint {
  if (elapsedMs < LEAST_MS) return known;
  const bytes = after.downBytes + after.upBytes - before.downBytes - before.upBytes;
  return bytes > 0n ? (bytes * 1_000n) / BigInt(Math.ceil(elapsedMs)) : 0n;
}
