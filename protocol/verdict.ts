/**
 * What a collector decides about a proof, and the signed receipt that lets the router forget it.
 * Every proof gets exactly one verdict, kept for ever with its reason.
 */
import type { Address } from './address.ts';
import { hashStruct, type StructType, typedDigest } from './eip712.ts';
import type { Hex } from './hex.ts';
import { type CompactSignature, recoverSigner, signDigest } from './signature.ts';
import { type RegistryDeployment, registrySeparator } from './traffic-proof.ts';

export const VERDICTS = [
  'valid',
  'duplicate',
  'gap',
  'equivocation',
  'unknown-device',
  'revoked',
  'bad-signature',
  'bad-voucher',
  'bytes-below-ack',
  'over-link-capacity',
  'clock-unsynced',
  'late',
] as const;
export type Verdict = (typeof VERDICTS)[number];

/** Signed by the collector once the proof is durable there, whatever the verdict. */
export type ProofReceipt = {
  readonly collector: Address;
  /** Digest of the proof. */
  readonly proof: Hex;
  readonly verdict: Verdict;
  /** Unix seconds of the collector's clock. */
  readonly receivedS: bigint;
};

export type SignedProofReceipt = ProofReceipt & { readonly signature: CompactSignature };

export const PROOF_RECEIPT: StructType = {
  name: 'ProofReceipt',
  fields: [
    ['collector', 'address'],
    ['proof', 'bytes32'],
    ['verdict', 'uint8'],
    ['receivedS', 'uint40'],
  ],
};

export function proofReceiptDigest(deployment: RegistryDeployment, receipt: ProofReceipt): Uint8Array {
  const value = {
    collector: receipt.collector,
    proof: receipt.proof,
    verdict: BigInt(VERDICTS.indexOf(receipt.verdict)),
    receivedS: receipt.receivedS,
  };
  return typedDigest(registrySeparator(deployment), hashStruct(PROOF_RECEIPT, value));
}

export function signProofReceipt(
  deployment: RegistryDeployment,
  receipt: ProofReceipt,
  collectorKey: Uint8Array,
): SignedProofReceipt {
  return { ...receipt, signature: signDigest(proofReceiptDigest(deployment, receipt), collectorKey) };
}

/** True if the receipt was signed by the collector it names. */
export function isProofReceiptSigned(deployment: RegistryDeployment, receipt: SignedProofReceipt): boolean {
  return recoverSigner(proofReceiptDigest(deployment, receipt), receipt.signature) === receipt.collector;
}
