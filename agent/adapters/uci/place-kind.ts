/** Where a node is, as coarse as its owner likes: a country, or a country and a geohash. It stands in the signed offer. */
import type { ServicePlace } from '../../../protocol/service-offer.ts';
import type { OptionKind } from './option-kind.ts';

/** Six characters are a cell of 1.2 km x 0.6 km: what guests look for, and no house. */
const MAX_GEOHASH = 6;
/** ISO 3166-1 alpha-2; geohash in its own base 32, which has no a, i, l, o. */
const PLACE = new RegExp(`^([A-Za-z]{2})(?::([0-9b-hjkmnp-z]{1,${MAX_GEOHASH}}))?$`);

export function place(): OptionKind<ServicePlace> {
  return {
    expected: `a country such as CH, or a country and a geohash of up to ${MAX_GEOHASH} characters such as CH:u0qj`,
    unit: '',
    range: `country code, or country code, ":" and a geohash of 1..${MAX_GEOHASH} characters`,
    parse: (text) => {
      const [, country, geohash = '-'] = PLACE.exec(text) ?? [];
      return country === undefined ? undefined : { country: country.toUpperCase(), geohash };
    },
  };
}
