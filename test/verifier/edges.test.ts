/** All backends, protocol/ and the textbook say the same of signatures at the edges: who signed, or that nobody did. */
import { readFileSync, writeFileSync } from 'node:fs';
import t from 'tap';
import { addressFromPublicKey } from '../../protocol/address.ts';
import { bytesFromUint, concatBytes, hexFromBytes } from '../../protocol/hex.ts';
import { recoverSigner } from '../../protocol/signature.ts';
import { recoverAddress } from '../../verifier/backend.ts';
import { BACKEND_NAMES, loadBackend } from '../../verifier/backends.ts';
import { type Edge, edges } from './edges.ts';
import { recovered } from './textbook.ts';

const FILE = new URL('../vectors/signature-edges.json', import.meta.url);
/** The textbook takes a twentieth of a second for each: it made the file, and makes these of it anew. */
const SAMPLE_EVERY = 29;

const EDGES = edges();
if (process.env['UPDATE_VECTORS'] === '1') {
  const lines = EDGES.map((edge) => `  ${JSON.stringify([edge.family, ...wordsOf(edge), answerOfTextbook(edge)])}`);
  writeFileSync(FILE, `[\n${lines.join(',\n')}\n]\n`);
}
const KEPT = JSON.parse(readFileSync(FILE, 'utf8')) as readonly (readonly [string, string, string, string])[];
const LOADED = await Promise.all(BACKEND_NAMES.map((name) => loadBackend(name, import.meta.url)));
const BACKENDS = LOADED.flatMap((loaded) => (loaded.ok ? [loaded.backend] : []));

t.test('the file is what edges.ts makes (UPDATE_VECTORS=1 renews it), and as the textbook has it', (t) => {
  t.same(
    KEPT.map(([family, digest, signature]) => [family, digest, signature]),
    EDGES.map((edge) => [edge.family, ...wordsOf(edge)]),
  );
  for (let i = 0; i < EDGES.length; i += SAMPLE_EVERY)
    t.equal(KEPT[i]?.[3], answerOfTextbook(EDGES[i] as Edge), `${KEPT[i]}`);
  const found = KEPT.filter(([, , , signer]) => signer !== 'nobody').length;
  t.ok(found > 100 && KEPT.length - found > 50, `${found} of ${KEPT.length} are somebody's`);
  t.end();
});

t.test('every backend says of each what the textbook says', (t) => {
  t.ok(BACKENDS.length >= 2);
  for (const [i, [family, digestHex, signature, signer]] of KEPT.entries()) {
    const digest = Buffer.from(digestHex.slice(2), 'hex');
    const compact = Buffer.from(signature.slice(2), 'hex');
    const answers = BACKENDS.map((backend) => {
      const address = recoverAddress(backend, digest, compact);
      return `${backend.name} ${address === undefined ? 'nobody' : hexFromBytes(address)}`;
    });
    const expected = BACKENDS.map(({ name }) => `${name} ${signer}`);
    t.same(answers, expected, `${family}: ${digestHex} ${signature}`);
    // protocol/ has noble, too.
    if (i % 4 === 0) t.equal(recoverSigner(digest, signature) ?? 'nobody', signer, 'protocol/');
  }
  t.end();
});

function wordsOf({ e, r, s, parity }: Edge): readonly [string, string] {
  const compact = concatBytes(bytesFromUint(r, 32), bytesFromUint((parity << 255n) | s, 32));
  return [hexFromBytes(bytesFromUint(e, 32)), hexFromBytes(compact)];
}

function answerOfTextbook({ e, r, s, parity }: Edge): string {
  const key = recovered(e, r, s, parity);
  if (key === undefined) return 'nobody';
  return addressFromPublicKey(concatBytes(Uint8Array.of(4), bytesFromUint(key.x, 32), bytesFromUint(key.y, 32)));
}
