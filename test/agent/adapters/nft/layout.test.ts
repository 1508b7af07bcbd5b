/** Names in the kernel hold numbers only, and read back as what was written. */
import fc from 'fast-check';
import t from 'tap';
import {
  baseFromComment,
  commentFromBase,
  isRateName,
  jsonFromBytes,
  parseQuotaName,
  quotaName,
  rateName,
} from '../../../../agent/adapters/nft/layout.ts';

const anySession = fc.integer({ min: 1, max: 999_999_999_999_999 });
const anyBytes = fc.bigInt({ min: 0n, max: 10n ** 19n - 1n });

t.test('a quota’s name reads back as its session and round', (t) => {
  fc.assert(
    fc.property(anySession, anySession, (sessionId, round) => {
      t.same(parseQuotaName(quotaName(sessionId, round)), { sessionId, round });
    }),
  );
  t.end();
});

t.test('a name that is not one of our quotas is not read as one', (t) => {
  for (const name of [
    '',
    'q',
    'q1',
    'q1_',
    'q_1',
    'Q1_1',
    'q1_1 ',
    'q1_1;accept',
    'q-1_1',
    'q1_1\n',
    'q1234567890123456_1',
  ])
    t.equal(parseQuotaName(name), undefined, JSON.stringify(name));
  t.end();
});

t.test('a counter’s comment reads back as its base, and stays within what nft stores', (t) => {
  fc.assert(
    fc.property(anySession, anyBytes, anyBytes, (sessionId, bytes, packets) => {
      const comment = commentFromBase({ sessionId, bytes, packets });
      t.same(baseFromComment(comment), { sessionId, bytes, packets });
      t.ok(comment.length < 128);
    }),
  );
  t.end();
});

t.test('a comment of somebody else is no base', (t) => {
  for (const comment of ['', '1 2', '1 2 3 4', '1  2 3', '-1 2 3', '1 2 3\n', '1 2 x', '1 0x2 3', '1.5 2 3'])
    t.equal(baseFromComment(comment), undefined, JSON.stringify(comment));
  t.end();
});

t.test('names of rates are known as such, others are not', (t) => {
  t.equal(rateName('up', 7, 125_000n), 'up7_125000');
  t.ok(isRateName(rateName('up', 7, 125_000n)));
  t.ok(isRateName(rateName('down', 7, 1n)));
  for (const name of ['left7_1', 'up_1', 'up7', 'up7_1;drop', 'q7_1']) t.notOk(isRateName(name), name);
  t.end();
});

t.test('bytes beyond what JSON carries exactly become the largest that it does', (t) => {
  t.equal(jsonFromBytes(0n), 0);
  t.equal(jsonFromBytes(BigInt(Number.MAX_SAFE_INTEGER)), Number.MAX_SAFE_INTEGER);
  t.equal(jsonFromBytes(1n << 64n), Number.MAX_SAFE_INTEGER);
  t.end();
});
