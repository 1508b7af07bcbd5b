/** Damaged answers: a result or a NetlinkError, never another error, never more than the bytes can hold. Seeded. */
import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import t from 'tap';
import { NetlinkError } from '../../../openwrt/node-netlink/src/error.ts';
import { decodeSetElements } from '../../../openwrt/node-netlink/src/set-elements.ts';

const FIXTURE = new URL('../../fixtures/netlink/set-elements.json', import.meta.url);
const { answers } = JSON.parse(readFileSync(FIXTURE, 'utf8')) as { answers: Record<string, string> };
const WHOLE = Object.values(answers).map((hex) => Buffer.from(hex, 'hex'));
/** Header of an attribute: each element takes one at least. */
const LEAST_ELEMENT_BYTES = 4;
const RUNS = 20_000;

/** Bytes and 16-bit lengths overwritten anywhere, and the end cut off or repeated. */
const damage = fc.record({
  whole: fc.constantFrom(...WHOLE),
  bytes: fc.array(fc.tuple(fc.nat(400), fc.nat(255)), { maxLength: 6 }),
  lengths: fc.array(fc.tuple(fc.nat(100), fc.constantFrom(0, 1, 3, 4, 5, 8, 0x7fff, 0xffff)), { maxLength: 3 }),
  tail: fc.integer({ min: -400, max: 40 }),
});

t.test('decoding damaged answers', (t) => {
  let decoded = 0;
  let refused = 0;
  const property = fc.property(damage, ({ whole, bytes, lengths, tail }) => {
    const length = Math.max(0, whole.length + tail);
    const damaged = Buffer.concat([whole, whole.subarray(0, Math.max(0, tail))]).subarray(0, length);
    for (const [at, value] of bytes) if (at < damaged.length) damaged.writeUInt8(value, at);
    for (const [word, value] of lengths) if (word * 4 + 2 <= damaged.length) damaged.writeUInt16LE(value, word * 4);
    try {
      const elements = decodeSetElements(damaged);
      decoded += 1;
      return elements.length * LEAST_ELEMENT_BYTES <= damaged.length;
    } catch (error) {
      refused += 1;
      return error instanceof NetlinkError;
    }
  });
  fc.assert(property, { numRuns: RUNS, seed: 20_261_123 });
  t.ok(decoded > RUNS / 20 && refused > RUNS / 20, `${decoded} decoded, ${refused} refused: both ways were tried`);
  t.end();
});

t.test('decoding noise', (t) => {
  const property = fc.property(fc.uint8Array({ maxLength: 256 }), (noise) => {
    try {
      decodeSetElements(Buffer.from(noise));
      return false;
    } catch (error) {
      return error instanceof NetlinkError;
    }
  });
  t.doesNotThrow(() => fc.assert(property, { numRuns: 2_000, seed: 20_261_123 }));
  t.end();
});
