/**
 * One implementation of secp256k1 public key recovery. Three exist, and all must answer alike: which signature counts
 * decides who pays. Two refusals are made here for all of them, before any curve arithmetic: a wrong length, and a zero.
 *
 * @see SEC 1 v2, section 4.1.6 "Public Key Recovery Operation"; EIP-2098 for the compact form
 */
import { keccak256 } from '../protocol/keccak.ts';

export type BackendName = 'noble' | 'wasm' | 'native';

/**
 * Uncompressed public key (65 bytes, first is 4) that signed `digest` (32 bytes) with r || s (64 bytes) and the parity
 * of R.y. Nothing, or any exception, means that nobody did.
 */
export type RecoverPublicKey = (digest: Uint8Array, rs: Uint8Array, parity: 0 | 1) => Uint8Array | null | undefined;

export type Backend = { readonly name: BackendName; readonly recoverPublicKey: RecoverPublicKey };

export const DIGEST_BYTES = 32;
export const SIGNATURE_BYTES = 64;
export const ADDRESS_BYTES = 20;

const PARITY_BIT = 0x80;

/** The 20 bytes of the address that signed, or undefined. `compact` is EIP-2098: r || (parity << 255 | s). Never throws. */
export function recoverAddress(backend: Backend, digest: Uint8Array, compact: Uint8Array): Uint8Array | undefined {
  const publicKey = recoverKey(backend, digest, compact);
  return publicKey === undefined ? undefined : addressOfKey(publicKey);
}

/** The uncompressed public key that signed (65 bytes), or undefined. `compact` as above. Never throws. */
export function recoverKey(backend: Backend, digest: Uint8Array, compact: Uint8Array): Uint8Array | undefined {
  if (digest.length !== DIGEST_BYTES || compact.length !== SIGNATURE_BYTES) return undefined;
  const top = compact[32] as number;
  // A copy of our own: slice() of a Buffer is none.
  const rs = new Uint8Array(compact);
  rs[32] = top & ~PARITY_BIT;
  if (isZero(rs.subarray(0, 32)) || isZero(rs.subarray(32))) return undefined;
  try {
    return backend.recoverPublicKey(digest, rs, top >= PARITY_BIT ? 1 : 0) ?? undefined;
  } catch {
    // r or s out of range, r no abscissa of the curve, the result at infinity: each library has its own exception.
    return undefined;
  }
}

/** Address (20 bytes) of an uncompressed public key. */
export function addressOfKey(publicKey: Uint8Array): Uint8Array {
  return keccak256(publicKey.subarray(1)).subarray(32 - ADDRESS_BYTES);
}

function isZero(bytes: Uint8Array): boolean {
  return bytes.every((byte) => byte === 0);
}
