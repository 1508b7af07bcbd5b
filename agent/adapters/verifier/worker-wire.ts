/**
 * What passes between the agent's thread and the verifier's: many signatures in one message, as bytes, because a message
 * costs as much as a fast verification. EIP-712 messages go unhashed: the agent's thread has more to do than the verifier's.
 *
 * A claim: words of the struct (1 byte; 0: a digest follows instead) || separator or digest (32) || struct (32 a word) ||
 * signature (64).
 */
import type { Address } from '../../../protocol/address.ts';
import { messageDigest } from '../../../protocol/eip712.ts';
import { writeHex } from '../../../protocol/hex.ts';
import { ADDRESS_BYTES, type BackendName, DIGEST_BYTES, SIGNATURE_BYTES } from '../../../verifier/backend.ts';
import type { BackendFact } from '../../../verifier/self-test.ts';
import type { SignatureClaim } from '../../ports.ts';

/** What the worker is started with. */
export type WorkerStart = {
  /** verify: answer claims until ended. examine: tell of every backend, for doctor, and end. */
  readonly task: 'verify' | 'examine';
  /** File URL beside whose node_modules the native library is looked for. */
  readonly modulesUrl: string;
  /** Path of tiny-secp256k1's .wasm file, where it does not lie beside its JavaScript (bundle). */
  readonly wasmPath: string;
  /** Verify with this backend and no other, after its known cases. */
  readonly only?: BackendName;
};

/** To the worker go packed claims; packed signers come back, in the same order. */
export type FromWorker =
  | { readonly kind: 'ready'; readonly backend: BackendName; readonly facts: readonly BackendFact[] }
  | { readonly kind: 'unfit'; readonly message: string }
  | { readonly kind: 'signers'; readonly signers: Uint8Array };

/** The one message of a worker that examines. */
export type Examined = { readonly kind: 'examined'; readonly facts: readonly BackendFact[] };

/** A claim as the worker takes it from the packed bytes. */
export type PackedClaim = { readonly digest: Uint8Array; readonly signature: Uint8Array };

/** One byte that says whether there is a signer, and its address. */
export const SIGNER_BYTES = 1 + ADDRESS_BYTES;

const WORD_BYTES = 32;
const NO_STRUCT = new Uint8Array(0);
const NO_DIGEST = new Uint8Array(DIGEST_BYTES);

/** A malformed claim becomes zeros, which nobody can have signed. */
export function packClaims(claims: readonly SignatureClaim[]): Uint8Array {
  const parts = claims.map(partsOf);
  const length = parts.reduce((sum, [, struct]) => sum + 1 + DIGEST_BYTES + struct.length + SIGNATURE_BYTES, 0);
  const packed = new Uint8Array(length);
  let at = 0;
  for (const [i, [head, struct]] of parts.entries()) {
    packed[at] = struct.length / WORD_BYTES;
    packed.set(head, at + 1);
    packed.set(struct, at + 1 + DIGEST_BYTES);
    const signatureAt = at + 1 + DIGEST_BYTES + struct.length;
    at = signatureAt + SIGNATURE_BYTES;
    const isHex = writeHex((claims[i] as SignatureClaim).signature, packed, signatureAt, SIGNATURE_BYTES);
    if (!isHex || head === NO_DIGEST) packed.fill(0, signatureAt, at);
  }
  return packed;
}

/** Digest, or separator and struct. */
function partsOf(claim: SignatureClaim): readonly [head: Uint8Array, struct: Uint8Array] {
  if ('digest' in claim) return [claim.digest.length === DIGEST_BYTES ? claim.digest : NO_DIGEST, NO_STRUCT];
  const { separator, struct } = claim.message;
  const isWhole = separator.length === WORD_BYTES && struct.length > 0 && struct.length % WORD_BYTES === 0;
  return isWhole && struct.length < 256 * WORD_BYTES ? [separator, struct] : [NO_DIGEST, NO_STRUCT];
}

export function unpackClaims(packed: Uint8Array): readonly PackedClaim[] {
  const claims: PackedClaim[] = [];
  for (let at = 0; at < packed.length; ) {
    const structAt = at + 1 + DIGEST_BYTES;
    const signatureAt = structAt + (packed[at] as number) * WORD_BYTES;
    const head = packed.subarray(at + 1, structAt);
    const struct = packed.subarray(structAt, signatureAt);
    at = signatureAt + SIGNATURE_BYTES;
    const digest = struct.length === 0 ? head : messageDigest({ separator: head, struct });
    claims.push({ digest, signature: packed.subarray(signatureAt, at) });
  }
  return claims;
}

/** The signer of each claim, undefined where there is none. */
export function unpackSigners(packed: Uint8Array): readonly (Address | undefined)[] {
  const bytes = Buffer.from(packed.buffer, packed.byteOffset, packed.length);
  const signers: (Address | undefined)[] = [];
  for (let at = 0; at < bytes.length; at += SIGNER_BYTES) {
    signers.push(bytes[at] === 1 ? `0x${bytes.toString('hex', at + 1, at + SIGNER_BYTES)}` : undefined);
  }
  return signers;
}
