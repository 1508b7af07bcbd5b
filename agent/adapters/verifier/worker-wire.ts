/**
 * What passes between the agent's thread and the verifier's: many signatures in one message, as bytes, because a message
 * costs as much as a fast verification.
 */
import type { Address } from '../../../protocol/address.ts';
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

export const CLAIM_BYTES = DIGEST_BYTES + SIGNATURE_BYTES;
/** One byte that says whether there is a signer, and its address. */
export const SIGNER_BYTES = 1 + ADDRESS_BYTES;

/** digest || signature of each. A malformed signature becomes zeros, which nobody can have signed. */
export function packClaims(claims: readonly SignatureClaim[]): Uint8Array {
  const packed = new Uint8Array(claims.length * CLAIM_BYTES);
  for (const [i, { digest, signature }] of claims.entries()) {
    const bytes = Buffer.from(signature.slice(2), 'hex');
    if (digest.length !== DIGEST_BYTES || bytes.length !== SIGNATURE_BYTES) continue;
    if (!signature.startsWith('0x') || signature.length !== 2 + 2 * SIGNATURE_BYTES) continue;
    packed.set(digest, i * CLAIM_BYTES);
    packed.set(bytes, i * CLAIM_BYTES + DIGEST_BYTES);
  }
  return packed;
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
