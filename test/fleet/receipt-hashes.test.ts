import fc from 'fast-check';
import t from 'tap';
import { ReceiptHasher } from '../../fleet/receipt-hashes.ts';
import { receiptRoot } from '../../protocol/batch-receipt.ts';
import { proofReceiptDigest, VERDICTS } from '../../protocol/verdict.ts';
import { anyHex, anyUint, testKey } from '../support/protocol-arbitraries.ts';
import { DEPLOYMENT } from './fake-router.ts';

const collector = testKey('collector').address;
const hasher = new ReceiptHasher(DEPLOYMENT, collector);
const anyLine = fc.record({ proof: anyHex(32), verdict: fc.constantFrom(...VERDICTS), receivedS: anyUint(40) });

t.test('receipts hash as the protocol says, whatever was hashed before', (t) => {
  fc.assert(
    fc.property(anyLine, (line) => {
      t.same(hasher.digest(line), proofReceiptDigest(DEPLOYMENT, { collector, ...line }));
    }),
    { seed: 8, numRuns: 40 },
  );
  t.end();
});

t.test('so does the root over many, or none', (t) => {
  fc.assert(
    fc.property(fc.array(anyLine, { maxLength: 9 }), (lines) => {
      t.equal(hasher.root(lines), receiptRoot(lines));
    }),
    { seed: 9, numRuns: 20 },
  );
  t.end();
});
