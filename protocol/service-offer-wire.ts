/** A service offer as JSON, and decoding it from untrusted JSON. Amounts, times and counts are decimal strings. */
import * as v from 'valibot';
import type { Hex } from './hex.ts';
import {
  addressSchema,
  type Decoded,
  decode,
  signatureSchema,
  uint32Schema,
  uint40Schema,
  uint64Schema,
} from './schema.ts';
import { MAX_LIMITS, type SignedServiceOffer } from './service-offer.ts';
import { isShortText } from './short-text.ts';

export type ServiceOfferJson = {
  readonly v: 1;
  readonly device: Hex;
  readonly payee: Hex;
  readonly serial: string;
  readonly service: string;
  readonly unit: string;
  readonly price: string;
  readonly quantity: string;
  readonly pricePerMinute: string;
  readonly minDeposit: string;
  readonly limits: readonly { readonly name: string; readonly value: string }[];
  readonly place: { readonly country: string; readonly geohash: string };
  readonly validFrom: string;
  readonly validUntil: string;
  readonly sig: Hex;
};

const nameSchema = v.pipe(v.string(), v.check(isShortText, '1..32 printable ASCII characters'));

const serviceOfferSchema = v.pipe(
  v.strictObject({
    v: v.literal(1),
    device: addressSchema,
    payee: addressSchema,
    serial: uint32Schema,
    service: nameSchema,
    unit: nameSchema,
    price: uint64Schema,
    quantity: v.pipe(
      uint64Schema,
      v.check((quantity) => quantity > 0n, 'at least 1'),
    ),
    pricePerMinute: uint64Schema,
    minDeposit: uint64Schema,
    limits: v.pipe(
      v.array(v.strictObject({ name: nameSchema, value: uint64Schema })),
      v.check((limits) => limits.length <= MAX_LIMITS, `at most ${MAX_LIMITS} limits`),
      v.check(
        (limits) => limits.every(({ name }, i) => i === 0 || (limits[i - 1] as { name: string }).name < name),
        'names in ascending order, each once',
      ),
    ),
    place: v.strictObject({
      country: v.pipe(
        v.string(),
        v.check((country) => /^[A-Z]{2}$/.test(country), 'ISO 3166-1 alpha-2 code'),
      ),
      geohash: v.pipe(
        v.string(),
        v.check((geohash) => /^(?:-|[0-9b-hjkmnp-z]{1,12})$/.test(geohash), 'geohash of 1..12 characters, or -'),
      ),
    }),
    validFrom: uint40Schema,
    validUntil: uint40Schema,
    sig: signatureSchema,
  }),
  v.check(({ validFrom, validUntil }) => validFrom < validUntil, 'validFrom before validUntil'),
  v.transform(({ v: _version, sig, ...offer }): SignedServiceOffer => ({ ...offer, signature: sig })),
);

export function decodeServiceOffer(input: unknown): Decoded<SignedServiceOffer> {
  return decode(serviceOfferSchema, input);
}

export function jsonFromServiceOffer(offer: SignedServiceOffer): ServiceOfferJson {
  return {
    v: 1,
    device: offer.device,
    payee: offer.payee,
    serial: `${offer.serial}`,
    service: offer.service,
    unit: offer.unit,
    price: `${offer.price}`,
    quantity: `${offer.quantity}`,
    pricePerMinute: `${offer.pricePerMinute}`,
    minDeposit: `${offer.minDeposit}`,
    limits: offer.limits.map(({ name, value }) => ({ name, value: `${value}` })),
    place: offer.place,
    validFrom: `${offer.validFrom}`,
    validUntil: `${offer.validUntil}`,
    sig: offer.signature,
  };
}
