/**
 * A traffic proof: the device's signed statement of what it carried in one interval, chained by `prev` to the one before.
 * Two different proofs of one device for the same (epoch, seq) are provable equivocation.
 * Nothing in it identifies a guest: sessions appear as blinded leaves under a Merkle root.
 */
import type { Address } from './address.ts';
import { type Domain, domainSeparator, hashStruct, type StructType, typedDigest } from './eip712.ts';
import { bytesFromHex, bytesFromUint, concatBytes, type Hex, hexFromBytes } from './hex.ts';
import { keccak256Hex } from './keccak.ts';
import { merkleLeaf, merkleRoot } from './merkle.ts';
import { type CompactSignature, recoverSigner, signDigest } from './signature.ts';
import type { ByteCount, TokenAmount } from './units.ts';

export const REGISTRY_DOMAIN_NAME = 'SSP DeviceRegistry';
export const REGISTRY_DOMAIN_VERSION = '1';
/** `prev` of a device's first proof. */
export const GENESIS_PREV: Hex = `0x${'00'.repeat(32)}`;

/** Where the device registry lives; the domain of everything a device signs about itself. */
export type RegistryDeployment = { readonly chainId: bigint; readonly registry: Address };

/** 0: wall clock not known good; 1: set by NTP or a signed clock statement. */
export type ClockState = 0n | 1n;

export type TrafficProof = {
  readonly device: Address;
  readonly epoch: bigint;
  /** Counts up by one per proof and device, from 0, across epochs. */
  readonly seq: bigint;
  /** Unix seconds (or seconds since boot while clockState is 0). */
  readonly startS: bigint;
  readonly endS: bigint;
  readonly bytesUp: ByteCount;
  readonly bytesDown: ByteCount;
  /** Units charged in the interval. */
  readonly paid: TokenAmount;
  readonly sessionsRoot: Hex;
  readonly prev: Hex;
  readonly clockState: ClockState;
};

export type SignedTrafficProof = TrafficProof & { readonly signature: CompactSignature };

/** One session's share of an interval. `voucherDigest` is that of the last voucher, which travels beside the proof. */
export type SessionLeaf = {
  /** keccak256(device secret, channelId, epoch): links the intervals of one session, and nothing else. */
  readonly sessionId: Hex;
  readonly channelId: Hex;
  readonly bytesUp: ByteCount;
  readonly bytesDown: ByteCount;
  readonly paid: TokenAmount;
  readonly voucherDigest: Hex;
};

export const TRAFFIC_PROOF: StructType = {
  name: 'TrafficProof',
  fields: [
    ['device', 'address'],
    ['epoch', 'uint32'],
    ['seq', 'uint32'],
    ['startS', 'uint40'],
    ['endS', 'uint40'],
    ['bytesUp', 'uint64'],
    ['bytesDown', 'uint64'],
    ['paid', 'uint64'],
    ['sessionsRoot', 'bytes32'],
    ['prev', 'bytes32'],
    ['clockState', 'uint8'],
  ],
};

export function registryDomain(deployment: RegistryDeployment): Domain {
  return {
    name: REGISTRY_DOMAIN_NAME,
    version: REGISTRY_DOMAIN_VERSION,
    chainId: deployment.chainId,
    verifyingContract: deployment.registry,
  };
}

/** 32-byte domain separator of what devices, vendors and collectors sign; remembered (eip712.ts). */
export function registrySeparator(deployment: RegistryDeployment): Uint8Array {
  return domainSeparator(registryDomain(deployment));
}

export function trafficProofDigest(deployment: RegistryDeployment, proof: TrafficProof): Uint8Array {
  return typedDigest(registrySeparator(deployment), hashStruct(TRAFFIC_PROOF, proof));
}

export function trafficProofDigestHex(deployment: RegistryDeployment, proof: TrafficProof): Hex {
  return hexFromBytes(trafficProofDigest(deployment, proof));
}

export function signTrafficProof(
  deployment: RegistryDeployment,
  proof: TrafficProof,
  deviceKey: Uint8Array,
): SignedTrafficProof {
  return { ...proof, signature: signDigest(trafficProofDigest(deployment, proof), deviceKey) };
}

/** Address that signed the proof, or undefined. Valid only if it equals proof.device. */
export function trafficProofSigner(deployment: RegistryDeployment, proof: SignedTrafficProof): Address | undefined {
  return recoverSigner(trafficProofDigest(deployment, proof), proof.signature);
}

/** Merkle root over the leaves, ordered by sessionId. */
export function sessionsRoot(leaves: readonly SessionLeaf[]): Hex {
  const ordered = [...leaves].sort((a, b) => (a.sessionId < b.sessionId ? -1 : 1));
  return merkleRoot(ordered.map((leaf) => merkleLeaf(encodeLeaf(leaf))));
}

/** The pseudonym of a session in an epoch. `deviceSecret` never leaves the router, so nobody else can link epochs. */
export function blindedSessionId(deviceSecret: Uint8Array, channelId: Hex, epoch: bigint): Hex {
  return keccak256Hex(concatBytes(deviceSecret, bytesFromHex(channelId), bytesFromUint(epoch, 4)));
}

function encodeLeaf(leaf: SessionLeaf): Uint8Array {
  return concatBytes(
    bytesFromHex(leaf.sessionId),
    bytesFromHex(leaf.channelId),
    bytesFromUint(leaf.bytesUp, 32),
    bytesFromUint(leaf.bytesDown, 32),
    bytesFromUint(leaf.paid, 32),
    bytesFromHex(leaf.voucherDigest),
  );
}
