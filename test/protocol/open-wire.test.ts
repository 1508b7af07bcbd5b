import fc from 'fast-check';
import t from 'tap';
import { channelId } from '../../protocol/channel.ts';
import { type AnyOpenRequest, decodeOpenRequest } from '../../protocol/open-wire.ts';
import { quoteDigest, quoteJsonFromQuote } from '../../protocol/quote.ts';
import { voucherJsonFromVoucher } from '../../protocol/voucher.ts';
import {
  anyAmount,
  anyChannelConfig,
  anyHex,
  anyQuote,
  anyUint,
  CHANNELS,
  testKey,
} from '../support/protocol-arbitraries.ts';

const anyTerms = fc.record({
  mode: fc.constantFrom('hold' as const, 'stream' as const),
  quote: fc
    .tuple(anyQuote(testKey('device').address), anyHex(64))
    .map(([quote, signature]) => ({ ...quote, signature })),
  config: anyChannelConfig(),
  deposit: anyAmount(),
  voucher: fc.record({ channelId: anyHex(32), amount: anyAmount(), ackBytes: anyAmount(), signature: anyHex(64) }),
});

const anyAuthorization = fc.record({ validAfter: anyUint(64), validBefore: anyUint(64), signature: anyHex(64) });
const anyFunding = fc.oneof(
  fc.record({ authorization: anyAuthorization }),
  fc.record({ permit: fc.record({ deadline: anyUint(64), signature: anyHex(64), openSignature: anyHex(64) }) }),
  fc.record({ permit2: fc.record({ deadline: anyUint(64), signature: anyHex(64) }) }),
  fc.constant({ pull: true as const }),
);
const anyRequest: fc.Arbitrary<AnyOpenRequest> = fc
  .tuple(anyTerms, anyFunding)
  .map(([terms, funding]) => ({ ...terms, ...funding }));

/** What a guest's page sends: every bigint as a decimal string. */
function wireOf(request: AnyOpenRequest): Wire {
  const wire = {
    ...request,
    v: 1,
    quote: quoteJsonFromQuote(request.quote),
    voucher: voucherJsonFromVoucher(request.voucher),
  };
  const text = JSON.stringify(wire, (_, value: unknown) => (typeof value === 'bigint' ? value.toString() : value));
  return JSON.parse(text) as Wire;
}
type Wire = { [key: string]: unknown } & {
  [section in 'quote' | 'config' | 'authorization' | 'voucher']: { [key: string]: unknown };
};

const [sample] = fc.sample(
  fc.tuple(anyTerms, anyAuthorization).map(([terms, authorization]) => ({ ...terms, authorization })),
  { numRuns: 1, seed: 7 },
) as [AnyOpenRequest];

t.test('an open request survives the way through JSON', (t) => {
  fc.assert(
    fc.property(anyRequest, (request) => t.same(decodeOpenRequest(wireOf(request)), { ok: true, value: request })),
    { numRuns: 20 },
  );
  t.end();
});

t.test('whatever is decoded can be hashed: no accepted field is too wide for its signed type', (t) => {
  const widest = ['18446744073709551615', '1099511627776', '1099511627775', '0'];
  for (const [section, field] of [
    ['quote', 'exitDelay'],
    ['quote', 'expiry'],
    ['quote', 'validUntil'],
    ['quote', 'minDeposit'],
    ['config', 'exitDelay'],
    ['config', 'expiry'],
  ] as const) {
    for (const value of widest) {
      const wire = wireOf(sample);
      const decoded = decodeOpenRequest({ ...wire, [section]: { ...wire[section], [field]: value } });
      if (!decoded.ok) {
        t.has(decoded, { path: `${section}.${field}`, expected: 'decimal string of 0..2^40-1', got: value });
        continue;
      }
      t.doesNotThrow(() => quoteDigest(CHANNELS, decoded.value.quote));
      t.doesNotThrow(() => channelId(CHANNELS, decoded.value.config));
    }
  }
  t.end();
});

const REFUSED: readonly (readonly [string, (wire: Wire) => unknown, string, string])[] = [
  ['nothing', () => undefined, '', 'Object'],
  ['no version', ({ v: _, ...wire }) => wire, 'v', '"v"'],
  ['an unknown mode', (wire) => ({ ...wire, mode: 'free' }), 'mode', '("hold" | "stream")'],
  ['no quote', ({ quote: _, ...wire }) => wire, 'quote', '"quote"'],
  [
    'a price that is a number',
    (wire) => ({ ...wire, quote: { ...wire.quote, unitsPerMb: 1 } }),
    'quote.unitsPerMb',
    'string',
  ],
  ['a quote with a field too many', (wire) => ({ ...wire, quote: { ...wire.quote, x: 1 } }), 'quote.x', 'never'],
  [
    'a payer of 19 bytes',
    (wire) => ({ ...wire, config: { ...wire.config, payer: `0x${'0'.repeat(38)}` } }),
    'config.payer',
    'address (0x and 40 hex digits)',
  ],
  [
    'a salt of 31 bytes',
    (wire) => ({ ...wire, config: { ...wire.config, salt: `0x${'0'.repeat(62)}` } }),
    'config.salt',
    '32 bytes of hex (0x and 64 hex digits)',
  ],
  ['a fraction as deposit', (wire) => ({ ...wire, deposit: '1.5' }), 'deposit', 'decimal string of 0..2^64-1'],
  [
    'an unsigned authorisation',
    (wire) => ({ ...wire, authorization: { validAfter: '0', validBefore: '1' } }),
    'authorization.signature',
    '"signature"',
  ],
  [
    'no deposit of any kind',
    ({ authorization: _, ...wire }) => wire,
    '',
    'exactly one of authorization, permit, permit2, pull',
  ],
  [
    'two kinds of deposit',
    (wire) => ({ ...wire, pull: true }),
    '',
    'exactly one of authorization, permit, permit2, pull',
  ],
  ['a pull that is false', ({ authorization: _, ...wire }) => ({ ...wire, pull: false }), 'pull', 'true'],
  ['a voucher of another version', (wire) => ({ ...wire, voucher: { ...wire.voucher, v: 2 } }), 'voucher.v', '1'],
];
for (const [what, damage, path, expected] of REFUSED) {
  t.test(`an open request that is or has ${what} is refused`, (t) => {
    t.has(decodeOpenRequest(damage(wireOf(sample))), { ok: false, path, expected });
    t.end();
  });
}

t.test('no JSON makes the decoder throw', (t) => {
  fc.assert(fc.property(fc.jsonValue(), (input) => decodeOpenRequest(input).ok === false));
  const wire = wireOf(sample);
  const anyDamage = fc.record({ key: fc.constantFrom(...Object.keys(wire)), value: fc.jsonValue() });
  fc.assert(fc.property(anyDamage, ({ key, value }) => 'ok' in decodeOpenRequest({ ...wire, [key]: value })));
  t.end();
});
