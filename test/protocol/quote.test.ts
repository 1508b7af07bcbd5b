import fc from 'fast-check';
import t from 'tap';
import { channelsDomain } from '../../protocol/channel.ts';
import { isQuoteSigned, type Quote, quoteJsonFromQuote, signQuote } from '../../protocol/quote.ts';
import { anyQuote, CHANNELS, testKey } from '../support/protocol-arbitraries.ts';
import { oracleSignature } from '../support/typed-data-oracle.ts';

const { secretKey, address } = testKey('device');
const TYPE =
  'Quote(address device,address payee,address token,uint64 unitsPerMb,uint64 unitsPerMinute,uint64 minDeposit,' +
  'uint64 openFee,uint40 exitDelay,uint40 expiry,uint40 validUntil,bytes32 nonce)';

t.test('a quote is signed as another library signs it, and recognised', (t) => {
  fc.assert(
    fc.property(anyQuote(address), (quote) => {
      const signed = signQuote(CHANNELS, quote, secretKey);
      t.equal(signed.signature, oracleSignature(channelsDomain(CHANNELS), TYPE, quote, secretKey));
      t.ok(isQuoteSigned(CHANNELS, signed));
    }),
    { numRuns: 10 },
  );
  t.end();
});

t.test('a quote with a better price, of another device or for another chain is not signed', (t) => {
  const [quote] = fc.sample(anyQuote(address), { numRuns: 1, seed: 1 }) as [Quote];
  const signed = signQuote(CHANNELS, quote, secretKey);
  t.notOk(isQuoteSigned(CHANNELS, { ...signed, unitsPerMb: quote.unitsPerMb ^ 1n }));
  t.notOk(isQuoteSigned(CHANNELS, { ...signed, device: testKey('stranger').address }));
  t.notOk(isQuoteSigned(CHANNELS, { ...signed, signature: '0x' }));
  t.notOk(isQuoteSigned({ ...CHANNELS, chainId: 1n }, signed));
  t.notOk(isQuoteSigned(CHANNELS, signQuote(CHANNELS, quote, testKey('stranger').secretKey)));
  t.end();
});

t.test('in JSON amounts and times are decimal strings and the rest is as it was', (t) => {
  fc.assert(
    fc.property(anyQuote(address), (quote) => {
      const signed = { ...quote, signature: '0x01' } as const;
      const json = quoteJsonFromQuote(signed);
      t.same(Object.keys(json).sort(), Object.keys(signed).sort());
      for (const [key, value] of Object.entries(signed)) t.equal(json[key as keyof typeof json], value.toString());
    }),
    { numRuns: 10 },
  );
  t.end();
});
