/**
 * ECDSA's public key recovery as the book has it (SEC 1, 4.1.6), on plain integers: slow, and shares nothing with any
 * library. What the fast ones say at the edges is held against it.
 */
export const P = (1n << 256n) - (1n << 32n) - 977n;
export const N = 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141n;

/** Affine; undefined is the point at infinity. */
export type Point = { readonly x: bigint; readonly y: bigint } | undefined;

export const G: NonNullable<Point> = {
  x: 0x79be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798n,
  y: 0x483ada7726a3c4655da4fbfc0e1108a8fd17b448a68554199c47d08ffb10d4b8n,
};

/** The key that signed, or undefined if there is none: r or s out of range, no point with that r, or infinity. */
export function recovered(e: bigint, r: bigint, s: bigint, parity: bigint): NonNullable<Point> | undefined {
  if (r < 1n || r >= N || s < 1n || s >= N) return undefined;
  const R = lifted(r, parity);
  if (R === undefined) return undefined;
  const inverse = inverted(r, N);
  return sum(times(modulo(-e * inverse, N), G), times(modulo(s * inverse, N), R));
}

/** The point with this x and the parity of its y. p = 3 mod 4, so a root is a power. */
export function lifted(x: bigint, parity: bigint): Point {
  const square = modulo(x * x * x + 7n, P);
  const root = power(square, (P + 1n) / 4n);
  if (modulo(root * root, P) !== square) return undefined;
  return { x, y: (root & 1n) === parity ? root : P - root };
}

export function times(k: bigint, point: Point): Point {
  let result: Point;
  for (let bit = point, left = k; left > 0n; left >>= 1n, bit = sum(bit, bit)) {
    if ((left & 1n) === 1n) result = sum(result, bit);
  }
  return result;
}

function sum(a: Point, b: Point): Point {
  if (a === undefined || b === undefined) return a ?? b;
  if (a.x === b.x && modulo(a.y + b.y, P) === 0n) return undefined;
  const slope = a.x === b.x ? 3n * a.x * a.x * inverted(2n * a.y, P) : (b.y - a.y) * inverted(modulo(b.x - a.x, P), P);
  const x = modulo(slope * slope - a.x - b.x, P);
  return { x, y: modulo(slope * (a.x - x) - a.y, P) };
}

/** Euclid. */
export function inverted(a: bigint, m: bigint): bigint {
  let [before, now, x, next] = [m, modulo(a, m), 0n, 1n];
  while (now !== 0n) {
    const q = before / now;
    [before, now, x, next] = [now, before - q * now, next, x - q * next];
  }
  return modulo(x, m);
}

function power(base: bigint, exponent: bigint): bigint {
  let result = 1n;
  for (let b = base, e = exponent; e > 0n; e >>= 1n, b = modulo(b * b, P))
    if ((e & 1n) === 1n) result = modulo(result * b, P);
  return result;
}

export function modulo(a: bigint, m: bigint): bigint {
  const rest = a % m;
  return rest < 0n ? rest + m : rest;
}
