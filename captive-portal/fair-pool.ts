/**
 * A bounded number of places, shared fairly: once all are taken, whoever has few takes one from whoever has most. One who makes up
 * names (MAC addresses cost nothing) has to share with a newcomer, and cannot shut it out by having come first.
 */

export class FairPool<Key> {
  readonly #limit: number;
  /** What ends each holding, oldest first. */
  readonly #places = new Map<Key, Set<() => void>>();
  #size = 0;

  constructor(limit: number) {
    this.#limit = limit;
  }

  get size(): number {
    return this.#size;
  }

  hasRoomFor(key: Key): boolean {
    return this.#size < this.#limit || this.#fullest(key) !== undefined;
  }

  /** Takes a place; returns what gives it back, or undefined if there is none. `end` is called when the place is taken away. */
  hold(key: Key, end: () => void): (() => void) | undefined {
    if (this.#size >= this.#limit) {
      const fullest = this.#fullest(key);
      if (fullest === undefined) return undefined;
      this.#takeOldest(fullest);
    }
    const places = this.#places.get(key) ?? new Set();
    this.#places.set(key, places.add(end));
    this.#size += 1;
    return () => this.#release(key, end);
  }

  /** Whoever has most, if that is at least two more than `key` has: a place that moves must not come back the same way. */
  #fullest(key: Key): Key | undefined {
    let most = (this.#places.get(key)?.size ?? 0) + 1;
    let fullest: Key | undefined;
    for (const [other, { size }] of this.#places) {
      if (size <= most) continue;
      most = size;
      fullest = other;
    }
    return fullest;
  }

  #takeOldest(key: Key): void {
    const [end] = this.#places.get(key) ?? [];
    if (end === undefined) return;
    this.#release(key, end);
    end();
  }

  #release(key: Key, end: () => void): void {
    const places = this.#places.get(key);
    if (places?.delete(end) !== true) return;
    this.#size -= 1;
    if (places.size === 0) this.#places.delete(key);
  }
}
