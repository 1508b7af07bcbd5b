/**
 * Shares one read among all who ask at the same time, and never answers with one that began before the question: a guest
 * that came a moment ago is in it. Reads are at least `gapMs` apart, so asking often costs waiting and not work.
 */
import { setTimeout as sleep } from 'node:timers/promises';

export class FreshRead<T> {
  readonly #read: () => Promise<T>;
  readonly #gapMs: number;
  readonly #monotonicMs: () => number;
  #last: { readonly beganMs: number; readonly result: Promise<T> } | undefined;
  #isRunning = false;
  #next: Promise<T> | undefined;

  constructor(read: () => Promise<T>, gapMs: number, monotonicMs: () => number) {
    this.#read = read;
    this.#gapMs = gapMs;
    this.#monotonicMs = monotonicMs;
  }

  /** Result of a read that begins now or later. */
  fresh(): Promise<T> {
    const waitMs = this.#last === undefined ? 0 : this.#last.beganMs + this.#gapMs - this.#monotonicMs();
    if (this.#next !== undefined) return this.#next;
    if (!this.#isRunning && waitMs <= 0) return this.#begin();
    this.#next = this.#after(waitMs);
    return this.#next;
  }

  /** Result of the last read if it began at most `ageMs` ago, else of a fresh one. */
  recent(ageMs: number): Promise<T> {
    const isRecent = this.#last !== undefined && this.#monotonicMs() - this.#last.beganMs < ageMs;
    return isRecent ? (this.#last as { result: Promise<T> }).result : this.fresh();
  }

  /** What `pick` finds in a recent result, or if nothing in a fresh one. */
  async find<R>(ageMs: number, pick: (result: T) => R | undefined): Promise<R | undefined> {
    const known = this.#last?.result;
    const result = this.recent(ageMs);
    const found = pick(await result);
    return found !== undefined || result !== known ? found : pick(await this.fresh());
  }

  async #after(waitMs: number): Promise<T> {
    if (waitMs > 0) await sleep(waitMs);
    if (this.#isRunning) await this.#last?.result.catch(() => undefined);
    this.#next = undefined;
    return await this.#begin();
  }

  #begin(): Promise<T> {
    this.#isRunning = true;
    const result = this.#read().finally(() => {
      this.#isRunning = false;
    });
    this.#last = { beganMs: this.#monotonicMs(), result };
    return result;
  }
}
