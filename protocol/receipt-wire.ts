/** A collector's receipt as JSON: {"v":1,"collector":"0x..","proof":"0x..","verdict":"valid","receivedS":"1795..","sig":"0x.."}. */
import * as v from 'valibot';
import type { Hex } from './hex.ts';
import { addressSchema, bytes32Schema, type Decoded, decode, signatureSchema, uint40Schema } from './schema.ts';
import { type SignedProofReceipt, VERDICTS, type Verdict } from './verdict.ts';

export type ReceiptJson = {
  readonly v: 1;
  readonly collector: Hex;
  readonly proof: Hex;
  readonly verdict: Verdict;
  readonly receivedS: string;
  readonly sig: Hex;
};

const receiptSchema = v.pipe(
  v.strictObject({
    v: v.literal(1),
    collector: addressSchema,
    proof: bytes32Schema,
    verdict: v.picklist(VERDICTS),
    receivedS: uint40Schema,
    sig: signatureSchema,
  }),
  v.transform(
    ({ collector, proof, verdict, receivedS, sig }): SignedProofReceipt => ({
      collector,
      proof,
      verdict,
      receivedS,
      signature: sig,
    }),
  ),
);

export function receiptJsonFromReceipt(receipt: SignedProofReceipt): ReceiptJson {
  return {
    v: 1,
    collector: receipt.collector,
    proof: receipt.proof,
    verdict: receipt.verdict,
    receivedS: receipt.receivedS.toString(),
    sig: receipt.signature,
  };
}

/** Decodes untrusted JSON; the signature is not checked here (isProofReceiptSigned in verdict.ts). */
export function decodeReceipt(input: unknown): Decoded<SignedProofReceipt> {
  return decode(receiptSchema, input);
}
