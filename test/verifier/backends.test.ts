import fc from 'fast-check';
import t from 'tap';
import { hexFromBytes } from '../../protocol/hex.ts';
import { recoverSigner, signDigest } from '../../protocol/signature.ts';
import { type Backend, recoverAddress } from '../../verifier/backend.ts';
import { BACKEND_NAMES, loadBackend } from '../../verifier/backends.ts';
import { anyBytes } from '../support/protocol-arbitraries.ts';
import { CORPUS } from './corpus.ts';

const LOADED = await Promise.all(BACKEND_NAMES.map((name) => loadBackend(name, import.meta.url)));
const BACKENDS = LOADED.flatMap((loaded) => (loaded.ok ? [loaded.backend] : []));
// The native library has no build for every machine; the other two run anywhere.
const MISSING = LOADED.filter((loaded) => !loaded.ok).map((loaded) => (loaded.ok ? '' : loaded.name));

function answerOf(backend: Backend, digest: Uint8Array, compact: Uint8Array): string {
  const address = recoverAddress(backend, digest, compact);
  return address === undefined ? 'nobody' : hexFromBytes(address);
}

t.test('noble and WebAssembly load everywhere', (t) => {
  t.ok(MISSING.length === 0 || (MISSING.length === 1 && MISSING[0] === 'native'), MISSING.join());
  t.end();
});

for (const { what, digest, compact, signer } of CORPUS) {
  t.test(`all backends agree: ${what}`, (t) => {
    const answers = BACKENDS.map((backend) => answerOf(backend, digest, compact));
    t.equal(new Set(answers).size, 1, `${BACKENDS.map(({ name }) => name)}: ${answers}`);
    if (signer === 'somebody') t.not(answers[0], 'nobody');
    else if (signer !== 'anybody') t.equal(answers[0], signer);
    if (digest.length === 32)
      t.equal(recoverSigner(digest, hexFromBytes(compact)) ?? 'nobody', answers[0], 'as protocol/ says');
    t.end();
  });
}

t.test('all backends agree on signatures with a bit turned', (t) => {
  const secretKey = new Uint8Array(32).fill(9);
  fc.assert(
    fc.property(anyBytes(32), fc.nat(511), (digest, bit) => {
      const compact = Buffer.from(signDigest(digest, secretKey).slice(2), 'hex');
      compact[bit >> 3] = (compact[bit >> 3] as number) ^ (1 << (bit & 7));
      const before = Buffer.from(compact);
      const answers = BACKENDS.map((backend) => answerOf(backend, digest, compact));
      t.equal(new Set(answers).size, 1, `${answers}`);
      t.ok(before.equals(compact), 'the signature is left as it was');
    }),
    { numRuns: 40 },
  );
  t.end();
});

t.test('a library that is not there is a value that says so', async (t) => {
  const absent = await loadBackend('native', 'file:///nowhere/at/all.js');
  t.match(absent, { ok: false, name: 'native', why: /Cannot find module/ });
});
