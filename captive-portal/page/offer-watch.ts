/**
 * Keeps the offer on the page true: asks until there is one, then again every minute and whenever the guest looks at the page.
 * An offer that changed is shown at once, and counts for a tap only when it has been there long enough to be read.
 */
import { isSameOffer } from './offer.ts';
import { getTerms, type Problem } from './router-client.ts';
import type { Terms } from './wallet.ts';

export type OfferListener = {
  /** `isChanged`: the guest saw another one before. */
  readonly onOffer: (terms: Terms, isChanged: boolean) => void;
  /** There is no offer yet. */
  readonly onTrouble: (problem: Problem) => void;
  /** False while nothing is for sale on the page, or a request is under way. */
  readonly isWanted: () => boolean;
};

const RETRY_MS = 10_000;
const REFRESH_MS = 60_000;
/** A tap this soon after a change was meant for what stood there before. */
const READING_MS = 1_000;

export class OfferWatch {
  readonly #listener: OfferListener;
  #shown: Terms | undefined;
  #changedMs = -READING_MS;

  constructor(listener: OfferListener) {
    this.#listener = listener;
  }

  /** What the guest sees, or undefined before anything was offered. */
  get shown(): Terms | undefined {
    return this.#shown;
  }

  /** True right after a change. */
  get isUnread(): boolean {
    return performance.now() - this.#changedMs < READING_MS;
  }

  async start(): Promise<void> {
    const answer = await getTerms();
    if (!answer.ok) {
      this.#listener.onTrouble(answer.problem);
      setTimeout(() => void this.start(), RETRY_MS);
      return;
    }
    this.show(answer.value);
    setInterval(() => void this.#refresh(), REFRESH_MS);
    document.addEventListener('visibilitychange', () => void this.#refresh());
  }

  /** Puts `fresh` in place of what was shown. */
  show(fresh: Terms): void {
    const isChanged = this.#shown !== undefined && !isSameOffer(this.#shown, fresh);
    const isNews = isChanged || this.#shown === undefined;
    // What means the same is not shown again: nothing that is typed or chosen moves.
    if (!isNews) return;
    this.#shown = fresh;
    if (isChanged) this.#changedMs = performance.now();
    this.#listener.onOffer(fresh, isChanged);
  }

  async #refresh(): Promise<void> {
    if (document.hidden || !this.#listener.isWanted()) return;
    const answer = await getTerms();
    // A purchase may have begun meanwhile: it looks by itself.
    if (answer.ok && this.#listener.isWanted()) this.show(answer.value);
  }
}
