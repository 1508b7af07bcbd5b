import fc from 'fast-check';
import t from 'tap';
import {
  bytesFromHex,
  bytesFromUint,
  concatBytes,
  hexFromBytes,
  isHexOfLength,
  uintFromBytes,
} from '../../protocol/hex.ts';
import { anyUint } from '../support/protocol-arbitraries.ts';

t.test('bytes survive the way through hex, as Buffer writes it', (t) => {
  fc.assert(
    fc.property(fc.uint8Array(), (bytes) => {
      const hex = hexFromBytes(bytes);
      t.equal(hex, `0x${Buffer.from(bytes).toString('hex')}`);
      t.same(bytesFromHex(hex), bytes);
      t.same(bytesFromHex(`0x${hex.slice(2).toUpperCase()}`), bytes);
    }),
    { numRuns: 30 },
  );
  t.end();
});

for (const text of ['', '0', '0x0', 'ab', '0xa', '0xg0', '0x 1', '0xab\n', '0Xab', '0x0x00', '0xéé']) {
  t.test(`${JSON.stringify(text)} is not hex`, (t) => {
    t.throws(() => bytesFromHex(text), new RangeError(`hex text must be 0x and pairs of hex digits, got ${text}`));
    t.end();
  });
}

t.test('the refusal of hex text shows at most 20 characters of it', (t) => {
  const text = 'z'.repeat(1000);
  t.throws(() => bytesFromHex(text), { message: `hex text must be 0x and pairs of hex digits, got ${'z'.repeat(20)}` });
  t.end();
});

t.test('hex of a length is recognised, anything else is not', (t) => {
  t.ok(isHexOfLength('0x', 0));
  t.ok(isHexOfLength('0xaB', 1));
  t.notOk(isHexOfLength('0xaB', 2));
  t.notOk(isHexOfLength('0xzz', 1));
  t.notOk(isHexOfLength('1xaa', 1));
  t.notOk(isHexOfLength(0xab, 1));
  t.notOk(isHexOfLength(undefined, 1));
  t.notOk(isHexOfLength(['0xab'], 1));
  t.end();
});

t.test('an unsigned integer survives the way through big-endian bytes', (t) => {
  t.same(bytesFromUint(0x0102n, 4), new Uint8Array([0, 0, 1, 2]));
  t.equal(uintFromBytes(new Uint8Array()), 0n);
  fc.assert(fc.property(anyUint(256), (value) => uintFromBytes(bytesFromUint(value, 32)) === value));
  t.end();
});

t.test('an integer that does not fit its bytes is refused', (t) => {
  t.throws(() => bytesFromUint(256n, 1), new RangeError('unsigned integer must fit 1 bytes, got 256'));
  t.throws(() => bytesFromUint(-1n, 32), new RangeError('unsigned integer must fit 32 bytes, got -1'));
  t.same(bytesFromUint(255n, 1), new Uint8Array([255]));
  t.end();
});

t.test('parts are joined in order', (t) => {
  t.same(concatBytes(), new Uint8Array());
  t.same(concatBytes(new Uint8Array([1]), new Uint8Array(), new Uint8Array([2, 3])), new Uint8Array([1, 2, 3]));
  t.end();
});
