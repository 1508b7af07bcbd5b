/**
 * Time for a router that has none. A collector signs what time it is against the device's fresh nonce; the device then signs,
 * for the proofs it made while its clock was not known good (clockState 0, seconds since boot), when that boot was.
 */
import type { Address } from './address.ts';
import { hashStruct, type StructType, typedDigest } from './eip712.ts';
import type { Hex } from './hex.ts';
import { type CompactSignature, recoverSigner, signDigest } from './signature.ts';
import { type RegistryDeployment, registrySeparator } from './traffic-proof.ts';

export type ClockStatement = {
  readonly collector: Address;
  readonly device: Address;
  /** 32 random bytes of the device, once: an old answer cannot come back as a new one. */
  readonly nonce: Hex;
  /** Unix seconds at the collector; the device halves the round trip. */
  readonly timeS: bigint;
};

export type SignedClockStatement = ClockStatement & { readonly signature: CompactSignature };

/** Times of the proofs fromSeq..toSeq are bootS later than they say. */
export type ClockCorrection = {
  readonly device: Address;
  readonly fromSeq: bigint;
  readonly toSeq: bigint;
  /** Unix seconds of the boot that their seconds count from. */
  readonly bootS: bigint;
  /** Digest of the ClockStatement that it was worked out from, or zero if from NTP. */
  readonly statement: Hex;
};

export type SignedClockCorrection = ClockCorrection & { readonly signature: CompactSignature };

const CLOCK_STATEMENT: StructType = {
  name: 'ClockStatement',
  fields: [
    ['collector', 'address'],
    ['device', 'address'],
    ['nonce', 'bytes32'],
    ['timeS', 'uint40'],
  ],
};

const CLOCK_CORRECTION: StructType = {
  name: 'ClockCorrection',
  fields: [
    ['device', 'address'],
    ['fromSeq', 'uint32'],
    ['toSeq', 'uint32'],
    ['bootS', 'uint40'],
    ['statement', 'bytes32'],
  ],
};

export function clockStatementDigest(deployment: RegistryDeployment, statement: ClockStatement): Uint8Array {
  const { collector, device, nonce, timeS } = statement;
  return typedDigest(registrySeparator(deployment), hashStruct(CLOCK_STATEMENT, { collector, device, nonce, timeS }));
}

export function signClockStatement(
  deployment: RegistryDeployment,
  statement: ClockStatement,
  collectorKey: Uint8Array,
): SignedClockStatement {
  return { ...statement, signature: signDigest(clockStatementDigest(deployment, statement), collectorKey) };
}

/** True if the statement was signed by the collector it names. */
export function isClockStatementSigned(deployment: RegistryDeployment, statement: SignedClockStatement): boolean {
  return recoverSigner(clockStatementDigest(deployment, statement), statement.signature) === statement.collector;
}

export function clockCorrectionDigest(deployment: RegistryDeployment, correction: ClockCorrection): Uint8Array {
  const { device, fromSeq, toSeq, bootS, statement } = correction;
  return typedDigest(
    registrySeparator(deployment),
    hashStruct(CLOCK_CORRECTION, { device, fromSeq, toSeq, bootS, statement }),
  );
}

export function signClockCorrection(
  deployment: RegistryDeployment,
  correction: ClockCorrection,
  deviceKey: Uint8Array,
): SignedClockCorrection {
  return { ...correction, signature: signDigest(clockCorrectionDigest(deployment, correction), deviceKey) };
}

/** True if the correction was signed by the device it names. */
export function isClockCorrectionSigned(deployment: RegistryDeployment, correction: SignedClockCorrection): boolean {
  return recoverSigner(clockCorrectionDigest(deployment, correction), correction.signature) === correction.device;
}
