/**
 * The offer that counts now, signed once and kept: guests and strangers ask for it as often as they like. A new one is made
 * when the terms change (owner, or time of day) and well before the old one ends.
 */
import type { SignedServiceOffer } from '../../protocol/service-offer.ts';
import type { AgentConfig } from '../core/config.ts';
import type { Tariff } from '../core/model.ts';
import { tariffAt } from '../core/tariff.ts';
import type { Clock } from '../ports.ts';
import { type OfferDeps, serviceOffer } from './service-offer.ts';

export type OfferBookDeps = OfferDeps & {
  readonly config: AgentConfig;
  readonly clock: Clock;
  /** Minute of the day, local time, for time-of-day tariffs. */
  readonly minuteOfDay: () => number;
};

type Kept = { readonly terms: string; readonly offer: SignedServiceOffer };

/** An offer with less than this left is renewed: half a day for who keeps a copy. */
const RENEW_S = 43_200n;

export class OfferBook {
  readonly #deps: OfferBookDeps;
  #kept: Kept | undefined;
  #lowestSerial = 0n;

  constructor(deps: OfferBookDeps) {
    this.#deps = deps;
  }

  /** undefined while the clock is not set: an offer without a time would hold for nobody. */
  current(): SignedServiceOffer | undefined {
    const { config, clock, minuteOfDay } = this.#deps;
    const { unixS, isSynced } = clock.wall();
    if (!isSynced) return undefined;
    const tariff = tariffAt(config.price, minuteOfDay());
    const terms = termsOf(config, tariff);
    const kept = this.#kept;
    const isGood = kept?.terms === terms && kept.offer.validFrom <= unixS && unixS + RENEW_S < kept.offer.validUntil;
    if (isGood && kept.offer.serial >= this.#lowestSerial) return kept.offer;
    // Two changes in one minute: the later one still counts.
    if (kept !== undefined) this.supersede(kept.offer);
    const offer = serviceOffer(this.#deps, tariff, unixS, this.#lowestSerial);
    this.#kept = { terms, offer };
    return offer;
  }

  /** The collector has one of this serial or a higher one: the next is numbered above what was offered. */
  supersede({ serial }: SignedServiceOffer): void {
    if (serial >= this.#lowestSerial) this.#lowestSerial = serial + 1n;
  }
}

/** All of the configuration that an offer says. */
function termsOf({ price, network }: AgentConfig, tariff: Tariff): string {
  const { rate, place } = network;
  return [
    tariff.unitsPerMb,
    tariff.unitsPerMinute,
    price.minDeposit,
    rate?.downBytesPerS ?? '-',
    rate?.upBytesPerS ?? '-',
    place?.country ?? '-',
    place?.geohash ?? '-',
  ].join(' ');
}
