/**
 * A vendor's signed statement that a device key lives in one of its products, and its signed list of those it takes back.
 * The registry contract checks attestations on chain; a collector checks both off-line, by the vendor's key alone.
 */
import type { Address } from './address.ts';
import { hashStruct, type StructType, typedDigest } from './eip712.ts';
import { bytesFromHex, concatBytes, type Hex } from './hex.ts';
import { keccak256Hex } from './keccak.ts';
import { type CompactSignature, recoverSigner, signDigest } from './signature.ts';
import { type RegistryDeployment, registrySeparator } from './traffic-proof.ts';

export type VendorAttestation = {
  /** Number of the vendor in the DeviceRegistry. */
  readonly vendorId: bigint;
  readonly device: Address;
  /** Product name as short text (short-text.ts), or any 32 bytes of the vendor's. */
  readonly model: Hex;
  /** Unix seconds after which the statement says nothing any more. */
  readonly notAfter: bigint;
};

export type SignedVendorAttestation = VendorAttestation & { readonly signature: CompactSignature };

/** Always the vendor's whole list: the one with the highest serial counts. */
export type RevocationList = {
  readonly vendorId: bigint;
  readonly serial: bigint;
  readonly issuedS: bigint;
  /** In ascending order, none twice. */
  readonly devices: readonly Address[];
};

export type SignedRevocationList = RevocationList & { readonly signature: CompactSignature };

const VENDOR_ATTESTATION: StructType = {
  name: 'VendorAttestation',
  fields: [
    ['vendorId', 'uint32'],
    ['device', 'address'],
    ['model', 'bytes32'],
    ['notAfter', 'uint40'],
  ],
};

const REVOCATION_LIST: StructType = {
  name: 'RevocationList',
  fields: [
    ['vendorId', 'uint32'],
    ['serial', 'uint32'],
    ['issuedS', 'uint40'],
    ['devices', 'bytes32'],
  ],
};

export function vendorAttestationDigest(deployment: RegistryDeployment, attestation: VendorAttestation): Uint8Array {
  const { vendorId, device, model, notAfter } = attestation;
  return typedDigest(
    registrySeparator(deployment),
    hashStruct(VENDOR_ATTESTATION, { vendorId, device, model, notAfter }),
  );
}

export function signVendorAttestation(
  deployment: RegistryDeployment,
  attestation: VendorAttestation,
  vendorKey: Uint8Array,
): SignedVendorAttestation {
  return { ...attestation, signature: signDigest(vendorAttestationDigest(deployment, attestation), vendorKey) };
}

/** Address that signed, or undefined. Compare it with the vendor's key. */
export function vendorAttestationSigner(
  deployment: RegistryDeployment,
  attestation: SignedVendorAttestation,
): Address | undefined {
  return recoverSigner(vendorAttestationDigest(deployment, attestation), attestation.signature);
}

/** The devices are signed as one hash: keccak256 of their addresses, 20 bytes each, one after another. */
export function revocationListDigest(deployment: RegistryDeployment, list: RevocationList): Uint8Array {
  const { vendorId, serial, issuedS } = list;
  const devices = keccak256Hex(concatBytes(...list.devices.map(bytesFromHex)));
  return typedDigest(
    registrySeparator(deployment),
    hashStruct(REVOCATION_LIST, { vendorId, serial, issuedS, devices }),
  );
}

/** @throws RangeError if the devices are not in ascending order, each once. */
export function signRevocationList(
  deployment: RegistryDeployment,
  list: RevocationList,
  vendorKey: Uint8Array,
): SignedRevocationList {
  if (!isAscending(list.devices)) throw new RangeError('revoked devices must be in ascending order, each once');
  return { ...list, signature: signDigest(revocationListDigest(deployment, list), vendorKey) };
}

/** Address that signed, or undefined. Compare it with the vendor's key. */
export function revocationListSigner(deployment: RegistryDeployment, list: SignedRevocationList): Address | undefined {
  return recoverSigner(revocationListDigest(deployment, list), list.signature);
}

/** True if each address is greater than the one before it. */
export function isAscending(devices: readonly Address[]): boolean {
  return devices.every((device, i) => i === 0 || (devices[i - 1] as Address) < device);
}
