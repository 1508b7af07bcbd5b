import t from 'tap';
import { addressFromSecretKey, signDigest } from '../../protocol/signature.ts';
import {
  isUsageReceiptSigned,
  type SignedUsageReceipt,
  type UsageReceipt,
  usageReceiptDigest,
  usageReceiptJson,
} from '../../protocol/usage-receipt.ts';

const KEY = new Uint8Array(32).fill(9);
const DEPLOYMENT = { chainId: 31_337n, channels: '0x00000000000000000000000000000000000000c1' } as const;
const RECEIPT: UsageReceipt = {
  device: addressFromSecretKey(KEY),
  channelId: `0x${'ab'.repeat(32)}`,
  downBytes: 7n,
  upBytes: 5n,
  paidUnits: 3n,
  depositUnits: 20n,
  refundUnits: 17n,
  refundTx: `0x${'cd'.repeat(32)}`,
  issuedAt: 1_795_000_000n,
};
const SIGNED: SignedUsageReceipt = { ...RECEIPT, signature: signDigest(usageReceiptDigest(DEPLOYMENT, RECEIPT), KEY) };

t.test('the device that signed is found out; one changed figure, another chain or device, and it is nobody’s', (t) => {
  t.ok(isUsageReceiptSigned(DEPLOYMENT, SIGNED));
  const changes: Partial<UsageReceipt>[] = [
    { device: '0x0101010101010101010101010101010101010101' },
    { channelId: `0x${'ac'.repeat(32)}` },
    { downBytes: 8n },
    { upBytes: 6n },
    { paidUnits: 2n },
    { depositUnits: 21n },
    { refundUnits: 18n },
    { refundTx: `0x${'ce'.repeat(32)}` },
    { issuedAt: 1n },
  ];
  for (const change of changes) {
    t.notOk(isUsageReceiptSigned(DEPLOYMENT, { ...SIGNED, ...change }), JSON.stringify(Object.keys(change)));
  }
  t.notOk(isUsageReceiptSigned({ ...DEPLOYMENT, chainId: 1n }, SIGNED));
  t.end();
});

t.test('as JSON every quantity is a decimal string', (t) => {
  t.strictSame(usageReceiptJson(SIGNED), {
    v: 1,
    device: RECEIPT.device,
    channelId: RECEIPT.channelId,
    downBytes: '7',
    upBytes: '5',
    paidUnits: '3',
    depositUnits: '20',
    refundUnits: '17',
    refundTx: RECEIPT.refundTx,
    issuedAt: '1795000000',
    signature: SIGNED.signature,
  });
  t.end();
});
