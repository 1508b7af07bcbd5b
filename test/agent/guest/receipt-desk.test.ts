import t from 'tap';
import { signedReceipt } from '../../../agent/guest/receipt-desk.ts';
import { addressFromSecretKey, signDigest } from '../../../protocol/signature.ts';
import { isUsageReceiptSigned, usageReceiptJson } from '../../../protocol/usage-receipt.ts';
import { view } from '../../captive-portal/support/cafe.ts';
import { NOW_S, testConfig } from '../core/support/story.ts';

const KEY = new Uint8Array(32).fill(9);
const CONFIG = testConfig();
const CHANNEL = `0x${'ab'.repeat(32)}` as const;
const DEPS = {
  config: CONFIG,
  clock: { wall: () => ({ unixS: NOW_S, isSynced: true }) },
  signer: { address: addressFromSecretKey(KEY), sign: (digest: Uint8Array) => signDigest(digest, KEY) },
};
const PAYING = view({ channelId: CHANNEL, downBytes: 7n, upBytes: 5n, chargedUnits: 3n, depositUnits: 20n });

t.test('a receipt says what the view says, and its device has signed it', (t) => {
  const receipt = signedReceipt(DEPS, PAYING);
  if (receipt === undefined) throw new Error('no receipt');
  t.ok(isUsageReceiptSigned(CONFIG.chain, receipt));
  t.match(usageReceiptJson(receipt), {
    v: 1,
    channelId: CHANNEL,
    downBytes: '7',
    upBytes: '5',
    paidUnits: '3',
    depositUnits: '20',
    refundUnits: '0',
    refundTx: `0x${'00'.repeat(32)}`,
    issuedAt: `${NOW_S}`,
  });
  t.end();
});

t.test('one changed figure, another chain or another device, and it is nobody’s', (t) => {
  const receipt = signedReceipt(DEPS, PAYING);
  if (receipt === undefined) throw new Error('no receipt');
  for (const change of [
    { paidUnits: 2n },
    { downBytes: 8n },
    { issuedAt: 1n },
    { device: `0x${'01'.repeat(20)}` as const },
  ]) {
    t.notOk(isUsageReceiptSigned(CONFIG.chain, { ...receipt, ...change }), JSON.stringify(Object.keys(change)));
  }
  t.notOk(isUsageReceiptSigned({ ...CONFIG.chain, chainId: 5n }, receipt));
  t.end();
});

t.test('a settled channel names the refund and its transaction; a trial has no receipt', (t) => {
  const refund = { units: 17n, tx: `0x${'cd'.repeat(32)}` as const };
  t.match(signedReceipt(DEPS, { ...PAYING, refund }), { refundUnits: 17n, refundTx: refund.tx });
  t.equal(signedReceipt(DEPS, view({ phase: 'trial' })), undefined);
  t.end();
});
