/**
 * Token buckets by name, in bounded memory: whoever was not seen for longest is forgotten first, and starts full again.
 * Forgetting needs as many other names as there is room for; those are devices with a key, or source addresses.
 */
export type RateLimit = {
  /** Tokens that come back each second. */
  readonly perS: number;
  /** Most tokens at once. */
  readonly burst: number;
};

type Bucket = { tokens: number; atMs: number };

const DEFAULT_ROOM = 65_536;

export class RateLimiter {
  readonly #limit: RateLimit;
  readonly #room: number;
  /** In order of last use. */
  readonly #buckets = new Map<string, Bucket>();

  constructor(limit: RateLimit, room = DEFAULT_ROOM) {
    this.#limit = limit;
    this.#room = room;
  }

  get size(): number {
    return this.#buckets.size;
  }

  /** Takes tokens, at most a whole burst. @returns 0, or the milliseconds until there are so many; nothing was taken then */
  take(name: string, nowMs: number, tokens = 1): number {
    const bucket = this.#buckets.get(name);
    const left = this.#tokensIn(bucket, nowMs);
    const waitMs = this.#waitMs(left, tokens);
    if (waitMs > 0) return waitMs;
    const rest = left - Math.min(tokens, this.#limit.burst);
    if (bucket === undefined) {
      this.#buckets.set(name, { tokens: rest, atMs: nowMs });
      if (this.#buckets.size > this.#room) this.#forgetOldest();
      return 0;
    }
    bucket.tokens = rest;
    bucket.atMs = nowMs;
    this.#buckets.delete(name);
    this.#buckets.set(name, bucket);
    return 0;
  }

  /** How long `name` has to wait for so many tokens, at most a whole burst; takes none. */
  waitMs(name: string, nowMs: number, tokens = 1): number {
    return this.#waitMs(this.#tokensIn(this.#buckets.get(name), nowMs), tokens);
  }

  #waitMs(left: number, tokensAsked: number): number {
    const cost = Math.min(tokensAsked, this.#limit.burst);
    return left >= cost ? 0 : Math.ceil(((cost - left) * 1000) / this.#limit.perS);
  }

  #tokensIn(bucket: Bucket | undefined, nowMs: number): number {
    const { perS, burst } = this.#limit;
    if (bucket === undefined) return burst;
    // A clock that was set back gives nothing and takes nothing.
    const elapsedS = Math.max(0, nowMs - bucket.atMs) / 1000;
    return Math.min(burst, bucket.tokens + elapsedS * perS);
  }

  #forgetOldest(): void {
    const [oldest] = this.#buckets.keys();
    if (oldest !== undefined) this.#buckets.delete(oldest);
  }
}
