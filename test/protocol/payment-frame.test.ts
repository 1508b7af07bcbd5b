import fc from 'fast-check';
import t from 'tap';
import { bytesFromHex, bytesFromUint, concatBytes } from '../../protocol/hex.ts';
import {
  channelPrefix,
  decodePaymentFrame,
  encodePaymentFrame,
  type PaymentFrame,
} from '../../protocol/payment-frame.ts';
import { anyAmount, anyBytes, anyHex, anyTickVoucher } from '../support/protocol-arbitraries.ts';

const CHANNEL = `0x${'01'.repeat(32)}` as const;
const SIGNATURE = `0x${'02'.repeat(64)}` as const;

const anyFrame = (): fc.Arbitrary<PaymentFrame> =>
  fc.oneof(
    fc.record({
      kind: fc.constant('voucher' as const),
      voucher: fc.record({ channelId: anyHex(32), amount: anyAmount(), ackBytes: anyAmount(), signature: anyHex(64) }),
    }),
    fc.record({
      kind: fc.constant('tick' as const),
      channelPrefix: anyHex(8),
      tick: fc.record({ index: fc.integer({ min: 1, max: 256 }), preimage: anyBytes(32) }),
    }),
    fc.record({
      kind: fc.constant('tickVoucher' as const),
      tickVoucher: fc.tuple(anyTickVoucher(), anyHex(64)).map(([voucher, signature]) => ({ ...voucher, signature })),
    }),
  );

t.test('every frame survives the way through bytes, and no byte string has two meanings', (t) => {
  fc.assert(
    fc.property(anyFrame(), (frame) => {
      const bytes = encodePaymentFrame(frame);
      const decoded = decodePaymentFrame(bytes);
      t.same(decoded, { ok: true, value: frame });
      if (decoded.ok) t.same(encodePaymentFrame(decoded.value), bytes);
    }),
    { numRuns: 60 },
  );
  t.end();
});

t.test('the bytes are where the protocol says', (t) => {
  const voucher = { channelId: CHANNEL, amount: 0x0102n, ackBytes: 0x0304n, signature: SIGNATURE };
  t.same(
    encodePaymentFrame({ kind: 'voucher', voucher }),
    bytesFromHex(`0x01${CHANNEL.slice(2)}00000000000001020000000000000304${SIGNATURE.slice(2)}`),
  );
  const tick = { index: 7, preimage: new Uint8Array(32).fill(9) };
  t.same(
    encodePaymentFrame({ kind: 'tick', channelPrefix: channelPrefix(CHANNEL), tick }),
    bytesFromHex(`0x02${'01'.repeat(8)}00000007${'09'.repeat(32)}`),
  );
  t.end();
});

const tickVoucherBytes = (amount: bigint, tickValue: bigint, ticks: bigint) =>
  concatBytes(
    new Uint8Array([3]),
    bytesFromHex(CHANNEL),
    bytesFromUint(amount, 8),
    new Uint8Array(32),
    bytesFromUint(tickValue, 4),
    bytesFromUint(ticks, 4),
    bytesFromHex(SIGNATURE),
  );
const REFUSED = [
  ['nothing', new Uint8Array(), { path: 'type', got: 'no bytes' }],
  ['another type', new Uint8Array([4, 0]), { path: 'type', got: '0x04' }],
  ['a voucher a byte short', new Uint8Array(112).fill(1), { path: '', expected: '113 bytes', got: '112 bytes' }],
  ['a voucher a byte long', new Uint8Array(114).fill(1), { path: '', expected: '113 bytes', got: '114 bytes' }],
  ['a tick of index 0', new Uint8Array(45).fill(2, 0, 1), { path: 'index', expected: 'integer of 1..256', got: '0' }],
  ['a tick of index 2^32-1', new Uint8Array(45).fill(255).fill(2, 0, 1), { path: 'index', got: '4294967295' }],
  ['257 ticks', tickVoucherBytes(0n, 1n, 257n), { path: 'tickVoucher', expected: 'ticks must be 1..256', got: '257' }],
  ['worthless ticks', tickVoucherBytes(0n, 0n, 1n), { path: 'tickVoucher', got: '0' }],
  [
    'a ceiling of 2^64',
    tickVoucherBytes((1n << 64n) - 1n, 1n, 1n),
    { path: 'tickVoucher', got: '18446744073709551616' },
  ],
] as const;
for (const [what, bytes, refusal] of REFUSED) {
  t.test(`${what} is refused`, (t) => {
    t.has(decodePaymentFrame(bytes), { ok: false, ...refusal });
    t.end();
  });
}

t.test('no bytes make the decoder throw', (t) => {
  fc.assert(fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => 'ok' in decodePaymentFrame(bytes)));
  const anyDamage = fc.tuple(anyFrame(), fc.nat(200), fc.nat(255));
  fc.assert(
    fc.property(anyDamage, ([frame, at, byte]) => {
      const bytes = encodePaymentFrame(frame);
      bytes[at % bytes.length] = byte;
      const decoded = decodePaymentFrame(bytes);
      if (decoded.ok) t.same(encodePaymentFrame(decoded.value), bytes);
    }),
  );
  t.end();
});
