/**
 * Signatures at the edges of ECDSA over secp256k1, family by family as Project Wycheproof sorts its cases (its own file is not
 * ours to ship: docs/benchmarks.md), in the form that a voucher has: r, s of 255 bits, and the parity of R.y.
 */
import { G, inverted, modulo, N, P, times } from './textbook.ts';

export type Edge = {
  readonly family: string;
  readonly e: bigint;
  readonly r: bigint;
  readonly s: bigint;
  readonly parity: bigint;
};

const S_LIMIT = 1n << 255n;
const E = 0xe1c7b0f2a4d5968778695a4b3c2d1e0ff0e1d2c3b4a5968778695a4b3c2d1e0fn;
const SOME = 0x1234567890abcdef1234567890abcdef1234567890abcdef1234567890abcdefn;

export function edges(): readonly Edge[] {
  return [...specialHashes(), ...ranges(), ...smallValues(), ...multipliers(), ...inverses(), ...modifiedIntegers()];
}

/** SpecialCaseHash: words of zeros, ones and all but the sign, where a carry or a sign bit may be lost. */
function specialHashes(): readonly Edge[] {
  const words = [0n, 0xffffffffn, 0x7fffffffn, 0x80000000n];
  const patched = Array.from({ length: 8 }, (_, at) => BigInt(32 * at)).flatMap((shift) =>
    words.map((word) => (E & ~(0xffffffffn << shift)) | (word << shift)),
  );
  const whole = [0n, 1n, N - 1n, N, N + 1n, P, (1n << 256n) - 1n, 1n << 255n, (1n << 255n) - 1n];
  return [...patched, ...whole].map((e) => ({ family: 'special hash', e, ...signed(e, SOME, 77n) }));
}

/** RangeCheck, InvalidSignature: each of r and s at each end of each range. */
function ranges(): readonly Edge[] {
  const ends = [
    0n,
    1n,
    2n,
    N >> 1n,
    (N >> 1n) + 1n,
    N - 1n,
    N,
    N + 1n,
    P - 1n,
    P,
    P + 1n,
    S_LIMIT - 1n,
    (1n << 256n) - 1n,
  ];
  const honest = signed(E, SOME, 77n);
  const pairs = [
    ...ends.flatMap((r) => [0n, 1n, N >> 1n, S_LIMIT - 1n].map((s) => ({ r, s }))),
    ...ends.map((r) => ({ r, s: honest.s })),
    ...ends.map((s) => ({ r: honest.r, s })),
  ];
  return pairs
    .filter(({ s }) => s < S_LIMIT)
    .map(({ r, s }, i) => ({ family: 'range', e: E, r, s, parity: BigInt(i & 1) }));
}

/** SmallRandS. */
function smallValues(): readonly Edge[] {
  const small = [1n, 2n, 3n, 4n, 5n, 6n, 7n];
  return small.flatMap((r) => [1n, 2n, 3n].map((s) => ({ family: 'small r and s', e: E, r, s, parity: r & 1n })));
}

/** EdgeCaseShamirMultiplication, PointDuplication: u1 G + u2 R with multipliers that a shortcut may get wrong. R = k G. */
function multipliers(): readonly Edge[] {
  const special = [0n, 1n, 2n, N - 1n, N >> 1n, (N >> 1n) + 1n, (1n << 128n) - 1n, 1n << 255n];
  const pairs = special.flatMap((u1) => special.map((u2) => ({ k: 9n, u1, u2 })));
  // u1 G = R, and u1 G = -R: the sum is a doubling, or nothing.
  const meeting = [1n, 2n, 9n, N - 9n].flatMap((k) => [
    { k, u1: k, u2: 1n },
    { k, u1: N - k, u2: 1n },
    { k, u1: modulo(5n * k, N), u2: 5n },
    { k, u1: modulo(-5n * k, N), u2: 5n },
  ]);
  return [...pairs, ...meeting].flatMap(({ k, u1, u2 }) => {
    const { r, parity } = nonceOf(k);
    return lowS({ family: 'multipliers', e: modulo(-u1 * r, N), r, s: modulo(u2 * r, N), parity });
  });
}

/** ModularInverse, ArithmeticError: r whose inverse is short, long, or one bit away from them. */
function inverses(): readonly Edge[] {
  const short = [2n, 3n, 7n, 1n << 64n, (1n << 128n) + 1n, (1n << 200n) - 1n, N >> 2n];
  return short.flatMap((value) =>
    [value, inverted(value, N)].flatMap((r) => lowS({ family: 'inverse', e: E, r, s: SOME, parity: 1n })),
  );
}

/** ModifiedInteger, IntegerOverflow: a true signature with the order, the prime or a bit added to one of its numbers. */
function modifiedIntegers(): readonly Edge[] {
  const honest = signed(E, SOME, 77n);
  const changes = [1n, -1n, 2n, 1n << 31n, 1n << 32n, 1n << 64n, 1n << 128n, 1n << 254n, N, P, P - N];
  return changes.flatMap((change) => [
    { family: 'modified', e: E, ...honest, r: modulo(honest.r + change, 1n << 256n) },
    { family: 'modified', e: E, ...honest, s: modulo(honest.s + change, S_LIMIT) },
  ]);
}

/** By the key d and the nonce k, with the lower s. */
function signed(e: bigint, d: bigint, k: bigint): { readonly r: bigint; readonly s: bigint; readonly parity: bigint } {
  const { r, parity } = nonceOf(k);
  const s = modulo(inverted(k, N) * (e + r * d), N);
  return s > N >> 1n ? { r, s: N - s, parity: 1n - parity } : { r, s, parity };
}

function nonceOf(k: bigint): { readonly r: bigint; readonly parity: bigint } {
  const R = times(k, G);
  if (R === undefined) throw new RangeError('a nonce is not 0');
  return { r: R.x % N, parity: R.y & 1n };
}

/** The same signature with an s that 255 bits can hold, if it has one. */
function lowS(edge: Edge): readonly Edge[] {
  if (edge.s < S_LIMIT) return [edge];
  const twin = { ...edge, s: N - edge.s, parity: 1n - edge.parity };
  return twin.s < S_LIMIT ? [twin] : [];
}
