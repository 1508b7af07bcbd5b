import { encode as cborEncode, rfc8949EncodeOptions } from 'cborg';
import fc from 'fast-check';
import t from 'tap';
import { decodeLogEntry, encodeLogEntry } from '../../fleet/proof-entry.ts';
import { bytesFromHex } from '../../protocol/hex.ts';
import { VERDICTS } from '../../protocol/verdict.ts';
import { bodyOf, digestOf, FakeRouter } from './fake-router.ts';

const UPLOADS = [0, 1, 200].map((sessions) => {
  const usages = Array.from({ length: sessions }, (_, guest) => ({ guest, up: 1n, down: 2n, paid: 3n }));
  return new FakeRouter().next(usages);
});
/** Lengths and times at which a head grows. */
const anyReason = fc.oneof(
  fc.string({ unit: 'grapheme', maxLength: 30 }),
  fc.constantFrom(23, 24, 255, 256).map((length) => 'r'.repeat(length)),
);
const anyTime = fc.constantFrom(0n, 23n, 24n, 255n, 256n, 65_535n, 65_536n, 1_795_305_600n, 2n ** 32n, 2n ** 40n - 1n);

t.test('an upload is written as deterministic CBOR says, and read back', (t) => {
  fc.assert(
    fc.property(
      fc.constantFrom(...UPLOADS),
      fc.constantFrom(...VERDICTS),
      anyReason,
      fc.boolean(),
      anyTime,
      (upload, verdict, reason, joinsChain, receivedS) => {
        const [body, digest] = [bodyOf(upload), digestOf(upload)];
        const judgement = { verdict, reason, joinsChain };
        const entry = { kind: 'upload', body, upload, digest, judgement, receivedS } as const;
        const written = encodeLogEntry(entry);
        const fields = [2, body, verdict, reason, joinsChain, receivedS, bytesFromHex(digest)];
        t.equal(Buffer.compare(written, cborEncode(fields, rfc8949EncodeOptions)), 0, reason);
        t.match(decodeLogEntry(written), { digest, judgement, receivedS });
      },
    ),
    { seed: 3, numRuns: 60 },
  );
  t.end();
});
