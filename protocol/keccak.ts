/** keccak256 as hex: the one hash of the protocol (Ethereum's, not NIST SHA3-256). */
import { keccak_256 } from '@noble/hashes/sha3.js';
import { type Hex, hexFromBytes } from './hex.ts';

export type Keccak256 = (bytes: Uint8Array) => Uint8Array;

let implementation: Keccak256 = keccak_256;

/**
 * Hashes with another implementation from now on, where a platform has a faster one. Undefined: with noble again.
 *
 * @throws RangeError if it differs from noble's on any of the lengths around the block size
 */
export function useKeccak256(faster?: Keccak256): void {
  for (const length of [0, 1, 32, 64, 135, 136, 137, 271, 272, 273, 1000]) {
    const bytes = Uint8Array.from({ length }, (_, i) => i * 7);
    if (faster !== undefined && hexFromBytes(faster(bytes)) !== hexFromBytes(keccak_256(bytes))) {
      throw new RangeError(`this implementation of keccak256 is wrong for ${length} bytes`);
    }
  }
  implementation = faster ?? keccak_256;
}

export function keccak256(bytes: Uint8Array): Uint8Array {
  return implementation(bytes);
}

export function keccak256Hex(bytes: Uint8Array): Hex {
  return hexFromBytes(implementation(bytes));
}

export function keccak256Text(text: string): Uint8Array {
  return implementation(new TextEncoder().encode(text));
}
