import t from 'tap';
import { accountOf } from '../../../agent/core/account.ts';
import { openShares } from '../../../agent/core/open-shares.ts';
import { channelOfSession } from '../../../agent/core/state.ts';
import { PHONE, Story, testChannel } from './support/story.ts';

/** A phone with a channel of 1,050 units: the open fee and 100 MB. */
function paying(): Story {
  const story = new Story();
  const channel = testChannel();
  story.send({ kind: 'channel-opening', mac: PHONE, channel });
  story.send({ kind: 'channel-confirmed', channelId: channel.id, deposit: 10_000n });
  return story;
}

function account(story: Story) {
  const session = story.state.sessions.get(1);
  if (session === undefined) throw new Error('there is no session 1');
  return accountOf(session, channelOfSession(story.state, session));
}

t.test('a gift adds its bytes to what is left and charges nothing for them', (t) => {
  const story = paying();
  story.counted(1, 40_000_000n);
  const before = account(story);
  const actions = story.send({ kind: 'session-extended', dayS: 0n, sessionId: 1, bytes: 50_000_000n });
  t.strictSame(actions, [
    { kind: 'reconcile' },
    { kind: 'store-sessions', sessionIds: [1] },
    { kind: 'log', event: 'session-extended', details: { session: 1, givenBytes: 50_000_000n } },
    { kind: 'notify', mac: PHONE },
  ]);
  t.equal(account(story).remainingBytes, before.remainingBytes + 50_000_000n);
  story.counted(1, 150_000_000n);
  t.equal(account(story).chargedUnits, 1_050n, 'all of the credit is spent on the 100 MB that were paid');
  t.equal(account(story).remainingBytes, 0n);
  t.end();
});

t.test('what a traffic proof names stays charged, and the next proof names nothing twice', (t) => {
  const story = paying();
  story.counted(1, 40_000_000n);
  const [share] = openShares(story.state);
  t.equal(share?.units, 450n);
  const proven = new Map([[1, { downBytes: 40_000_000n, upBytes: 0n, units: 450n }]]);
  story.send({ kind: 'proof-stored', seq: 0n, digest: `0x${'aa'.repeat(32)}`, endS: 1n, proven });
  story.send({ kind: 'session-extended', dayS: 0n, sessionId: 1, bytes: 50_000_000n });
  t.equal(account(story).chargedUnits, 450n);
  story.counted(1, 90_000_000n);
  t.match(openShares(story.state), [{ downBytes: 50_000_000n, units: 0n }], 'the gift is proven as traffic, unpaid');
  story.counted(1, 100_000_000n);
  t.equal(account(story).chargedUnits, 550n, 'charged again once the gift is used');
  t.end();
});

t.test('a guest who is held for a top-up surfs on with a gift', (t) => {
  const story = paying();
  story.counted(1, 100_000_000n);
  t.equal([...story.state.channels.values()][0]?.phase, 'grace');
  story.send({ kind: 'session-extended', dayS: 0n, sessionId: 1, bytes: 100n });
  t.not(story.state.sessions.get(1)?.depletedAtMs, undefined, 'not even one packet fits into 100 bytes');
  story.send({ kind: 'session-extended', dayS: 0n, sessionId: 1, bytes: 5_000_000n });
  t.equal(story.state.sessions.get(1)?.depletedAtMs, undefined);
  t.equal([...story.state.channels.values()][0]?.phase, 'active');
  t.equal(account(story).remainingBytes, 5_000_100n);
  t.end();
});

t.test('a trial that is used up goes on with a gift too', (t) => {
  const story = new Story();
  story.send({ kind: 'trial-started', mac: PHONE, bytes: 1_000_000n, dayS: 0n });
  story.counted(1, 1_000_000n);
  t.not(story.state.sessions.get(1)?.depletedAtMs, undefined);
  story.send({ kind: 'session-extended', dayS: 0n, sessionId: 1, bytes: 3_000_000n });
  t.equal(story.state.sessions.get(1)?.depletedAtMs, undefined);
  t.equal(account(story).remainingBytes, 3_000_000n);
  t.end();
});

t.test('a session that is over, or was never there, takes no gift', (t) => {
  const story = paying();
  t.strictSame(story.send({ kind: 'session-extended', dayS: 0n, sessionId: 7, bytes: 1n }), []);
  story.send({ kind: 'session-left', sessionId: 1, reason: 'owner' });
  t.strictSame(story.send({ kind: 'session-extended', dayS: 0n, sessionId: 1, bytes: 1n }), []);
  t.equal(story.state.sessions.get(1)?.trialBytes, 0n);
  t.end();
});
