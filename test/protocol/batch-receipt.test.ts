import fc from 'fast-check';
import t from 'tap';
import {
  batchReceiptDigest,
  isLineReceipted,
  type ReceiptLine,
  receiptLeaf,
  receiptRoot,
} from '../../protocol/batch-receipt.ts';
import { merkleProof } from '../../protocol/merkle.ts';
import { signDigest } from '../../protocol/signature.ts';
import { VERDICTS } from '../../protocol/verdict.ts';
import { anyHex, anyUint, REGISTRY, testKey } from '../support/protocol-arbitraries.ts';

const COLLECTOR = testKey('collector');
const anyLine: fc.Arbitrary<ReceiptLine> = fc.record({
  proof: anyHex(32),
  verdict: fc.constantFrom(...VERDICTS),
  receivedS: anyUint(40),
});

t.test('each line of a batch is receipted by its path, and no other line is', (t) => {
  fc.assert(
    fc.property(fc.array(anyLine, { minLength: 1, maxLength: 9 }), fc.nat(8), (lines, pick) => {
      const index = pick % lines.length;
      const unsigned = { collector: COLLECTOR.address, root: receiptRoot(lines), count: BigInt(lines.length) };
      const signature = signDigest(batchReceiptDigest(REGISTRY, unsigned), COLLECTOR.secretKey);
      const receipt = { ...unsigned, signature };
      const line = lines[index] as ReceiptLine;
      const path = merkleProof(lines.map(receiptLeaf), index);
      t.ok(isLineReceipted(REGISTRY, receipt, line, path));
      t.notOk(isLineReceipted(REGISTRY, receipt, { ...line, receivedS: line.receivedS + 1n }, path));
      const other = line.verdict === 'valid' ? 'late' : 'valid';
      t.notOk(isLineReceipted(REGISTRY, receipt, { ...line, verdict: other }, path));
      t.notOk(isLineReceipted(REGISTRY, { ...receipt, count: receipt.count + 1n }, line, path), 'another count');
      t.notOk(isLineReceipted(REGISTRY, { ...receipt, collector: testKey('mallory').address }, line, path));
    }),
    { numRuns: 10 },
  );
  t.end();
});
