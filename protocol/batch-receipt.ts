/**
 * One signature for many receipts: the collector signs the Merkle root over (proof, verdict, receivedS) of a bulk upload.
 * Whoever relayed the proofs can hand each router its own line with the path to the root: a few hashes and one signature.
 */
import type { Address } from './address.ts';
import { hashStruct, type StructType, typedDigest } from './eip712.ts';
import { bytesFromHex, bytesFromUint, type Hex } from './hex.ts';
import { isUnderRoot, merkleLeaf, merkleRoot } from './merkle.ts';
import { type CompactSignature, recoverSigner } from './signature.ts';
import { type RegistryDeployment, registrySeparator } from './traffic-proof.ts';
import { VERDICTS, type Verdict } from './verdict.ts';

export type ReceiptLine = {
  /** Digest of the proof. */
  readonly proof: Hex;
  readonly verdict: Verdict;
  /** Unix seconds of the collector's clock when the proof came for the first time. */
  readonly receivedS: bigint;
};

export type BatchReceipt = {
  readonly collector: Address;
  readonly root: Hex;
  /** Lines under the root. */
  readonly count: bigint;
};

export type SignedBatchReceipt = BatchReceipt & { readonly signature: CompactSignature };

const BATCH_RECEIPT: StructType = {
  name: 'BatchReceipt',
  fields: [
    ['collector', 'address'],
    ['root', 'bytes32'],
    ['count', 'uint32'],
  ],
};

/** The leaf of a line: proof || verdict as uint256 || receivedS as uint256, hashed twice. */
export function receiptLeaf({ proof, verdict, receivedS }: ReceiptLine): Uint8Array {
  const line = new Uint8Array(96);
  line.set(bytesFromHex(proof));
  line[63] = VERDICTS.indexOf(verdict);
  line.set(bytesFromUint(receivedS, 32), 64);
  return merkleLeaf(line);
}

/** Root over the lines in the given order. */
export function receiptRoot(lines: readonly ReceiptLine[]): Hex {
  return merkleRoot(lines.map(receiptLeaf));
}

export function batchReceiptDigest(deployment: RegistryDeployment, receipt: BatchReceipt): Uint8Array {
  const { collector, root, count } = receipt;
  return typedDigest(registrySeparator(deployment), hashStruct(BATCH_RECEIPT, { collector, root, count }));
}

/** True if the collector that the receipt names signed it, and the line is under its root by `path` (merkleProof). */
export function isLineReceipted(
  deployment: RegistryDeployment,
  receipt: SignedBatchReceipt,
  line: ReceiptLine,
  path: readonly Hex[],
): boolean {
  return (
    isUnderRoot(receiptLeaf(line), path, receipt.root) &&
    recoverSigner(batchReceiptDigest(deployment, receipt), receipt.signature) === receipt.collector
  );
}
