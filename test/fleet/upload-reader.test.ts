import { encode as cborEncode } from 'cborg';
import fc from 'fast-check';
import t, { type Test } from 'tap';
import type { KnownConfigs } from '../../fleet/known-configs.ts';
import { UploadHasher } from '../../fleet/upload-hashes.ts';
import { readProofUpload } from '../../fleet/upload-reader.ts';
import type { Decoded } from '../../protocol/schema.ts';
import {
  decodeProofUpload,
  encodeProofUpload,
  MAX_LEAVES,
  MAX_UPLOAD_BYTES,
  type ProofUpload,
} from '../../protocol/traffic-proof-wire.ts';
import {
  anyChannelConfig,
  anyHex,
  anySessionLeaf,
  anyTrafficProof,
  anyUint,
  testKey,
} from '../support/protocol-arbitraries.ts';
import { bodyOf, DEPLOYMENT, FakeRouter } from './fake-router.ts';

/** Numbers at which a head grows by a size, and their neighbours. */
const anyEdge = fc
  .tuple(
    fc.constantFrom(0n, 24n, 1n << 8n, 1n << 16n, 1n << 32n, (1n << 53n) - 1n, (1n << 64n) - 2n),
    fc.bigInt(-1n, 1n),
  )
  .map(([edge, by]) => (edge + by < 0n ? 0n : edge + by));
const anyNumber = fc.oneof(anyEdge, anyUint(64));

const anyUpload: fc.Arbitrary<ProofUpload> = fc.record({
  proof: fc
    .tuple(anyTrafficProof(testKey('device').address), anyHex(64), anyNumber, anyNumber, anyNumber)
    .map(([proof, signature, bytesUp, bytesDown, paid]) => ({ ...proof, signature, bytesUp, bytesDown, paid })),
  leaves: fc.array(anySessionLeaf(), { maxLength: 3 }),
  vouchers: fc.array(
    fc.record({
      channelId: anyHex(32),
      amount: anyNumber,
      ackBytes: anyNumber,
      signature: anyHex(64),
      config: anyChannelConfig(),
    }),
    { maxLength: 3 },
  ),
});

/** The reader takes exactly what the general decoder takes and would have written itself; and says the same of it. */
function agree(t: Test, bytes: Uint8Array, configs?: KnownConfigs): boolean {
  const general = decodeProofUpload(bytes);
  const isDeterministic = general.ok && Buffer.compare(encodeProofUpload(general.value), bytes) === 0;
  const read = readProofUpload(bytes, configs);
  if (isDeterministic || !general.ok) t.strictSame(read, general, Buffer.from(bytes).toString('hex'));
  else t.match(read, { ok: false, expected: 'deterministic CBOR' }, Buffer.from(bytes).toString('hex'));
  return read.ok;
}

function valueIn(read: Decoded<ProofUpload>): ProofUpload {
  if (!read.ok) throw new Error(`no upload: ${read.path} is ${read.got}`);
  return read.value;
}

t.test('what a router sends is read as the general decoder reads it', (t) => {
  fc.assert(
    fc.property(anyUpload, (upload) => {
      t.ok(agree(t, encodeProofUpload(upload)));
    }),
    { seed: 1, numRuns: 60 },
  );
  t.end();
});

t.test('what was bent on the way is taken by both or by neither', (t) => {
  const original = bodyOf(new FakeRouter().next([{ guest: 1, up: 300n, down: 70_000n, paid: 24n }]));
  const hasher = new UploadHasher(DEPLOYMENT);
  const { configs } = hasher;
  const whole = valueIn(readProofUpload(original));
  t.ok(hasher.isSound(original, whole, (_digest, _signature, expected) => expected));
  const again = valueIn(readProofUpload(original, configs));
  t.ok(again.vouchers[0]?.config === whole.vouchers[0]?.config, 'the config is known now');
  let taken = 0;
  fc.assert(
    fc.property(
      fc.nat(original.length - 1),
      fc.nat(255),
      fc.constantFrom('set', 'insert', 'cut', 'end'),
      (at, byte, how) => {
        const bytes = Buffer.from(original);
        if (how === 'set') bytes[at] = byte;
        const [before, after] = [bytes.subarray(0, at), bytes.subarray(at)];
        const bent = {
          set: bytes,
          insert: Buffer.concat([before, Buffer.of(byte), after]),
          cut: Buffer.concat([before, after.subarray(1)]),
          end: before,
        }[how];
        if (agree(t, bent, configs)) taken += 1;
      },
    ),
    { seed: 2, numRuns: 500 },
  );
  t.ok(taken > 20, `${taken} of them were still uploads`);
  // Every place where a head stands, with every value.
  for (const at of [0, 1, 3, 4, 10, 11, 32, 33, 34, 35, 40])
    for (let byte = 0; byte < 256; byte++) agree(t, Buffer.from(original).fill(byte, at, at + 1), configs);
  t.end();
});

t.test('longer heads than needed, and keys in another order, are refused', (t) => {
  const upload = new FakeRouter().next([]);
  const hex = Buffer.from(bodyOf(upload)).toString('hex');
  const proof = hex.slice(hex.indexOf('8c'), hex.indexOf('666c6561766573'));
  const rest = ['666c656176657380', '68766f75636865727380'];
  const assembled = (...parts: string[]) => readProofUpload(Buffer.from(parts.join(''), 'hex'));
  t.ok(assembled('a461760165', '70726f6f66', proof, ...rest).ok);
  t.match(assembled('a461760165', '70726f6f66', proof, ...rest.reverse()), {
    expected: 'deterministic CBOR',
    got: 'keys in another order',
  });
  const longList = ['666c65617665739800', '68766f75636865727380'];
  t.match(assembled('a461760165', '70726f6f66', proof, ...longList), { ok: false, expected: 'deterministic CBOR' });
  t.end();
});

t.test('too many leaves and too many bytes are refused with the reason', (t) => {
  const { proof } = new FakeRouter().next([]);
  const leaf = fc.sample(anySessionLeaf(), { seed: 3, numRuns: 1 }) as unknown as ProofUpload['leaves'];
  const many = (count: number) =>
    encodeProofUpload({ proof, vouchers: [], leaves: Array.from({ length: count }, () => leaf).flat() });
  t.ok(agree(t, many(MAX_LEAVES)));
  t.match(readProofUpload(many(MAX_LEAVES + 1)), { ok: false, path: 'leaves' });
  t.match(readProofUpload(new Uint8Array(MAX_UPLOAD_BYTES + 1)), { ok: false, expected: /at most/ });
  t.notOk(readProofUpload(cborEncode([])).ok);
  t.notOk(readProofUpload(new Uint8Array()).ok);
  t.end();
});
