import t from 'tap';
import { ABANDONED_AFTER_S } from '../../../agent/core/abandoned.ts';
import { carried, HOME, ID, SISTER, visited } from './support/hand-over.ts';
import { kindsOf, NOW_S, Story, testChannel, testVoucher } from './support/story.ts';

/** The phone's channel, given to a sister after 40 MB; by then the voucher stood at 1,050. */
function away(): { readonly story: Story; readonly sessionId: number } {
  const story = new Story();
  const sessionId = story.paid();
  story.counted(sessionId, 40_000_000n);
  story.send({ kind: 'hand-over-asked', channelId: ID, self: HOME, to: SISTER });
  story.reconciled();
  story.send({ kind: 'hand-over-delivered', channelId: ID, sequence: 1n });
  return { story, sessionId };
}

const OVER = testChannel().config.expiry + ABANDONED_AFTER_S;

t.test(
  'a channel that a sister never brings back is closed for what was earned here, an hour after its expiry',
  (t) => {
    const { story, sessionId } = away();
    const early = story.send({ kind: 'tick', nowS: OVER - 1n });
    t.notOk(kindsOf(early).includes('close-channel'));
    t.equal(story.state.channels.get(ID)?.phase, 'away');
    const actions = story.send({ kind: 'tick', nowS: OVER });
    t.match(
      actions.filter(({ kind }) => kind === 'close-channel'),
      [{ channelId: ID, units: 450n }],
    );
    t.match(
      actions.find(({ kind }) => kind === 'log'),
      { event: 'channel-abandoned', details: { channel: ID, phase: 'away' } },
    );
    t.equal(story.state.channels.get(ID)?.phase, 'closing');
    t.same(kindsOf(story.send({ kind: 'tick', nowS: OVER + 1n })).includes('close-channel'), false, 'once');
    const tx = `0x${'0b'.repeat(32)}` as const;
    story.send({ kind: 'channel-closed', channelId: ID, units: 450n, tx, feeWei: 7n });
    t.match(story.state.channels.get(ID), { phase: 'settled', closeUnits: 450n, gasWei: 7n });
    t.equal(story.state.sessions.get(sessionId)?.ended, 'moved');
    t.end();
  },
);

t.test('what was claimed before is neither claimed again nor given back', (t) => {
  const { story } = away();
  story.nowMs = 600_000;
  const nearExpiry = story.send({ kind: 'tick', nowS: testChannel().config.expiry - 60n });
  t.match(
    nearExpiry.filter(({ kind }) => kind === 'claim-channels'),
    [{ claims: [{ channelId: ID, units: 450n }] }],
  );
  story.send({ kind: 'channels-claimed', claims: [{ channelId: ID, units: 450n }], feeWei: 1n });
  const actions = story.send({ kind: 'tick', nowS: OVER });
  t.match(
    actions.filter(({ kind }) => kind === 'close-channel'),
    [{ units: 450n }],
  );
  t.end();
});

t.test('nothing is abandoned while the time is not known, nor what belongs to a sister', (t) => {
  const { story } = away();
  story.send({ kind: 'tick', nowS: 0n });
  t.equal(story.state.channels.get(ID)?.phase, 'away');
  const visitor = visited(carried());
  const sessionId = visitor.state.sessionByChannel.get(ID) as number;
  visitor.send({ kind: 'session-left', sessionId, reason: 'guest-left' });
  visitor.reconciled();
  t.equal(visitor.state.channels.get(ID)?.phase, 'away');
  t.notOk(kindsOf(visitor.send({ kind: 'tick', nowS: OVER })).includes('close-channel'));
  const orphan = away().story;
  orphan.state = { ...orphan.state, sessionByChannel: new Map() };
  t.notOk(
    kindsOf(orphan.send({ kind: 'tick', nowS: OVER })).includes('close-channel'),
    'without a session: no account',
  );
  t.end();
});

t.test('a channel that was rolled back and never seen again ends, whether its guest still waits or has left', (t) => {
  for (const hasLeft of [true, false]) {
    const story = new Story();
    const sessionId = story.paid();
    story.counted(sessionId, 40_000_000n);
    const seen = { deposit: 0n, claimed: 0n, exitAt: 0n, isClosed: false };
    story.send({ kind: 'channel-seen', channelId: ID, seen });
    t.equal(story.state.channels.get(ID)?.phase, 'pending');
    if (hasLeft) story.send({ kind: 'session-left', sessionId, reason: 'guest-left' });
    const actions = story.send({ kind: 'tick', nowS: OVER });
    const closing = hasLeft ? actions : story.reconciled();
    t.match(
      closing.filter(({ kind }) => kind === 'close-channel'),
      [{ channelId: ID, units: 450n }],
      'should the chain hold it after all, what it owes is claimed',
    );
  }
  t.end();
});

t.test('an open whose deposit never came is not closed: there is nothing to close', (t) => {
  const story = new Story();
  const config = { ...testChannel().config, expiry: NOW_S };
  story.send({ kind: 'channel-opening', mac: '02:00:00:00:00:01' as never, channel: testChannel({ config }) });
  const late = story.send({ kind: 'tick', nowS: NOW_S + ABANDONED_AFTER_S });
  t.notOk(kindsOf(late).includes('close-channel'));
  t.equal(story.state.channels.get(ID)?.voucher.amount, testVoucher(1_050n).amount);
  t.equal(story.state.channels.get(ID)?.phase, 'pending');
  t.end();
});
