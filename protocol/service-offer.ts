/**
 * The signed description of what a node sells. Bandwidth today; storage and compute fit the same type: a service name, the
 * unit that is counted, a price for a quantity of it, limits, a place and a time.
 * Published to the collector and served on the router; a guest's own terms are in the Quote.
 */
import type { Address } from './address.ts';
import { hashStruct, type StructType, typedDigest } from './eip712.ts';
import { bytesFromHex, bytesFromUint, concatBytes, type Hex } from './hex.ts';
import { keccak256Hex } from './keccak.ts';
import { bytes32FromText } from './short-text.ts';
import { type CompactSignature, recoverSigner, signDigest } from './signature.ts';
import { type RegistryDeployment, registrySeparator } from './traffic-proof.ts';
import type { TokenAmount } from './units.ts';

export type ServiceOffer = {
  readonly device: Address;
  readonly payee: Address;
  /** Of two offers of a device the one with the higher serial counts. */
  readonly serial: bigint;
  /** "bandwidth", later "storage", "compute": short text (short-text.ts), like all names here. */
  readonly service: string;
  /** What is counted: "byte" (layer 3, both directions), later "byte-second", "cpu-second". */
  readonly unit: string;
  /** Base units of SSP for `quantity` of the unit. */
  readonly price: TokenAmount;
  readonly quantity: bigint;
  /** Base units of SSP for 60 s, whatever is used. */
  readonly pricePerMinute: TokenAmount;
  readonly minDeposit: TokenAmount;
  /** By name, e.g. downKbps, upKbps, guests; at most 16, names in ascending order. */
  readonly limits: readonly ServiceLimit[];
  readonly place: ServicePlace;
  /** Unix seconds. */
  readonly validFrom: bigint;
  readonly validUntil: bigint;
};

export type ServiceLimit = { readonly name: string; readonly value: bigint };

export type ServicePlace = {
  /** ISO 3166-1 alpha-2, "ZZ" if unknown. */
  readonly country: string;
  /** Geohash, as coarse as the owner likes; "-" for none. */
  readonly geohash: string;
};

export type SignedServiceOffer = ServiceOffer & { readonly signature: CompactSignature };

/** What a bandwidth node offers. */
export const BANDWIDTH = { service: 'bandwidth', unit: 'byte' } as const;
export const MAX_LIMITS = 16;

const SERVICE_OFFER: StructType = {
  name: 'ServiceOffer',
  fields: [
    ['device', 'address'],
    ['payee', 'address'],
    ['serial', 'uint32'],
    ['service', 'bytes32'],
    ['unit', 'bytes32'],
    ['price', 'uint64'],
    ['quantity', 'uint64'],
    ['pricePerMinute', 'uint64'],
    ['minDeposit', 'uint64'],
    ['limits', 'bytes32'],
    ['country', 'bytes32'],
    ['geohash', 'bytes32'],
    ['validFrom', 'uint40'],
    ['validUntil', 'uint40'],
  ],
};

/** Texts are signed as bytes32; limits as keccak256 of bytes32 name || uint64 value, one after another. */
export function serviceOfferDigest(deployment: RegistryDeployment, offer: ServiceOffer): Uint8Array {
  const struct = hashStruct(SERVICE_OFFER, {
    device: offer.device,
    payee: offer.payee,
    serial: offer.serial,
    service: bytes32FromText(offer.service),
    unit: bytes32FromText(offer.unit),
    price: offer.price,
    quantity: offer.quantity,
    pricePerMinute: offer.pricePerMinute,
    minDeposit: offer.minDeposit,
    limits: limitsHash(offer.limits),
    country: bytes32FromText(offer.place.country),
    geohash: bytes32FromText(offer.place.geohash),
    validFrom: offer.validFrom,
    validUntil: offer.validUntil,
  });
  return typedDigest(registrySeparator(deployment), struct);
}

export function limitsHash(limits: readonly ServiceLimit[]): Hex {
  const words = limits.map(({ name, value }) =>
    concatBytes(bytesFromHex(bytes32FromText(name)), bytesFromUint(value, 8)),
  );
  return keccak256Hex(concatBytes(...words));
}

export function signServiceOffer(
  deployment: RegistryDeployment,
  offer: ServiceOffer,
  deviceKey: Uint8Array,
): SignedServiceOffer {
  return { ...offer, signature: signDigest(serviceOfferDigest(deployment, offer), deviceKey) };
}

/** True if the offer was signed by the device it names. */
export function isServiceOfferSigned(deployment: RegistryDeployment, offer: SignedServiceOffer): boolean {
  return recoverSigner(serviceOfferDigest(deployment, offer), offer.signature) === offer.device;
}
