/**
 * A device's word that another key goes on in its place: which key, from which number of the chain on, and after which proof.
 * The old key signs it, and the new one signs the same, so that nobody hands a chain to a key that he does not hold. Of one old
 * key there is one rotation: two that differ are evidence that it has been copied.
 */
import type { Address } from './address.ts';
import { hashStruct, type StructType, typedDigest } from './eip712.ts';
import { type Hex, hexFromBytes } from './hex.ts';
import { type CompactSignature, recoverSigner, signDigest } from './signature.ts';
import { type RegistryDeployment, registrySeparator } from './traffic-proof.ts';

export type KeyRotation = {
  /** The old key's address. */
  readonly device: Address;
  /** The new key's address. */
  readonly successor: Address;
  /** The first proof that the successor signs. Lower numbers are the old key's, this and higher ones are not. */
  readonly nextSeq: bigint;
  /** Digest of proof nextSeq - 1; GENESIS_PREV if there is none. */
  readonly prev: Hex;
};

export type SignedKeyRotation = KeyRotation & {
  readonly signature: CompactSignature;
  /** Of the same digest: the successor's key is at hand. */
  readonly successorSignature: CompactSignature;
};

const KEY_ROTATION: StructType = {
  name: 'KeyRotation',
  fields: [
    ['device', 'address'],
    ['successor', 'address'],
    ['nextSeq', 'uint32'],
    ['prev', 'bytes32'],
  ],
};

export function keyRotationDigest(deployment: RegistryDeployment, rotation: KeyRotation): Uint8Array {
  const { device, successor, nextSeq, prev } = rotation;
  return typedDigest(registrySeparator(deployment), hashStruct(KEY_ROTATION, { device, successor, nextSeq, prev }));
}

export function keyRotationDigestHex(deployment: RegistryDeployment, rotation: KeyRotation): Hex {
  return hexFromBytes(keyRotationDigest(deployment, rotation));
}

export function signKeyRotation(
  deployment: RegistryDeployment,
  rotation: KeyRotation,
  deviceKey: Uint8Array,
  successorKey: Uint8Array,
): SignedKeyRotation {
  const digest = keyRotationDigest(deployment, rotation);
  return {
    ...rotation,
    signature: signDigest(digest, deviceKey),
    successorSignature: signDigest(digest, successorKey),
  };
}

/** True if both keys that the rotation names have signed it. */
export function isKeyRotationSigned(deployment: RegistryDeployment, rotation: SignedKeyRotation): boolean {
  const digest = keyRotationDigest(deployment, rotation);
  return (
    recoverSigner(digest, rotation.signature) === rotation.device &&
    recoverSigner(digest, rotation.successorSignature) === rotation.successor
  );
}
