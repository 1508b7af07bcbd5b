/** How long to wait after the n-th failure in a row: 1 s, doubling to 10 minutes, spread so that a fleet does not return at once. */

const FIRST_MS = 1_000;
const LONGEST_MS = 600_000;
/** 2^10 s is beyond the longest wait already; larger exponents would only overflow. */
const MAX_DOUBLINGS = 10;

/**
 * Milliseconds until the next attempt after `attempt` failures before this one (0 for the first).
 * `jitter` in 0..1 chooses within the upper half of the wait; the same input gives the same answer.
 */
export function nextDelayMs(attempt: number, jitter: number): number {
  const doublings = Math.min(Math.max(Math.trunc(attempt), 0), MAX_DOUBLINGS);
  const longestMs = Math.min(FIRST_MS * 2 ** doublings, LONGEST_MS);
  const share = Math.min(Math.max(jitter, 0), 1);
  return Math.round(longestMs * (0.5 + 0.5 * share));
}
