import fc from 'fast-check';
import t from 'tap';
import { tickVoucherJsonFromTickVoucher } from '../../protocol/tick-voucher.ts';
import { decodeTick, decodeTickVoucher, tickJsonFromTick } from '../../protocol/tick-wire.ts';
import { anyBytes, anyHex, anyTickVoucher } from '../support/protocol-arbitraries.ts';

const WORD = '32 bytes of hex (0x and 64 hex digits)';
const GOOD = {
  v: 1,
  ch: `0x${'01'.repeat(32)}`,
  amt: '100',
  anchor: `0x${'02'.repeat(32)}`,
  tickValue: '10',
  ticks: '64',
  sig: `0x${'03'.repeat(64)}`,
};
const TICK = { v: 1, ch: GOOD.ch, i: 1, pre: GOOD.anchor };

t.test('a tick voucher survives the way through JSON', (t) => {
  fc.assert(
    fc.property(anyTickVoucher(), anyHex(64), (voucher, signature) => {
      const signed = { ...voucher, signature };
      const wire: unknown = JSON.parse(JSON.stringify(tickVoucherJsonFromTickVoucher(signed)));
      t.same(decodeTickVoucher(wire), { ok: true, value: signed });
    }),
    { numRuns: 30 },
  );
  t.end();
});

t.test('a tick survives the way through JSON', (t) => {
  fc.assert(
    fc.property(anyHex(32), anyBytes(32), fc.integer({ min: 1, max: 256 }), (channelId, preimage, index) => {
      const tick = { channelId, tick: { index, preimage } };
      t.same(decodeTick(JSON.parse(JSON.stringify(tickJsonFromTick(tick)))), { ok: true, value: tick });
    }),
    { numRuns: 30 },
  );
  t.end();
});

const REFUSED = [
  ['text', 'tick voucher', '', 'Object'],
  ['another version', { ...GOOD, v: 2 }, 'v', '1'],
  ['a short anchor', { ...GOOD, anchor: '0x02' }, 'anchor', WORD],
  ['a tick value of 2^32', { ...GOOD, tickValue: '4294967296' }, 'tickValue', 'decimal string of 0..2^32-1'],
  ['a number for ticks', { ...GOOD, ticks: 64 }, 'ticks', 'string'],
  ['257 ticks', { ...GOOD, ticks: '257' }, '', 'ticks must be 1..256, got 257'],
  ['worthless ticks', { ...GOOD, tickValue: '0' }, '', 'tickValue must be at least 1, got 0'],
  [
    'a ceiling of 2^64',
    { ...GOOD, amt: '18446744073709551615' },
    '',
    'amount + ticks * tickValue must be below 2^64, got 18446744073709552255',
  ],
  ['a field too many', { ...GOOD, extra: 1 }, 'extra', 'never'],
] as const;
for (const [what, input, path, expected] of REFUSED) {
  t.test(`a tick voucher that is or has ${what} is refused`, (t) => {
    t.has(decodeTickVoucher(input), { ok: false, path, expected });
    t.end();
  });
}

const NO_TICKS = [
  ['null', null, '', 'Object'],
  ['index 0', { ...TICK, i: 0 }, 'i', 'integer of 1..256'],
  ['index 257', { ...TICK, i: 257 }, 'i', 'integer of 1..256'],
  ['half an index', { ...TICK, i: 1.5 }, 'i', 'integer of 1..256'],
  ['an index as text', { ...TICK, i: '1' }, 'i', 'number'],
  ['a preimage of 31 bytes', { ...TICK, pre: `0x${'02'.repeat(31)}` }, 'pre', WORD],
  ['a field too many', { ...TICK, sig: GOOD.sig }, 'sig', 'never'],
] as const;
for (const [what, input, path, expected] of NO_TICKS) {
  t.test(`a tick that is or has ${what} is refused`, (t) => {
    t.has(decodeTick(input), { ok: false, path, expected });
    t.end();
  });
}

t.test('no JSON makes the decoders throw', (t) => {
  fc.assert(fc.property(fc.jsonValue(), (input) => !decodeTick(input).ok && !decodeTickVoucher(input).ok));
  const anyDamage = fc.record({ key: fc.constantFrom(...Object.keys(GOOD)), value: fc.jsonValue() });
  fc.assert(fc.property(anyDamage, ({ key, value }) => 'ok' in decodeTickVoucher({ ...GOOD, [key]: value })));
  t.end();
});
