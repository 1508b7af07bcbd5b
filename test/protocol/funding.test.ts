import fc from 'fast-check';
import t from 'tap';
import { authorizationDigest } from '../../protocol/funding.ts';
import { signDigest } from '../../protocol/signature.ts';
import { anyAddress, anyAmount, anyHex, anyUint, testKey } from '../support/protocol-arbitraries.ts';
import { oracleSignature } from '../support/typed-data-oracle.ts';

const TOKEN = {
  name: 'SSP Test Token',
  version: '1',
  chainId: 31337n,
  verifyingContract: '0xe7f1725e7734ce288f8367e1bb143e90bb3f0512',
} as const;
const TYPE =
  'ReceiveWithAuthorization(address from,address to,uint256 value,uint256 validAfter,uint256 validBefore,bytes32 nonce)';

t.test('a deposit is authorised as EIP-3009 and another library have it', (t) => {
  const { secretKey } = testKey('payer');
  const anyAuthorization = fc.record({
    from: anyAddress(),
    to: anyAddress(),
    value: anyAmount(),
    validAfter: anyUint(64),
    validBefore: anyUint(256),
    nonce: anyHex(32),
  });
  fc.assert(
    fc.property(anyAuthorization, (authorization) => {
      const signature = signDigest(authorizationDigest(TOKEN, authorization), secretKey);
      t.equal(signature, oracleSignature(TOKEN, TYPE, authorization, secretKey));
    }),
    { numRuns: 15 },
  );
  t.end();
});
