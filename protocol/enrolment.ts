/**
 * A router asks a collector to take its proofs: it answers the collector's challenge under its device key and shows one
 * credential - a vendor's attestation, a serial number off the vendor's list, or a single-use key of the owner.
 */
import type { Address } from './address.ts';
import { hashStruct, type StructType, typedDigest } from './eip712.ts';
import { type Hex, hexFromBytes } from './hex.ts';
import { keccak256Text } from './keccak.ts';
import { type CompactSignature, recoverSigner, signDigest } from './signature.ts';
import { type RegistryDeployment, registrySeparator } from './traffic-proof.ts';
import { type SignedVendorAttestation, vendorAttestationDigest } from './vendor-attestation.ts';

/** Their order is their number in what is signed. */
export const ENROLMENT_METHODS = ['attestation', 'serial', 'key'] as const;

export type EnrolmentCredential =
  | { readonly method: 'attestation'; readonly attestation: SignedVendorAttestation }
  /** As printed on the router; short text (short-text.ts). */
  | { readonly method: 'serial'; readonly serial: string }
  /** 32 secret bytes, good once. It is shown to the collector only, over TLS. */
  | { readonly method: 'key'; readonly key: Hex };

export type EnrolmentChallenge = {
  readonly collector: Address;
  /** 32 random bytes of the collector, for one enrolment. */
  readonly nonce: Hex;
  readonly expiresS: bigint;
};

export type Enrolment = {
  readonly device: Address;
  readonly collector: Address;
  readonly nonce: Hex;
  readonly credential: EnrolmentCredential;
};

export type SignedEnrolment = Enrolment & { readonly signature: CompactSignature };

const ENROLMENT: StructType = {
  name: 'Enrolment',
  fields: [
    ['device', 'address'],
    ['collector', 'address'],
    ['nonce', 'bytes32'],
    ['method', 'uint8'],
    ['credential', 'bytes32'],
  ],
};

/** What stands for the credential in the signature: the attestation's digest, or the hash of serial or key. */
export function credentialHash(deployment: RegistryDeployment, credential: EnrolmentCredential): Hex {
  switch (credential.method) {
    case 'attestation':
      return hexFromBytes(vendorAttestationDigest(deployment, credential.attestation));
    case 'serial':
      return hexFromBytes(keccak256Text(`SSP-SERIAL-v1${credential.serial}`));
    case 'key':
      return hexFromBytes(keccak256Text(`SSP-ENROL-v1${credential.key}`));
  }
}

export function enrolmentDigest(deployment: RegistryDeployment, enrolment: Enrolment): Uint8Array {
  const { device, collector, nonce } = enrolment;
  const method = BigInt(ENROLMENT_METHODS.indexOf(enrolment.credential.method));
  const credential = credentialHash(deployment, enrolment.credential);
  return typedDigest(
    registrySeparator(deployment),
    hashStruct(ENROLMENT, { device, collector, nonce, method, credential }),
  );
}

export function signEnrolment(
  deployment: RegistryDeployment,
  enrolment: Enrolment,
  deviceKey: Uint8Array,
): SignedEnrolment {
  return { ...enrolment, signature: signDigest(enrolmentDigest(deployment, enrolment), deviceKey) };
}

/** True if the enrolment was signed by the device it names. */
export function isEnrolmentSigned(deployment: RegistryDeployment, enrolment: SignedEnrolment): boolean {
  return recoverSigner(enrolmentDigest(deployment, enrolment), enrolment.signature) === enrolment.device;
}
