/**
 * Tells the collector what this node offers: at the start, and whenever the offer is another one. Silent without a collector.
 * One that cannot be reached is asked again, later each time; only the newest offer matters.
 */
import type { SignedServiceOffer } from '../../protocol/service-offer.ts';
import type { DriverLog } from '../driver.ts';
import type { Clock, ProofUploader } from '../ports.ts';
import { OfferBook, type OfferBookDeps } from './offer-book.ts';

export type OfferPublisherDeps = {
  readonly offers: OfferBook;
  readonly uploader?: ProofUploader;
  readonly clock: Clock;
  /** Milliseconds to wait after the n-th failure in a row. */
  readonly retryDelayMs: (attempt: number) => number;
  readonly log: DriverLog;
};

/** How soon a changed price is noticed; nothing is signed for a look. */
const LOOK_MS = 10_000;

export class OfferPublisher {
  readonly #deps: OfferPublisherDeps;
  #timer: NodeJS.Timeout | undefined;
  #published: SignedServiceOffer | undefined;
  #publishing: Promise<void> | undefined;
  #failures = 0;
  #notBeforeMs = 0;

  constructor(deps: OfferPublisherDeps) {
    this.#deps = deps;
  }

  start(): void {
    this.#timer = setInterval(() => void this.look(), LOOK_MS);
    this.#timer.unref();
    void this.look();
  }

  async close(): Promise<void> {
    clearInterval(this.#timer);
    await this.#publishing;
  }

  /** Publishes the offer of now unless the collector has it. Never rejects. */
  look(): Promise<void> {
    this.#publishing ??= this.#look()
      .catch((err: unknown) => {
        this.#later();
        this.#deps.log.error({ err }, 'offer-not-published');
      })
      .finally(() => {
        this.#publishing = undefined;
      });
    return this.#publishing;
  }

  async #look(): Promise<void> {
    const { offers, uploader, clock, log } = this.#deps;
    if (uploader?.publish === undefined || clock.monotonicMs() < this.#notBeforeMs) return;
    const offer = offers.current();
    if (offer === undefined || offer === this.#published) return;
    const answer = await uploader.publish(offer);
    const details = { serial: offer.serial.toString(), price: offer.price.toString() };
    if (!answer.ok) {
      log.info({ ...details, message: answer.message, retryInMs: this.#later() }, 'offer-not-published');
    } else if (answer.isTaken) {
      this.#published = offer;
      this.#failures = 0;
      log.info(details, 'offer-published');
    } else {
      // Published before the agent was started anew, or in the same minute.
      offers.supersede(offer);
      log.info({ ...details, retryInMs: this.#later() }, 'offer-superseded');
    }
  }

  #later(): number {
    const waitMs = this.#deps.retryDelayMs(this.#failures++);
    this.#notBeforeMs = this.#deps.clock.monotonicMs() + waitMs;
    return waitMs;
  }
}

type Followed = OfferBookDeps & Omit<OfferPublisherDeps, 'offers'>;

/** The book of offers, and the collector told of each. `opened`: what is closed at the end, in reverse. */
export function followOffers(
  deps: Followed,
  opened: { readonly name: string; readonly close: () => unknown }[],
): OfferBook {
  const offers = new OfferBook(deps);
  const publisher = new OfferPublisher({ ...deps, offers });
  opened.push({ name: 'offers', close: () => publisher.close() });
  publisher.start();
  return offers;
}
