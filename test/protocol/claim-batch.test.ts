import t from 'tap';
import { channelsDomain } from '../../protocol/channel.ts';
import { claimBatchDigest, claimBatchRoot } from '../../protocol/claim-batch.ts';
import { signDigest } from '../../protocol/signature.ts';
import { CHANNELS, testKey } from '../support/protocol-arbitraries.ts';
import { oracleSignature } from '../support/typed-data-oracle.ts';

const A = { channelId: `0x${'01'.repeat(32)}`, amount: 5n } as const;
const B = { channelId: `0x${'02'.repeat(32)}`, amount: 6n } as const;

t.test('a batch is signed as another library signs its root', (t) => {
  const { secretKey } = testKey('device');
  const root = claimBatchRoot([A, B]);
  const expected = oracleSignature(channelsDomain(CHANNELS), 'ClaimBatch(bytes32 root)', { root }, secretKey);
  t.equal(signDigest(claimBatchDigest(CHANNELS, [A, B]), secretKey), expected);
  t.end();
});

t.test('the root names every channel, every amount, and their order', (t) => {
  const roots = [[], [A], [B], [A, B], [B, A], [{ ...A, amount: 6n }, B]].map((claims) => claimBatchRoot(claims));
  t.equal(new Set(roots).size, roots.length);
  t.end();
});
