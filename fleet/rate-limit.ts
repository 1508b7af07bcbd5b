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
    const cost = Math.min(tokens, this.#limit.burst);
    const waitMs = this.waitMs(name, nowMs, cost);
    if (waitMs > 0) return waitMs;
    const bucket = this.#current(name, nowMs);
    this.#buckets.delete(name);
    this.#buckets.set(name, { tokens: bucket.tokens - cost, atMs: nowMs });
    if (this.#buckets.size > this.#room) {
      const [oldest] = this.#buckets.keys();
      if (oldest !== undefined) this.#buckets.delete(oldest);
    }
    return 0;
  }

  /** How long `name` has to wait for so many tokens, at most a whole burst; takes none. */
  waitMs(name: string, nowMs: number, tokensAsked = 1): number {
    const cost = Math.min(tokensAsked, this.#limit.burst);
    const { tokens } = this.#current(name, nowMs);
    return tokens >= cost ? 0 : Math.ceil(((cost - tokens) * 1000) / this.#limit.perS);
  }

  #current(name: string, nowMs: number): Bucket {
    const { perS, burst } = this.#limit;
    const bucket = this.#buckets.get(name);
    if (bucket === undefined) return { tokens: burst, atMs: nowMs };
    // A clock that was set back gives nothing and takes nothing.
    const elapsedS = Math.max(0, nowMs - bucket.atMs) / 1000;
    return { tokens: Math.min(burst, bucket.tokens + elapsedS * perS), atMs: nowMs };
  }
}
