/** How often one address may ask at the sister door: each question costs a check of a signature, whoever sent it. */

const WINDOW_MS = 8_000;
/** A guest who comes is one question and one hand-over; a sister that was away brings all of her visitors. */
export const QUESTIONS_PER_WINDOW = 64;
/** More than a house has routers. All that come after them in a window share one place. */
const MAX_SOURCES = 256;

export class QuestionLimit {
  readonly #asked = new Map<string, number>();
  #sinceMs = Number.NEGATIVE_INFINITY;

  /** Whether the address may ask once more; `nowMs` is monotonic. */
  take(address: string, nowMs: number): boolean {
    if (nowMs - this.#sinceMs >= WINDOW_MS) {
      this.#asked.clear();
      this.#sinceMs = nowMs;
    }
    const source = this.#asked.has(address) || this.#asked.size < MAX_SOURCES ? address : 'others';
    const asked = (this.#asked.get(source) ?? 0) + 1;
    this.#asked.set(source, asked);
    return asked <= QUESTIONS_PER_WINDOW;
  }
}
