import fc from 'fast-check';
import t from 'tap';
import { decodeReceipt, receiptJsonFromReceipt } from '../../protocol/receipt-wire.ts';
import { signProofReceipt, VERDICTS } from '../../protocol/verdict.ts';
import { anyHex, anyUint, REGISTRY, testKey } from '../support/protocol-arbitraries.ts';

const collector = testKey('collector');

t.test('a receipt survives JSON unchanged', (t) => {
  const receipts = fc.record({ proof: anyHex(32), verdict: fc.constantFrom(...VERDICTS), receivedS: anyUint(40) });
  fc.assert(
    fc.property(receipts, (parts) => {
      const receipt = signProofReceipt(REGISTRY, { collector: collector.address, ...parts }, collector.secretKey);
      const decoded = decodeReceipt(JSON.parse(JSON.stringify(receiptJsonFromReceipt(receipt))));
      return decoded.ok && t.strictSame(decoded.value, receipt);
    }),
    { numRuns: 20 },
  );
  t.end();
});

t.test('a malformed receipt is refused by path', (t) => {
  const parts = {
    collector: collector.address,
    proof: `0x${'11'.repeat(32)}`,
    verdict: 'valid',
    receivedS: 5n,
  } as const;
  const good = receiptJsonFromReceipt(signProofReceipt(REGISTRY, parts, collector.secretKey));
  t.ok(decodeReceipt(good).ok);
  t.match(decodeReceipt({ ...good, verdict: 'fine' }), { ok: false, path: 'verdict' });
  t.match(decodeReceipt({ ...good, receivedS: '1099511627776' }), {
    ok: false,
    path: 'receivedS',
    expected: 'decimal string of 0..2^40-1',
  });
  t.match(decodeReceipt({ ...good, sig: '0x00' }), { ok: false, path: 'sig' });
  t.match(decodeReceipt({ ...good, extra: 1 }), { ok: false });
  t.match(decodeReceipt('receipt'), { ok: false });
  t.end();
});
