/** Deposits that payers promise to make by their own wallets: free of gas, and bounded all the same. */
import t from 'tap';
import { MAX_OPENS_PER_HOUR, MAX_PENDING_PULLS, MAX_PENDING_PULLS_PER_MAC } from '../../../agent/core/limits.ts';
import type { Mac } from '../../../agent/core/model.ts';
import { judgeOpenLimits } from '../../../agent/core/open-limits.ts';
import { isPendingPull, judgePulls } from '../../../agent/core/pending-pulls.ts';
import { sessionOfMac } from '../../../agent/core/state.ts';
import type { Hex } from '../../../protocol/hex.ts';
import { DEVICE, PHONE, Story, testChannel } from './support/story.ts';

const PATIENCE_MS = 900_000;
const macOf = (n: number) => `02:66:00:00:00:${n.toString(16).padStart(2, '0')}` as Mac;
const idOf = (n: number) => `0x${(n + 1).toString(16).padStart(64, '0')}` as Hex;

function promise(story: Story, n: number, mac = macOf(n)): void {
  story.nowMs += 1_000;
  story.send({ kind: 'channel-opening', mac, channel: testChannel({ id: idOf(n) }), patienceMs: PATIENCE_MS });
}

function leave(story: Story, mac: Mac): void {
  const session = sessionOfMac(story.state, mac);
  if (session !== undefined) story.send({ kind: 'session-left', sessionId: session.id, reason: 'guest-left' });
}

const phases = (story: Story, ...all: readonly number[]) => all.map((n) => story.state.channels.get(idOf(n))?.phase);

t.test('what nobody relays takes nothing of the gas that opens may cost', (t) => {
  const story = new Story();
  for (let n = 0; n < MAX_OPENS_PER_HOUR; n++) promise(story, n);
  t.same(story.state.opens, []);
  t.equal(judgeOpenLimits(story.state, DEVICE, PHONE, story.nowMs), undefined);
  story.send({ kind: 'channel-opening', mac: PHONE, channel: testChannel({ id: idOf(999) }) });
  t.equal(story.state.opens.length, 1, 'a relayed one does');
  t.end();
});

t.test('one device promises a few at a time, whether it stays or leaves', (t) => {
  const story = new Story();
  for (let n = 0; n < MAX_PENDING_PULLS_PER_MAC; n++) {
    t.equal(judgePulls(story.state, PHONE), undefined);
    promise(story, n, PHONE);
    leave(story, PHONE);
  }
  t.match(judgePulls(story.state, PHONE), { reason: 'too-many-opens', expected: /^3 promised/, got: '4' });
  t.equal(judgePulls(story.state, macOf(9)), undefined);
  story.send({ kind: 'channel-failed', channelId: idOf(0) });
  t.equal(judgePulls(story.state, PHONE), undefined, 'one was given up');
  t.end();
});

t.test('the oldest makes room, and who has left before who still waits', (t) => {
  const story = new Story();
  for (let n = 0; n < MAX_PENDING_PULLS; n++) promise(story, n);
  t.same(phases(story, 0, MAX_PENDING_PULLS - 1), ['pending', 'pending']);
  promise(story, 100);
  t.same(phases(story, 0, 1, 100), ['failed', 'pending', 'pending']);
  const [given] = [...story.state.channels.values()];
  t.equal(given?.nextCloseMs, story.nowMs, 'it is looked for once more, and then forgotten');
  leave(story, macOf(7));
  leave(story, macOf(5));
  promise(story, 101);
  t.same(phases(story, 1, 5, 7), ['pending', 'failed', 'pending']);
  t.end();
});

t.test('a pull is a promise that was never seen on chain', (t) => {
  const channel = { ...testChannel(), closeAttempts: 0, nextCloseMs: 5 };
  t.ok(isPendingPull(channel));
  t.notOk(isPendingPull({ ...channel, nextCloseMs: 0 }), 'relayed');
  t.notOk(isPendingPull({ ...channel, deposit: 1n }), 'rolled back');
  t.notOk(isPendingPull({ ...channel, phase: 'active' }));
  t.end();
});
