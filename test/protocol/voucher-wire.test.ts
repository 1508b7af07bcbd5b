import fc from 'fast-check';
import t from 'tap';
import { voucherJsonFromVoucher } from '../../protocol/voucher.ts';
import { decodeVoucher } from '../../protocol/voucher-wire.ts';
import { anyAmount, anyHex } from '../support/protocol-arbitraries.ts';

const GOOD = {
  v: 1,
  ch: `0x${'01'.repeat(32)}`,
  amt: '123456',
  ack: '789',
  sig: `0x${'02'.repeat(64)}`,
};

t.test('a voucher survives the way through JSON', (t) => {
  const anySigned = fc.record({
    channelId: anyHex(32),
    amount: anyAmount(),
    ackBytes: anyAmount(),
    signature: anyHex(64),
  });
  fc.assert(
    fc.property(anySigned, (voucher) => {
      const wire: unknown = JSON.parse(JSON.stringify(voucherJsonFromVoucher(voucher)));
      t.same(decodeVoucher(wire), { ok: true, value: voucher });
    }),
    { numRuns: 30 },
  );
  t.end();
});

const REFUSED = [
  ['text', 'voucher', '', 'Object'],
  ['null', null, '', 'Object'],
  ['an array', [], 'v', '"v"'],
  ['another version', { ...GOOD, v: 2 }, 'v', '1'],
  ['the version as text', { ...GOOD, v: '1' }, 'v', '1'],
  ['no amount', { ...GOOD, amt: undefined }, 'amt', 'string'],
  ['an amount that is a number', { ...GOOD, amt: 123_456 }, 'amt', 'string'],
  ['an amount of 2^64', { ...GOOD, amt: '18446744073709551616' }, 'amt', 'decimal string of 0..2^64-1'],
  ['a negative acknowledgement', { ...GOOD, ack: '-1' }, 'ack', 'decimal string of 0..2^64-1'],
  ['a short channel id', { ...GOOD, ch: '0x01' }, 'ch', '32 bytes of hex (0x and 64 hex digits)'],
  [
    'a 65-byte signature',
    { ...GOOD, sig: `0x${'02'.repeat(65)}` },
    'sig',
    'EIP-2098 signature (0x and 128 hex digits)',
  ],
  ['a field too many', { ...GOOD, extra: 1 }, 'extra', 'never'],
  ['a prototype', JSON.parse('{"__proto__":{"v":1}}') as unknown, 'v', '"v"'],
] as const;
for (const [what, input, path, expected] of REFUSED) {
  t.test(`a voucher that is or has ${what} is refused`, (t) => {
    t.has(decodeVoucher(input), { ok: false, path, expected });
    t.end();
  });
}

t.test('no JSON makes the decoder throw', (t) => {
  fc.assert(fc.property(fc.jsonValue(), (input) => decodeVoucher(input).ok === false));
  const anyDamage = fc.record({ key: fc.constantFrom(...Object.keys(GOOD)), value: fc.jsonValue() });
  fc.assert(fc.property(anyDamage, ({ key, value }) => 'ok' in decodeVoucher({ ...GOOD, [key]: value })));
  t.end();
});
