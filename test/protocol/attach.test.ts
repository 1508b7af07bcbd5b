import fc from 'fast-check';
import t from 'tap';
import { attachJsonFromAttach, attachSigner, signAttach } from '../../protocol/attach.ts';
import { channelsDomain, closeDigest, exitDigest } from '../../protocol/channel.ts';
import { recoverSigner } from '../../protocol/signature.ts';
import { anyHex, CHANNELS, testKey } from '../support/protocol-arbitraries.ts';
import { oracleSignature } from '../support/typed-data-oracle.ts';

const { secretKey, address } = testKey('signer');
const anyAttach = fc.record({ channelId: anyHex(32), challenge: anyHex(32) });
const TYPE = 'Attach(bytes32 channelId,bytes32 challenge)';
const ATTACH = { channelId: `0x${'01'.repeat(32)}`, challenge: `0x${'02'.repeat(32)}` } as const;

t.test('an attach is signed as another library signs it', (t) => {
  fc.assert(
    fc.property(anyAttach, (attach) => {
      const signed = signAttach(CHANNELS, attach, secretKey);
      t.equal(signed.signature, oracleSignature(channelsDomain(CHANNELS), TYPE, attach, secretKey));
      t.equal(attachSigner(CHANNELS, signed), address);
    }),
    { numRuns: 15 },
  );
  t.end();
});

t.test("an answer to another challenge, for another channel or another chain is not the signer's", (t) => {
  const signed = signAttach(CHANNELS, ATTACH, secretKey);
  t.not(attachSigner(CHANNELS, { ...signed, challenge: `0x${'03'.repeat(32)}` }), address);
  t.not(attachSigner(CHANNELS, { ...signed, channelId: ATTACH.challenge }), address);
  t.not(attachSigner({ ...CHANNELS, chainId: 1n }, signed), address);
  t.equal(attachSigner(CHANNELS, { ...signed, signature: '0x' }), undefined);
  t.end();
});

t.test(
  'what a challenge gets signed is neither a close nor an exit of the channel, whatever the challenge says',
  (t) => {
    for (const number of [0n, 1n, 500_000n]) {
      const challenge = `0x${number.toString(16).padStart(64, '0')}` as const;
      const { channelId, signature } = signAttach(CHANNELS, { ...ATTACH, challenge }, secretKey);
      t.not(recoverSigner(closeDigest(CHANNELS, channelId, number), signature), address);
      t.not(recoverSigner(exitDigest(CHANNELS, channelId, number), signature), address);
    }
    t.end();
  },
);

t.test('on the wire an attach is four short fields', (t) => {
  const signed = { channelId: '0x01', challenge: '0x02', signature: '0x03' } as const;
  t.same(attachJsonFromAttach(signed), { v: 1, ch: '0x01', challenge: '0x02', sig: '0x03' });
  t.end();
});
