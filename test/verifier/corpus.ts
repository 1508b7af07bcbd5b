/**
 * Signatures on which every backend must agree: good ones, and all the ways to be nobody's that the curve has. Made here
 * from the curve's own constants, so that each case says why it is what it is.
 */
import { Point } from '@noble/secp256k1';
import { bytesFromUint, concatBytes, uintFromBytes } from '../../protocol/hex.ts';
import { keccak256Text } from '../../protocol/keccak.ts';
import { addressFromSecretKey, signDigest } from '../../protocol/signature.ts';

export type CorpusCase = {
  readonly what: string;
  readonly digest: Uint8Array;
  readonly compact: Uint8Array;
  /** Known signer; 'nobody' must be refused by all; 'somebody' recovers to a key that is the same everywhere. */
  readonly signer: string;
};

const { n: N, p: P } = Point.CURVE();
const HALF = N >> 1n;
const DIGEST = keccak256Text('corpus');

export const CORPUS: readonly CorpusCase[] = [...signed(), ...atTheEdges(), ...malformed()];

function signed(): readonly CorpusCase[] {
  const keys = [1n, 2n, N - 1n, uintFromBytes(keccak256Text('a key'))].map((key) => bytesFromUint(key, 32));
  const digests = [
    DIGEST,
    new Uint8Array(32),
    bytesFromUint(N - 1n, 32),
    bytesFromUint(N, 32),
    bytesFromUint((1n << 256n) - 1n, 32),
  ];
  return keys.flatMap((key, k) =>
    digests.map((digest, d) => ({
      what: `key ${k} signs digest ${d}`,
      digest,
      compact: Buffer.from(signDigest(digest, key).slice(2), 'hex'),
      signer: addressFromSecretKey(key),
    })),
  );
}

function atTheEdges(): readonly CorpusCase[] {
  const gx = Point.BASE.x;
  const twoG = Point.BASE.double();
  const parityOf = (point: Point): bigint => point.y & 1n;
  const one = bytesFromUint(1n, 32);
  return [
    // Q = (s R - e G) / r: with R = G and s = e nothing is left.
    { what: 'infinity', digest: one, compact: compactOf(gx, 1n, parityOf(Point.BASE)), signer: 'nobody' },
    {
      what: 'infinity, 2 G',
      digest: bytesFromUint(2n, 32),
      compact: compactOf(twoG.x, 1n, parityOf(twoG)),
      signer: 'nobody',
    },
    {
      what: 'the other parity is somebody',
      digest: one,
      compact: compactOf(gx, 1n, 1n - parityOf(Point.BASE)),
      signer: 'somebody',
    },
    { what: 'zero digest', digest: new Uint8Array(32), compact: compactOf(gx, 1n, 0n), signer: 'somebody' },
    { what: 's is 1', digest: DIGEST, compact: compactOf(gx, 1n, 0n), signer: 'somebody' },
    { what: 's is half the order', digest: DIGEST, compact: compactOf(gx, HALF, 0n), signer: 'somebody' },
    // The 2^127 values of s above half the order that 255 bits can still hold: ecrecover takes them, so all must.
    { what: 's just above half the order', digest: DIGEST, compact: compactOf(gx, HALF + 1n, 0n), signer: 'somebody' },
    { what: 's of 255 ones', digest: DIGEST, compact: compactOf(gx, (1n << 255n) - 1n, 1n), signer: 'somebody' },
    { what: 'r is 1', digest: DIGEST, compact: compactOf(1n, 1n, 0n), signer: 'somebody' },
    { what: 'r without a point', digest: DIGEST, compact: compactOf(5n, 1n, 0n), signer: 'nobody' },
    { what: 'r is the order less 1', digest: DIGEST, compact: compactOf(N - 1n, 1n, 0n), signer: 'anybody' },
  ];
}

function malformed(): readonly CorpusCase[] {
  const gx = Point.BASE.x;
  const good = compactOf(gx, 1n, 0n);
  const cases: readonly (readonly [string, Uint8Array, Uint8Array])[] = [
    ['all zero', DIGEST, new Uint8Array(64)],
    ['r is zero', DIGEST, compactOf(0n, 1n, 0n)],
    ['s is zero', DIGEST, compactOf(gx, 0n, 0n)],
    ['s is zero, odd', DIGEST, compactOf(gx, 0n, 1n)],
    ['r is the order', DIGEST, compactOf(N, 1n, 0n)],
    ['r is above the order', DIGEST, compactOf(N + 2n, 1n, 0n)],
    ['r is the field prime', DIGEST, compactOf(P, 1n, 0n)],
    ['all ones', DIGEST, new Uint8Array(64).fill(255)],
    ['empty', DIGEST, new Uint8Array()],
    ['63 bytes', DIGEST, good.subarray(1)],
    ['65 bytes', DIGEST, concatBytes(good, new Uint8Array(1))],
    ['digest of 31 bytes', DIGEST.subarray(1), good],
    ['digest of 33 bytes', concatBytes(DIGEST, new Uint8Array(1)), good],
  ];
  return cases.map(([what, digest, compact]) => ({ what, digest, compact, signer: 'nobody' }));
}

/** r || parity << 255 | s. */
function compactOf(r: bigint, s: bigint, parity: bigint): Uint8Array {
  return concatBytes(bytesFromUint(r, 32), bytesFromUint((parity << 255n) | s, 32));
}
