/**
 * Signatures over 32-byte digests in EIP-2098 compact form: 64 bytes, r || (yParity << 255 | s).
 * The top bit of s carries the parity, so a high-S signature cannot be expressed at all.
 *
 * noble v3 traps: it prehashes by default (prehash: false here), its 'recovered' form puts the recovery byte first,
 * and its async API needs crypto.subtle, which an http page lacks; hence the sync API with the hashes set below.
 *
 * @see EIP-2098, "Compact Signature Representation"
 */
import { hmac } from '@noble/hashes/hmac.js';
import { sha256 } from '@noble/hashes/sha2.js';
import { getPublicKey, hashes, recoverPublicKey, sign, utils } from '@noble/secp256k1';
import { type Address, addressFromPublicKey } from './address.ts';
import { bytesFromHex, type Hex, hexFromBytes, isHexOfLength } from './hex.ts';

hashes.hmacSha256 = (key, message) => hmac(sha256, key, message);

/** 64 bytes of hex, EIP-2098. */
export type CompactSignature = Hex;

const PARITY_BIT = 0x80;

export function isCompactSignature(value: unknown): value is CompactSignature {
  return isHexOfLength(value, 64);
}

/** Signs a 32-byte digest with a 32-byte secret key (RFC 6979 nonce: same input, same signature). */
export function signDigest(digest: Uint8Array, secretKey: Uint8Array): CompactSignature {
  const recovered = sign(digest, secretKey, { prehash: false, format: 'recovered' });
  const compact = recovered.slice(1);
  if (recovered[0] === 1) compact[32] = (compact[32] as number) | PARITY_BIT;
  return hexFromBytes(compact);
}

/** Address whose key signed the digest, or undefined if the signature is malformed or recovers to nothing. */
export function recoverSigner(digest: Uint8Array, signature: string): Address | undefined {
  if (!isCompactSignature(signature)) return undefined;
  const compact = bytesFromHex(signature);
  const recovered = new Uint8Array(65);
  recovered.set(compact, 1);
  recovered[0] = (compact[32] as number) >> 7;
  recovered[33] = (compact[32] as number) & ~PARITY_BIT;
  try {
    return addressFromPublicKey(recoverPublicKey(recovered, digest, { prehash: false }));
  } catch {
    // noble throws for r or s out of range and for points not on the curve: all mean "no signer".
    return undefined;
  }
}

/** The r, s, v triple that EIP-3009 and EIP-2612 tokens take; v is 27 or 28. */
export function splitSignature(signature: CompactSignature): { readonly r: Hex; readonly s: Hex; readonly v: 27 | 28 } {
  const bytes = bytesFromHex(signature);
  const parity = (bytes[32] as number) >> 7;
  bytes[32] = (bytes[32] as number) & ~PARITY_BIT;
  return { r: hexFromBytes(bytes.subarray(0, 32)), s: hexFromBytes(bytes.subarray(32)), v: parity === 1 ? 28 : 27 };
}

/** Address that belongs to a secret key. @throws if the key is not a valid scalar. */
export function addressFromSecretKey(secretKey: Uint8Array): Address {
  return addressFromPublicKey(getPublicKey(secretKey));
}

/** True for 32 bytes in 1..n-1. */
export function isSecretKey(bytes: Uint8Array): boolean {
  return utils.isValidSecretKey(bytes);
}
