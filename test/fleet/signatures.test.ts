import fc from 'fast-check';
import t from 'tap';
import { KnownKeys } from '../../fleet/known-keys.ts';
import { loadSignatures, signerCheck } from '../../fleet/signatures.ts';
import { bytesFromHex, type Hex, hexFromBytes } from '../../protocol/hex.ts';
import { keccak256Text } from '../../protocol/keccak.ts';
import { recoverSigner, signDigest } from '../../protocol/signature.ts';
import { loadBackend } from '../../verifier/backends.ts';
import { anyBytes, testKey } from '../support/protocol-arbitraries.ts';

const [router, mallory] = [testKey('router'), testKey('mallory')];

function changed(signature: Hex, at: number, by: number): Hex {
  const bytes = bytesFromHex(signature);
  bytes[at] = (bytes[at] as number) ^ by;
  return hexFromBytes(bytes);
}

t.test('a key that is known answers like one that is not, whatever was signed, forged or bent', async (t) => {
  const { recover } = await loadSignatures();
  const known = recover;
  const first = keccak256Text('first');
  t.equal(known(first, signDigest(first, router.secretKey), router.address), router.address, 'learns the key');
  const noble = await loadBackend('noble', import.meta.url);
  if (!noble.ok) throw new Error(noble.why);
  fc.assert(
    fc.property(anyBytes(32), fc.boolean(), fc.nat(63), fc.constantFrom(0, 0, 1, 0x80), (digest, isForged, at, by) => {
      const signature = changed(signDigest(digest, (isForged ? mallory : router).secretKey), at, by);
      const fresh = signerCheck(noble.backend, undefined, new KnownKeys(1));
      t.equal(known(digest, signature, router.address), fresh(digest, signature, router.address), signature);
    }),
    { seed: 6, numRuns: 20 },
  );
});

t.test('the parity bit binds nobody: with or without it the same key has signed, and no other', async (t) => {
  const { recover } = await loadSignatures();
  const digest = keccak256Text('digest');
  const flipped = changed(signDigest(digest, router.secretKey), 32, 0x80);
  t.not(recoverSigner(digest, flipped), router.address);
  for (const round of ['recovered', 'verified']) {
    t.equal(recover(digest, flipped, router.address), router.address, round);
    t.equal(recover(digest, flipped, mallory.address), recoverSigner(digest, flipped), 'said as it recovers');
    t.not(recover(keccak256Text('another'), flipped, router.address), router.address);
  }
});

t.test('what is no signature has no signer', async (t) => {
  const { recover } = await loadSignatures();
  const digest = keccak256Text('digest');
  recover(digest, signDigest(digest, router.secretKey), router.address);
  for (const bad of [`0x${'00'.repeat(64)}`, `0x${'ff'.repeat(64)}`, '0x', '0x1234', 'zz'] as const)
    t.equal(recover(digest, bad as Hex, router.address), undefined, bad.slice(0, 8));
});

t.test('keys are kept in bounded memory', (t) => {
  const keys = new KnownKeys(2);
  for (const [fill, name] of ['a', 'b', 'c'].entries()) keys.put(testKey(name).address, new Uint8Array(65).fill(fill));
  t.equal(keys.size, 2);
  t.equal(keys.get(testKey('c').address)?.[64], 2);
  t.end();
});
