import { readFileSync } from 'node:fs';
import { Point } from '@noble/secp256k1';
import fc from 'fast-check';
import { addr } from 'micro-eth-signer';
import t from 'tap';
import { type Hex, hexFromBytes, uintFromBytes } from '../../protocol/hex.ts';
import { keccak256Text } from '../../protocol/keccak.ts';
import {
  addressFromSecretKey,
  isCompactSignature,
  isSecretKey,
  recoverSigner,
  signDigest,
  splitSignature,
} from '../../protocol/signature.ts';
import { anyBytes, anyHex, testKey } from '../support/protocol-arbitraries.ts';

const VECTORS = JSON.parse(readFileSync(new URL('../vectors/protocol-digests.json', import.meta.url), 'utf8')) as {
  malformedSignatures: { case: string; signature: Hex }[];
};
const CURVE_ORDER = Point.CURVE().n;

// The two test cases of EIP-2098.
const EIP_KEY = new Uint8Array(32).map((_, i) => Number.parseInt('1234567890'.repeat(7).slice(2 * i, 2 * i + 2), 16));
const EIP_CASES = [
  {
    message: 'Hello World',
    r: '0x68a020a209d3d56c46f38cc50a33f704f4a9a10a59377f8dd762ac66910e9b90',
    s: '0x7e865ad05c4035ab5792787d4a0297a43617ae897930a6fe4d822b8faea52064',
    v: 27,
    compact:
      '0x68a020a209d3d56c46f38cc50a33f704f4a9a10a59377f8dd762ac66910e9b907e865ad05c4035ab5792787d4a0297a43617ae897930a6fe4d822b8faea52064',
  },
  {
    message: "It's a small(er) world",
    r: '0x9328da16089fcba9bececa81663203989f2df5fe1faa6291a45381c81bd17f76',
    s: '0x139c6d6b623b42da56557e5e734a43dc83345ddfadec52cbe24d0cc64f550793',
    v: 28,
    compact:
      '0x9328da16089fcba9bececa81663203989f2df5fe1faa6291a45381c81bd17f76939c6d6b623b42da56557e5e734a43dc83345ddfadec52cbe24d0cc64f550793',
  },
] as const;
for (const { message, r, s, v, compact } of EIP_CASES) {
  t.test(`"${message}" is signed as in EIP-2098`, (t) => {
    const length = new TextEncoder().encode(message).length;
    const digest = keccak256Text(`\x19Ethereum Signed Message:\n${length}${message}`);
    t.equal(signDigest(digest, EIP_KEY), compact);
    t.equal(recoverSigner(digest, compact), addressFromSecretKey(EIP_KEY));
    t.same(splitSignature(compact), { r, s, v });
    t.end();
  });
}

t.test('whoever signed is recovered, and nobody else signed it', (t) => {
  fc.assert(
    fc.property(anyBytes(32), fc.string(), anyBytes(32), (digest, seed, other) => {
      const secretKey = keccak256Text(seed);
      const signature = signDigest(digest, secretKey);
      t.equal(recoverSigner(digest, signature), addressFromSecretKey(secretKey));
      t.equal(recoverSigner(digest, signature.toUpperCase().replace('0X', '0x')), addressFromSecretKey(secretKey));
      if (hexFromBytes(other) !== hexFromBytes(digest)) {
        t.not(recoverSigner(other, signature), addressFromSecretKey(secretKey));
      }
    }),
    { numRuns: 15 },
  );
  t.end();
});

t.test('an address is the one another library derives from the secret key', (t) => {
  const { secretKey, address } = testKey('payer');
  t.equal(address, addr.fromPrivateKey(hexFromBytes(secretKey)).toLowerCase());
  t.end();
});

t.test('a signature with any digit changed is not by the signer', (t) => {
  const { secretKey, address } = testKey('signer');
  const digest = keccak256Text('digest');
  const signature = signDigest(digest, secretKey);
  fc.assert(
    fc.property(fc.integer({ min: 2, max: 129 }), fc.integer({ min: 1, max: 15 }), (position, change) => {
      const digit = (Number.parseInt(signature.charAt(position), 16) ^ change).toString(16);
      t.not(recoverSigner(digest, signature.slice(0, position) + digit + signature.slice(position + 1)), address);
    }),
    { numRuns: 20 },
  );
  t.end();
});

t.test('s is never in the upper half: its top bit is the parity', (t) => {
  fc.assert(
    fc.property(anyBytes(32), (digest) => {
      const { s, v } = splitSignature(signDigest(digest, testKey('payer').secretKey));
      t.ok(BigInt(s) <= CURVE_ORDER / 2n);
      t.ok(v === 27 || v === 28);
    }),
    { numRuns: 15 },
  );
  t.end();
});

for (const { case: what, signature } of VECTORS.malformedSignatures) {
  t.test(`a signature where ${what} has no signer`, (t) => {
    t.equal(recoverSigner(keccak256Text('digest'), signature), undefined);
    t.end();
  });
}

for (const text of [
  '',
  '0x',
  `0x${'00'.repeat(65)}`,
  `0x${'0'.repeat(127)}`,
  `0x${'g'.repeat(128)}`,
  'z'.repeat(130),
]) {
  t.test(`text of ${text.length} characters "${text.slice(0, 6)}" is no compact signature`, (t) => {
    t.notOk(isCompactSignature(text));
    t.equal(recoverSigner(keccak256Text('digest'), text), undefined);
    t.end();
  });
}

t.test('no 64 bytes make recovery throw', (t) => {
  fc.assert(
    fc.property(anyBytes(32), anyHex(64), (digest, signature) => {
      const signer = recoverSigner(digest, signature);
      t.ok(signer === undefined || /^0x[0-9a-f]{40}$/.test(signer));
    }),
    { numRuns: 30 },
  );
  t.end();
});

t.test('a secret key is 1..n-1 in 32 bytes', (t) => {
  const order = Buffer.from(CURVE_ORDER.toString(16), 'hex');
  t.ok(isSecretKey(testKey('payer').secretKey));
  t.notOk(isSecretKey(new Uint8Array(32)));
  t.notOk(isSecretKey(new Uint8Array(31).fill(1)));
  t.notOk(isSecretKey(order));
  const last = Uint8Array.from(order);
  last[31] = Number(uintFromBytes(order.subarray(31))) - 1;
  t.ok(isSecretKey(last));
  t.throws(() => addressFromSecretKey(new Uint8Array(32)));
  t.end();
});
