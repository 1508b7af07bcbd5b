/** One frame of the proof log: an upload as it came, and what was made of it. The receipt is kept, never signed again. */
import { decode as cborDecode, encode as cborEncode, rfc8949EncodeOptions } from 'cborg';
import * as v from 'valibot';
import { bytesFromHex, hexFromBytes } from '../protocol/hex.ts';
import { decodeProofUpload, type ProofUpload } from '../protocol/traffic-proof-wire.ts';
import { type SignedProofReceipt, VERDICTS } from '../protocol/verdict.ts';
import type { Judgement } from './judge-proof.ts';

export type ProofEntry = {
  readonly body: Uint8Array;
  readonly upload: ProofUpload;
  readonly judgement: Judgement;
  readonly receipt: SignedProofReceipt;
};

const FORMAT_VERSION = 1;

const entrySchema = v.strictTuple([
  v.literal(FORMAT_VERSION),
  v.instance(Uint8Array),
  v.picklist(VERDICTS),
  v.string(),
  v.boolean(),
  v.pipe(v.number(), v.safeInteger(), v.minValue(0)),
  v.instance(Uint8Array),
  v.instance(Uint8Array),
  v.instance(Uint8Array),
]);

export function encodeProofEntry({ body, judgement, receipt }: ProofEntry): Uint8Array {
  return cborEncode(
    [
      FORMAT_VERSION,
      body,
      judgement.verdict,
      judgement.reason,
      judgement.joinsChain,
      receipt.receivedS,
      bytesFromHex(receipt.collector),
      bytesFromHex(receipt.proof),
      bytesFromHex(receipt.signature),
    ],
    rfc8949EncodeOptions,
  );
}

/** @throws RangeError if the bytes are no entry: they passed their CRC, so another program wrote them */
export function decodeProofEntry(payload: Uint8Array): ProofEntry {
  const [, body, verdict, reason, joinsChain, receivedS, collector, proof, signature] = v.parse(
    entrySchema,
    cborDecode(payload),
  );
  const upload = decodeProofUpload(body);
  if (!upload.ok) throw new RangeError(`log entry holds no upload: ${upload.path} is ${upload.got}`);
  return {
    body,
    upload: upload.value,
    judgement: { verdict, reason, joinsChain },
    receipt: {
      collector: hexFromBytes(collector),
      proof: hexFromBytes(proof),
      verdict,
      receivedS: BigInt(receivedS),
      signature: hexFromBytes(signature),
    },
  };
}
