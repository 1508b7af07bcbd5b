import { keccak_256 } from '@noble/hashes/sha3.js';
import fc from 'fast-check';
import t from 'tap';
import { EMPTY_ROOT, merkleLeaf, merkleRoot } from '../../protocol/merkle.ts';
import { anyBytes } from '../support/protocol-arbitraries.ts';

const keccakHex = (hex: string): string => Buffer.from(keccak_256(Buffer.from(hex, 'hex'))).toString('hex');

/** The same convention written as a recursion over hex text, as OpenZeppelin's MerkleProof would verify it. */
function plainRoot(level: readonly string[]): string {
  if (level.length === 1) return level[0] as string;
  const parents = level.flatMap((node, i) => {
    if (i % 2 === 1) return [];
    const pair = level.slice(i, i + 2).sort();
    return [pair.length === 2 ? keccakHex(pair.join('')) : node];
  });
  return plainRoot(parents);
}

t.test('the root is the one that a plain recomputation finds', (t) => {
  fc.assert(
    fc.property(fc.array(anyBytes(32), { minLength: 1, maxLength: 33 }), (leaves) => {
      t.equal(merkleRoot(leaves), `0x${plainRoot(leaves.map((leaf) => Buffer.from(leaf).toString('hex')))}`);
    }),
    { numRuns: 50 },
  );
  t.end();
});

t.test('no leaves have the empty root, and one leaf is its own root', (t) => {
  t.equal(merkleRoot([]), EMPTY_ROOT);
  t.equal(EMPTY_ROOT, `0x${'0'.repeat(64)}`);
  const leaf = merkleLeaf(new Uint8Array([1]));
  t.equal(merkleRoot([leaf]), `0x${Buffer.from(leaf).toString('hex')}`);
  t.end();
});

t.test('two equal leaves have a root, whichever way they are sorted', (t) => {
  const leaf = merkleLeaf(new Uint8Array([1]));
  t.equal(merkleRoot([leaf, leaf]), `0x${keccakHex(Buffer.from(leaf).toString('hex').repeat(2))}`);
  t.end();
});

t.test('a leaf is hashed twice, so that the data of no leaf hashes to an inner node', (t) => {
  const data = new Uint8Array(64).fill(7);
  t.equal(Buffer.from(merkleLeaf(data)).toString('hex'), keccakHex(keccakHex('07'.repeat(64))));
  const [a, b] = [merkleLeaf(new Uint8Array([1])), merkleLeaf(new Uint8Array([2]))];
  const inner = Buffer.concat([a, b].sort(Buffer.compare));
  t.not(merkleRoot([merkleLeaf(inner)]), merkleRoot([a, b]));
  t.end();
});

t.test('any changed leaf changes the root', (t) => {
  fc.assert(
    fc.property(fc.array(anyBytes(32), { minLength: 1, maxLength: 9 }), fc.nat(), (leaves, at) => {
      const changed = leaves.map((leaf, i) => (i === at % leaves.length ? leaf.map((byte) => byte ^ 1) : leaf));
      t.not(merkleRoot(changed), merkleRoot(leaves));
    }),
    { numRuns: 30 },
  );
  t.end();
});
