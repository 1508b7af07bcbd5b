import t from 'tap';
import { judgeAttach, judgeChallenge } from '../../../agent/core/judge-attach.ts';
import { GUEST, LAPTOP, PAYEE, PHONE, Story, testChannel } from './support/story.ts';

const { id } = testChannel();
const second = testChannel({ id: `0x${'c2'.repeat(32)}` });

t.test('the running session of a key is found by its signer and by its channel', (t) => {
  const story = new Story();
  story.paid();
  t.match(judgeChallenge(story.state, GUEST), { ok: true, channel: { id } });
  t.match(judgeAttach(story.state, id), { ok: true, channel: { id } });
  t.end();
});

t.test('of two running sessions of one key the newer one is taken up', (t) => {
  const story = new Story();
  story.paid();
  story.paid(second, LAPTOP);
  t.match(judgeChallenge(story.state, GUEST), { ok: true, channel: { id: second.id } });
  const reordered = { ...story.state, channels: new Map([...story.state.channels].reverse()) };
  t.match(judgeChallenge(reordered, GUEST), { ok: true, channel: { id: second.id } });
  story.send({ kind: 'session-left', sessionId: 2, reason: 'guest-left' });
  t.match(judgeChallenge(story.state, GUEST), { ok: true, channel: { id } });
  t.end();
});

t.test('a used-up session can be taken up, to be topped up there', (t) => {
  const story = new Story();
  const session = story.paid();
  story.counted(session, 100_000_000n);
  t.equal(story.state.channels.get(id)?.phase, 'grace');
  t.match(judgeChallenge(story.state, GUEST), { ok: true, channel: { id } });
  t.end();
});

t.test('a key without a session here is told so', (t) => {
  const story = new Story();
  story.paid();
  t.same(judgeChallenge(story.state, PAYEE), {
    ok: false,
    reason: 'unknown-channel',
    expected: 'a running session paid with this key',
    got: 'none',
  });
  const other = `0x${'00'.repeat(32)}` as const;
  t.match(judgeAttach(story.state, other), { ok: false, reason: 'unknown-channel', got: other });
  t.end();
});

t.test('a payment on its way is waited for, not made a second time', (t) => {
  const story = new Story();
  story.send({ kind: 'channel-opening', mac: PHONE, channel: testChannel() });
  t.match(judgeChallenge(story.state, GUEST), { ok: false, reason: 'channel-not-open', got: 'pending' });
  t.match(judgeAttach(story.state, id), { ok: false, reason: 'channel-not-open', got: 'pending' });
  t.end();
});

t.test('a session that is over cannot be taken up: the rest is on its way back', (t) => {
  const story = new Story();
  story.paid();
  story.send({ kind: 'session-left', sessionId: 1, reason: 'guest-left' });
  t.match(judgeChallenge(story.state, GUEST), { ok: false, reason: 'unknown-channel' });
  t.match(judgeAttach(story.state, id), { ok: false, reason: 'channel-not-open', got: 'closing' });
  const failed = new Story();
  failed.send({ kind: 'channel-opening', mac: PHONE, channel: testChannel() });
  failed.send({ kind: 'channel-failed', channelId: id });
  t.match(judgeAttach(failed.state, id), { ok: false, reason: 'channel-not-open', got: 'failed' });
  t.end();
});
