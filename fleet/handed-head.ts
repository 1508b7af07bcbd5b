/**
 * The last proof of a chain at the time it was handed over, as text beside the rotation: the successor's devices are another
 * shard's, which cannot ask the one that keeps the old key's chain.
 */
import { bytesFromHex, type Hex, hexFromBytes } from '../protocol/hex.ts';
import { decodeProofUpload, encodeProofUpload } from '../protocol/traffic-proof-wire.ts';
import type { Verdict } from '../protocol/verdict.ts';
import type { ChainHead } from './fleet-store.ts';

export type HeadProof = NonNullable<ChainHead['last']>;

type HeadJson = { readonly proof: Hex; readonly verdict: Verdict; readonly receivedS: string };

export function textOfHandedHead({ proof, verdict, receivedS }: HeadProof): string {
  const encoded = hexFromBytes(encodeProofUpload({ proof, leaves: [], vouchers: [] }));
  return JSON.stringify({ proof: encoded, verdict, receivedS: `${receivedS}` } satisfies HeadJson);
}

/** Of what this collector has written itself. @throws RangeError if it is damaged */
export function handedHeadIn(text: string): HeadProof {
  const { proof, verdict, receivedS } = JSON.parse(text) as HeadJson;
  const decoded = decodeProofUpload(bytesFromHex(proof));
  if (!decoded.ok) throw new RangeError(`the registry holds a proof whose ${decoded.path} is ${decoded.got}`);
  return { proof: decoded.value.proof, verdict, receivedS: BigInt(receivedS) };
}
