/** keccak256 as hex: the one hash of the protocol (Ethereum's, not NIST SHA3-256). */
import { keccak_256 } from '@noble/hashes/sha3.js';
import { type Hex, hexFromBytes } from './hex.ts';

export function keccak256(bytes: Uint8Array): Uint8Array {
  return keccak_256(bytes);
}

export function keccak256Hex(bytes: Uint8Array): Hex {
  return hexFromBytes(keccak_256(bytes));
}

export function keccak256Text(text: string): Uint8Array {
  return keccak_256(new TextEncoder().encode(text));
}
