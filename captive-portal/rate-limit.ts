/** Token buckets, one per guest, bounded in number: a few requests at once, then a steady rate. */
import { MAX_RATED_GUESTS, RATE_BURST, RATE_REFILL_PER_S } from './limits.ts';

type Bucket = { readonly tokens: number; readonly atMs: number };

export class RateLimit {
  /** In order of last use, oldest first. */
  readonly #buckets = new Map<string, Bucket>();

  /** Takes one token of `guest`; false if there is none. `nowMs` is monotonic. */
  take(guest: string, nowMs: number): boolean {
    const known = this.#buckets.get(guest);
    const refilled =
      known === undefined ? RATE_BURST : known.tokens + ((nowMs - known.atMs) * RATE_REFILL_PER_S) / 1_000;
    const tokens = Math.min(RATE_BURST, refilled);
    const isAllowed = tokens >= 1;
    this.#buckets.delete(guest);
    this.#buckets.set(guest, { tokens: isAllowed ? tokens - 1 : tokens, atMs: nowMs });
    if (this.#buckets.size > MAX_RATED_GUESTS) this.#forgetOldest();
    return isAllowed;
  }

  get size(): number {
    return this.#buckets.size;
  }

  #forgetOldest(): void {
    const oldest = this.#buckets.keys().next();
    if (oldest.done !== true) this.#buckets.delete(oldest.value);
  }
}
