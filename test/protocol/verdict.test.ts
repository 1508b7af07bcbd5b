import fc from 'fast-check';
import t from 'tap';
import { registryDomain } from '../../protocol/traffic-proof.ts';
import { isProofReceiptSigned, signProofReceipt, VERDICTS } from '../../protocol/verdict.ts';
import { anyHex, anyUint, REGISTRY, testKey } from '../support/protocol-arbitraries.ts';
import { oracleSignature } from '../support/typed-data-oracle.ts';

const { secretKey, address } = testKey('collector');
const TYPE = 'ProofReceipt(address collector,bytes32 proof,uint8 verdict,uint40 receivedS)';

t.test("a verdict's number is its place in the list, which therefore only ever grows at the end", (t) => {
  t.same(VERDICTS, [
    'valid',
    'duplicate',
    'gap',
    'equivocation',
    'unknown-device',
    'revoked',
    'bad-signature',
    'bad-voucher',
    'bytes-below-ack',
    'over-link-capacity',
    'clock-unsynced',
    'late',
  ]);
  t.end();
});

for (const [code, verdict] of VERDICTS.entries()) {
  t.test(`a receipt saying ${verdict} is signed as verdict ${code}`, (t) => {
    const [[proof, receivedS]] = fc.sample(fc.tuple(anyHex(32), anyUint(40)), { numRuns: 1, seed: code }) as [
      [`0x${string}`, bigint],
    ];
    const signed = signProofReceipt(REGISTRY, { collector: address, proof, verdict, receivedS }, secretKey);
    const message = { collector: address, proof, verdict: BigInt(code), receivedS };
    t.equal(signed.signature, oracleSignature(registryDomain(REGISTRY), TYPE, message, secretKey));
    t.ok(isProofReceiptSigned(REGISTRY, signed));
    t.notOk(isProofReceiptSigned(REGISTRY, { ...signed, verdict: verdict === 'valid' ? 'late' : 'valid' }));
    t.notOk(isProofReceiptSigned(REGISTRY, { ...signed, collector: testKey('stranger').address }));
    t.notOk(isProofReceiptSigned(REGISTRY, { ...signed, signature: '0x' }));
    t.end();
  });
}
