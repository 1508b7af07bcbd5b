import t from 'tap';
import { openShares } from '../../../agent/core/open-shares.ts';
import { PHONE, Story, testChannel, testVoucher } from './support/story.ts';

const { id: channelId } = testChannel();
const digest = `0x${'dd'.repeat(32)}` as const;
const tx = `0x${'0b'.repeat(32)}` as const;

t.test('shares are what is not proven yet: bytes and units, paid sessions only', (t) => {
  const story = new Story();
  story.send({ kind: 'trial-started', mac: PHONE, bytes: 7n, dayS: 0n });
  story.counted(1, 5n);
  t.same(openShares(story.state), [], 'a trial has no channel to name');
  story.send({ kind: 'channel-opening', mac: PHONE, channel: testChannel() });
  t.same(openShares(story.state), [], 'nor has a pending one');
  story.send({ kind: 'channel-confirmed', channelId, deposit: 10_000n });
  t.match(openShares(story.state), [{ downBytes: 5n, upBytes: 0n, units: 50n }]);
  t.end();
});

t.test('a stored proof moves the chain and the marks, so that nothing is proven twice', (t) => {
  const story = new Story();
  const id = story.paid();
  story.counted(id, 1_000_000n);
  const proven = new Map([[id, { downBytes: 1_000_000n, upBytes: 0n, units: 60n }]]);
  t.same(story.send({ kind: 'proof-stored', seq: 0n, digest, endS: 9n, proven }), []);
  t.match(story.state.proofs, { nextSeq: 1n, prev: digest, startedMs: story.nowMs, startedS: 9n });
  t.same(openShares(story.state), []);
  story.counted(id, 1_000_001n);
  t.match(openShares(story.state), [{ downBytes: 1n, units: 1n }]);
  t.end();
});

t.test('an interval may be drafted now and signed later; the chain moves only when it is signed', (t) => {
  const story = new Story();
  const id = story.paid();
  story.counted(id, 1_000_000n);
  const proven = new Map([[id, { downBytes: 1_000_000n, upBytes: 0n, units: 60n }]]);
  const before = story.state.proofs;
  t.same(story.send({ kind: 'interval-drafted', endS: 9n, proven }), []);
  t.match(story.state.proofs, { nextSeq: before.nextSeq, prev: before.prev, startedMs: story.nowMs, startedS: 9n });
  t.same(openShares(story.state), [], 'marked, so that nothing is proven twice');
  t.same(story.send({ kind: 'proof-sealed', seq: 0n, digest }), []);
  t.match(story.state.proofs, { nextSeq: 1n, prev: digest, startedS: 9n });
  t.end();
});

t.test('a chain that the collector knows further goes on behind it, in an epoch not signed for', (t) => {
  const story = new Story();
  t.same(story.send({ kind: 'chain-rebased', nextSeq: 7n, prev: digest, minEpoch: 3n }), []);
  t.match(story.state.proofs, { nextSeq: 7n, prev: digest, minEpoch: 3n });
  t.end();
});

t.test('a session is forgotten when it is settled and fully proven, in whichever order', (t) => {
  const settledFirst = new Story();
  const id = settledFirst.paid();
  settledFirst.send({ kind: 'session-left', sessionId: id, reason: 'guest-left' });
  settledFirst.reconciled();
  settledFirst.send({ kind: 'channel-closed', channelId, units: 50n, tx });
  t.same(settledFirst.reconciled(), [], 'its open fee is not proven yet');
  const proven = new Map([[id, { downBytes: 0n, upBytes: 0n, units: 50n }]]);
  t.same(settledFirst.send({ kind: 'proof-stored', seq: 0n, digest, endS: 9n, proven }), [
    { kind: 'forget-session', sessionId: id },
  ]);
  t.same(settledFirst.reconciled(), [], 'forgotten once');
  t.ok(settledFirst.state.sessions.has(id), 'the guest may still look at the refund');

  const provenFirst = new Story();
  provenFirst.paid();
  provenFirst.send({ kind: 'session-left', sessionId: 1, reason: 'guest-left' });
  provenFirst.send({
    kind: 'proof-stored',
    seq: 0n,
    digest,
    endS: 9n,
    proven: new Map([...proven, [99, { downBytes: 0n, upBytes: 0n, units: 0n }]]),
  });
  provenFirst.reconciled();
  provenFirst.send({ kind: 'channel-closed', channelId, units: 50n, tx });
  t.same(provenFirst.reconciled(), [{ kind: 'forget-session', sessionId: 1 }]);
  t.end();
});

t.test('the units of a settled channel are those of its close, not of a voucher that came late', (t) => {
  const story = new Story();
  const id = story.paid();
  story.send({ kind: 'session-left', sessionId: id, reason: 'guest-left' });
  story.reconciled();
  story.send({ kind: 'vouchers-stored', vouchers: [testVoucher(9_000n)] });
  t.match(openShares(story.state), [{ units: 50n }]);
  t.end();
});
