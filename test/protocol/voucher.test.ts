import fc from 'fast-check';
import t from 'tap';
import { channelsDomain } from '../../protocol/channel.ts';
import { hexFromBytes } from '../../protocol/hex.ts';
import {
  signVoucher,
  voucherDigest,
  voucherDigestHex,
  voucherJsonFromVoucher,
  voucherSigner,
} from '../../protocol/voucher.ts';
import { anyAmount, anyHex, CHANNELS, testKey } from '../support/protocol-arbitraries.ts';
import { oracleSignature } from '../support/typed-data-oracle.ts';

const { secretKey, address } = testKey('signer');
const anyVoucher = fc.record({ channelId: anyHex(32), amount: anyAmount(), ackBytes: anyAmount() });
const TYPE = 'Voucher(bytes32 channelId,uint64 amount,uint64 ackBytes)';

t.test('a voucher is signed as another library signs it', (t) => {
  fc.assert(
    fc.property(anyVoucher, (voucher) => {
      const signed = signVoucher(CHANNELS, voucher, secretKey);
      t.equal(signed.signature, oracleSignature(channelsDomain(CHANNELS), TYPE, voucher, secretKey));
      t.equal(voucherSigner(CHANNELS, signed), address);
      t.equal(voucherDigestHex(CHANNELS, voucher), hexFromBytes(voucherDigest(CHANNELS, signed)));
    }),
    { numRuns: 15 },
  );
  t.end();
});

t.test("a voucher with a changed amount, acknowledgement or channel is not the signer's", (t) => {
  const voucher = { channelId: `0x${'01'.repeat(32)}`, amount: 100n, ackBytes: 200n } as const;
  const signed = signVoucher(CHANNELS, voucher, secretKey);
  t.equal(voucherSigner(CHANNELS, signed), address);
  t.not(voucherSigner(CHANNELS, { ...signed, amount: 101n }), address);
  t.not(voucherSigner(CHANNELS, { ...signed, ackBytes: 201n }), address);
  t.not(voucherSigner(CHANNELS, { ...signed, channelId: `0x${'02'.repeat(32)}` }), address);
  t.not(voucherSigner({ ...CHANNELS, chainId: 1n }, signed), address);
  t.equal(voucherSigner(CHANNELS, { ...signed, signature: '0x' }), undefined);
  t.end();
});

t.test('on the wire a voucher is five short fields with amounts as decimal strings', (t) => {
  const voucher = { channelId: '0x01', amount: 123_456n, ackBytes: 789n, signature: '0x02' } as const;
  t.same(voucherJsonFromVoucher(voucher), { v: 1, ch: '0x01', amt: '123456', ack: '789', sig: '0x02' });
  t.end();
});
