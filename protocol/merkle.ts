/**
 * Merkle trees with sorted pairs and double-hashed leaves, so that no inner node can pass for a leaf.
 * Leaf = keccak256(keccak256(data)); an odd node moves up unchanged.
 *
 * @see OpenZeppelin MerkleProof (same convention, verifiable on chain)
 */
import { bytesFromHex, concatBytes, type Hex, hexFromBytes } from './hex.ts';
import { keccak256 } from './keccak.ts';

/** Root of no leaves at all. */
export const EMPTY_ROOT: Hex = `0x${'00'.repeat(32)}`;

export function merkleLeaf(data: Uint8Array): Uint8Array {
  return keccak256(keccak256(data));
}

/** Root over leaves in the given order; EMPTY_ROOT for none. */
export function merkleRoot(leaves: readonly Uint8Array[]): Hex {
  if (leaves.length === 0) return EMPTY_ROOT;
  let level = leaves;
  while (level.length > 1) level = levelAbove(level);
  return hexFromBytes(level[0] as Uint8Array);
}

/** What proves the leaf at `index` to be under merkleRoot(leaves): one hash a level, lowest first. @throws RangeError without it. */
export function merkleProof(leaves: readonly Uint8Array[], index: number): readonly Hex[] {
  if (leaves[index] === undefined) throw new RangeError(`no leaf ${index} among ${leaves.length}`);
  const proof: Hex[] = [];
  let level = leaves;
  for (let at = index; level.length > 1; at >>= 1) {
    const sibling = level[at ^ 1];
    if (sibling !== undefined) proof.push(hexFromBytes(sibling));
    level = levelAbove(level);
  }
  return proof;
}

/** True if hashing the leaf with the proof's words ends in `root`. */
export function isUnderRoot(leaf: Uint8Array, proof: readonly Hex[], root: Hex): boolean {
  return hexFromBytes(proof.reduce((hash, word) => hashPair(hash, bytesFromHex(word)), leaf)) === root;
}

function levelAbove(level: readonly Uint8Array[]): readonly Uint8Array[] {
  const above: Uint8Array[] = [];
  for (let i = 0; i < level.length; i += 2) {
    const left = level[i] as Uint8Array;
    const right = level[i + 1];
    above.push(right === undefined ? left : hashPair(left, right));
  }
  return above;
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
