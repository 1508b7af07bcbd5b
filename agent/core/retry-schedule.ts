/** How long to wait after the n-th failure in a row: twice as long after each, ten minutes at the most. */
import { CLOSE_RETRY_MAX_MS, CLOSE_RETRY_MIN_MS } from './limits.ts';

const FIRST_MS = 1_000;
const LONGEST_MS = 600_000;
/** 2^10 times the first wait is beyond the longest one already; larger exponents would only overflow. */
const MAX_DOUBLINGS = 10;

/**
 * For questions to the collector: milliseconds until the next attempt after `attempt` failures before this one (0 for the
 * first), spread so that a fleet does not return at once.
 * `jitter` in 0..1 chooses within the upper half of the wait; the same input gives the same answer.
 */
export function nextDelayMs(attempt: number, jitter: number): number {
  const doublings = Math.min(Math.max(Math.trunc(attempt), 0), MAX_DOUBLINGS);
  const longestMs = Math.min(FIRST_MS * 2 ** doublings, LONGEST_MS);
  const share = Math.min(Math.max(jitter, 0), 1);
  return Math.round(longestMs * (0.5 + 0.5 * share));
}

/** For closes and claims on chain, which may be away for a day: milliseconds to wait after `failures` in a row, 1 or more. */
export function chainRetryMs(failures: number): number {
  return Math.min(CLOSE_RETRY_MAX_MS, CLOSE_RETRY_MIN_MS * 2 ** Math.min(failures - 1, MAX_DOUBLINGS));
}
