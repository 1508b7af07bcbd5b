/**
 * Merkle trees with sorted pairs and double-hashed leaves, so that no inner node can pass for a leaf.
 * Leaf = keccak256(keccak256(data)); an odd node moves up unchanged.
 *
 * @see OpenZeppelin MerkleProof (same convention, verifiable on chain)
 */
import { concatBytes, type Hex, hexFromBytes } from './hex.ts';
import { keccak256 } from './keccak.ts';

/** Root of no leaves at all. */
export const EMPTY_ROOT: Hex = `0x${'00'.repeat(32)}`;

export function merkleLeaf(data: Uint8Array): Uint8Array {
  return keccak256(keccak256(data));
}

/** Root over leaves in the given order; EMPTY_ROOT for none. */
export function merkleRoot(leaves: readonly Uint8Array[]): Hex {
  if (leaves.length === 0) return EMPTY_ROOT;
  let level = [...leaves];
  while (level.length > 1) {
    const next: Uint8Array[] = [];
    for (let i = 0; i < level.length; i += 2) {
      const left = level[i] as Uint8Array;
      const right = level[i + 1];
      next.push(right === undefined ? left : hashPair(left, right));
    }
    level = next;
  }
  return hexFromBytes(level[0] as Uint8Array);
}

function hashPair(a: Uint8Array, b: Uint8Array): Uint8Array {
  return keccak256(compare(a, b) <= 0 ? concatBytes(a, b) : concatBytes(b, a));
}

function compare(a: Uint8Array, b: Uint8Array): number {
  for (let i = 0; i < a.length; i++) {
    const difference = (a[i] as number) - (b[i] as number);
    if (difference !== 0) return difference;
  }
  return 0;
}
