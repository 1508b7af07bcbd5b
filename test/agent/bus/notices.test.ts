import t from 'tap';
import { noticesBetween } from '../../../agent/bus/notices.ts';
import type { AgentState } from '../../../agent/core/state.ts';
import { PHONE, Story, testChannel, testVoucher } from '../core/support/story.ts';

/** The kinds of what subscribers hear of `act`, event by event. */
function heard(story: Story, act: () => void): readonly string[] {
  const before: AgentState = story.state;
  act();
  return noticesBetween(before, story.state).map(({ kind }) => kind);
}

t.test('a trial begins, runs low once, and ends', (t) => {
  const story = new Story();
  const trial = () => story.send({ kind: 'trial-started', mac: PHONE, bytes: 1_000_000n, dayS: 0n });
  t.same(heard(story, trial), ['session.start']);
  t.same(
    heard(story, () => story.counted(1, 899_999n)),
    [],
  );
  t.same(
    heard(story, () => story.counted(1, 900_000n)),
    ['session.low'],
  );
  t.same(
    heard(story, () => story.counted(1, 950_000n)),
    [],
    'once is enough',
  );
  const before = story.state;
  story.send({ kind: 'session-left', sessionId: 1, reason: 'owner' });
  t.match(noticesBetween(before, story.state), [{ kind: 'session.end', reason: 'owner', session: { id: 1 } }]);
  t.same(
    heard(story, () => story.reconciled()),
    [],
    'forgotten, which nobody needs to hear',
  );
  t.end();
});

t.test('a payment is told when the money is there, with what it added', (t) => {
  const story = new Story();
  const channel = testChannel();
  t.same(
    heard(story, () => story.send({ kind: 'channel-opening', mac: PHONE, channel })),
    ['session.start'],
    'a session that waits for its deposit has nothing that could be low',
  );
  const opened = story.state;
  story.send({ kind: 'channel-confirmed', channelId: channel.id, deposit: 10_000n });
  t.match(noticesBetween(opened, story.state), [{ kind: 'payment', paidUnits: 1_050n, channel: { id: channel.id } }]);
  const paid = story.state;
  story.send({ kind: 'vouchers-stored', vouchers: [testVoucher(1_500n)] });
  t.match(noticesBetween(paid, story.state), [{ kind: 'payment', paidUnits: 450n }]);
  t.end();
});

t.test('low again after a top-up is told again', (t) => {
  const story = new Story();
  const id = story.paid();
  t.same(
    heard(story, () => story.counted(id, 95_000_000n)),
    ['session.low'],
  );
  t.same(
    heard(story, () => story.send({ kind: 'vouchers-stored', vouchers: [testVoucher(9_050n)] })),
    ['payment'],
  );
  t.same(
    heard(story, () => story.counted(id, 890_000_000n)),
    ['session.low'],
  );
  t.end();
});

t.test('a failed open is the end of its session and no payment', (t) => {
  const story = new Story();
  const channel = testChannel();
  story.send({ kind: 'channel-opening', mac: PHONE, channel });
  t.same(
    heard(story, () => story.send({ kind: 'channel-failed', channelId: channel.id })),
    ['session.end'],
  );
  t.end();
});

t.test('a proof that was stored is told', (t) => {
  const story = new Story();
  const store = () =>
    story.send({ kind: 'proof-stored', seq: 0n, digest: `0x${'aa'.repeat(32)}`, endS: 1n, proven: new Map() });
  t.same(heard(story, store), ['proof']);
  t.same(
    heard(story, () => story.wait(1_000)),
    [],
  );
  t.end();
});
