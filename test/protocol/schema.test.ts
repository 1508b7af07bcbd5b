import fc from 'fast-check';
import t from 'tap';
import * as v from 'valibot';
import {
  addressSchema,
  bytes32Schema,
  decode,
  signatureSchema,
  uint40Schema,
  uint64Schema,
} from '../../protocol/schema.ts';

const REFUSED = [
  ['a number for a uint64', uint64Schema, 5, 'string', '5'],
  ['a long string for a uint64', uint64Schema, '1'.repeat(100), '<=20', `"${'1'.repeat(36)}...`],
  ['a negative uint64', uint64Schema, '-1', 'decimal string of 0..2^64-1', '"-1"'],
  ['2^64', uint64Schema, '18446744073709551616', 'decimal string of 0..2^64-1', '"18446744073709551616"'],
  ['2^40 for a time', uint40Schema, '1099511627776', 'decimal string of 0..2^40-1', '1099511627776'],
  ['an exponent for a time', uint40Schema, '1e3', 'decimal string of 0..2^64-1', '"1e3"'],
  ['a short address', addressSchema, '0x01', 'address (0x and 40 hex digits)', '"0x01"'],
  ['a short word', bytes32Schema, '0x01', '32 bytes of hex (0x and 64 hex digits)', '"0x01"'],
  ['a short signature', signatureSchema, '0x01', 'EIP-2098 signature (0x and 128 hex digits)', '"0x01"'],
  ['null', addressSchema, null, 'string', 'object'],
  ['an array', bytes32Schema, ['0x'], 'string', 'object'],
  ['nothing', signatureSchema, undefined, 'string', 'undefined'],
  ['a boolean', uint64Schema, true, 'string', 'true'],
] as const;
for (const [what, schema, input, expected, got] of REFUSED) {
  t.test(`${what} is refused, with what was expected and got`, (t) => {
    t.same(decode(schema, input), { ok: false, path: '', expected, got });
    t.end();
  });
}

t.test('scalars are decoded to bigint and lower-case hex', (t) => {
  t.same(decode(uint64Schema, '18446744073709551615'), { ok: true, value: (1n << 64n) - 1n });
  t.same(decode(uint40Schema, '1099511627775'), { ok: true, value: (1n << 40n) - 1n });
  t.same(decode(addressSchema, `0x${'AB'.repeat(20)}`), { ok: true, value: `0x${'ab'.repeat(20)}` });
  t.same(decode(bytes32Schema, `0x${'AB'.repeat(32)}`), { ok: true, value: `0x${'ab'.repeat(32)}` });
  t.same(decode(signatureSchema, `0x${'AB'.repeat(64)}`), { ok: true, value: `0x${'ab'.repeat(64)}` });
  t.end();
});

t.test('a refusal names the path, and shows no more than 40 characters of path and value', (t) => {
  const schema = v.strictObject({ a: v.strictObject({ b: uint64Schema }) });
  t.has(decode(schema, { a: { b: 7 } }), { ok: false, path: 'a.b', expected: 'string', got: '7' });
  const refusal = decode(schema, { a: { b: '1', ['x'.repeat(5000)]: 'y'.repeat(5000) } });
  t.has(refusal, { ok: false, path: `a.${'x'.repeat(35)}...` });
  t.ok(JSON.stringify(refusal).length < 200);
  t.end();
});

t.test('no JSON makes a scalar schema throw', (t) => {
  fc.assert(
    fc.property(fc.jsonValue(), (input) => {
      for (const schema of [uint64Schema, uint40Schema, addressSchema, bytes32Schema, signatureSchema])
        decode(schema, input);
    }),
  );
  t.end();
});
