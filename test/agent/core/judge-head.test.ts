import t from 'tap';
import { judgeHead } from '../../../agent/core/judge-head.ts';
import type { Hex } from '../../../protocol/hex.ts';

const A: Hex = `0x${'aa'.repeat(32)}`;
const B: Hex = `0x${'bb'.repeat(32)}`;
const head = (seq: bigint, digest: Hex, epoch = 100n) => ({ proof: { seq, epoch }, digest });
const own = (nextSeq: bigint, digest?: Hex) => ({ nextSeq, digestOf: () => digest });

t.test('a collector that knows nothing, or what the journal knows, changes nothing', (t) => {
  t.strictSame(judgeHead(own(0n), undefined, 100n), { kind: 'in-step' });
  t.strictSame(judgeHead(own(9n, A), head(4n, A), 100n), { kind: 'in-step' });
  t.strictSame(judgeHead(own(9n), head(4n, A), 100n), { kind: 'in-step' }, 'forgotten: too old to tell');
  t.end();
});

t.test('a proof that the journal does not have is a fork: on after it, in an epoch never signed for', (t) => {
  const forked = { kind: 'forked', nextSeq: 9n, prev: A };
  t.strictSame(judgeHead(own(8n), head(8n, A), 100n), { ...forked, minEpoch: 101n });
  t.strictSame(judgeHead(own(0n), head(8n, A), 100n), { ...forked, minEpoch: 101n }, 'an empty journal');
  t.strictSame(
    judgeHead(own(20n, B), head(8n, A), 100n),
    { ...forked, minEpoch: 101n },
    'another proof of that number',
  );
  t.strictSame(judgeHead(own(8n), head(8n, A, 300n), 100n), { ...forked, minEpoch: 301n }, 'a second fork in a week');
  t.end();
});
