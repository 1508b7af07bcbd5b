/**
 * Who asks a collector for what it has on file of a device, signed: totals are the business of the device, of whom it earns for
 * and of its vendor, not of whoever knows its address. No challenge is kept for it: it names the collector and ends within
 * minutes, and who could repeat it in that time has read the answer too.
 */
import type { Address } from './address.ts';
import { hashStruct, type StructType, typedDigest } from './eip712.ts';
import { type CompactSignature, recoverSigner } from './signature.ts';
import { type RegistryDeployment, registrySeparator } from './traffic-proof.ts';

export type ListingAccess = {
  /** Whose key signs: the device's own, its operator's, its vendor's or one that the collector's owner has named. */
  readonly reader: Address;
  readonly device: Address;
  readonly collector: Address;
  /** Unix seconds by the collector's clock, which it tells whom it refuses. */
  readonly untilS: bigint;
};

type Recover = (digest: Uint8Array, signature: CompactSignature, expected: Address) => Address | undefined;

/** A collector takes none that would hold longer. */
export const MAX_ACCESS_S = 900n;

const LISTING_ACCESS: StructType = {
  name: 'ListingAccess',
  fields: [
    ['reader', 'address'],
    ['device', 'address'],
    ['collector', 'address'],
    ['untilS', 'uint40'],
  ],
};

const SCHEME = 'SSP-Access';
const HEADER = /^SSP-Access (0x[0-9a-f]{40})\.(\d{1,11})\.(0x[0-9a-f]{128})$/;

export function listingAccessDigest(deployment: RegistryDeployment, access: ListingAccess): Uint8Array {
  const { reader, device, collector, untilS } = access;
  return typedDigest(registrySeparator(deployment), hashStruct(LISTING_ACCESS, { reader, device, collector, untilS }));
}

/** Value of the header `authorization`. */
export function accessHeader(
  deployment: RegistryDeployment,
  access: ListingAccess,
  sign: (digest: Uint8Array) => CompactSignature,
): string {
  return `${SCHEME} ${access.reader}.${access.untilS}.${sign(listingAccessDigest(deployment, access))}`;
}

/** Who asks by this header (`recover`: where there is a faster one), or undefined: it is none, not signed by whom it names, over, or would hold too long. */
export function readerIn(
  deployment: RegistryDeployment,
  header: string,
  asked: Pick<ListingAccess, 'device' | 'collector'>,
  nowS: bigint,
  recover: Recover = recoverSigner,
): Address | undefined {
  const match = HEADER.exec(header);
  if (match === null) return undefined;
  const [, reader, until, signature] = match as unknown as [string, Address, string, CompactSignature];
  const untilS = BigInt(until);
  if (untilS < nowS || untilS > nowS + MAX_ACCESS_S) return undefined;
  const signer = recover(listingAccessDigest(deployment, { reader, ...asked, untilS }), signature, reader);
  return signer === reader ? reader : undefined;
}
