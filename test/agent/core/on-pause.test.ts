import t from 'tap';
import { enforcementPlan } from '../../../agent/core/enforcement.ts';
import { judgePause } from '../../../agent/core/judge-pause.ts';
import { MAX_PAUSE_MS } from '../../../agent/core/limits.ts';
import { stateFromJournal } from '../../../agent/core/restore.ts';
import { guestView } from '../../../agent/core/view.ts';
import { restoreCase } from './support/restore-case.ts';
import { LAPTOP, NOW_S, PHONE, PHONE_IP, Story, testChannel, WLAN0 } from './support/story.ts';

/** 60 units a minute and 10 a megabyte: 1,050 units are the open fee and 1,000 seconds. */
const byTime = testChannel({ tariff: { unitsPerMb: 10n, unitsPerMinute: 60n } });
const grants = (story: Story) => enforcementPlan(story.state, story.config, story.nowMs).grants;
const onlineMs = (story: Story) => story.state.sessions.get(1)?.usage.onlineMs;

t.test(
  'the grant of a paused session lets nothing pass and its flows wait, and is the very one it was once it goes on',
  (t) => {
    const story = new Story();
    const id = story.paid();
    story.counted(id, 500n);
    const before = grants(story);
    t.equal(guestView(story.state, PHONE).isPaused, false);
    t.strictSame(story.send({ kind: 'session-paused', sessionId: id }), [
      { kind: 'reconcile' },
      { kind: 'store-sessions', sessionIds: [id] },
      { kind: 'log', event: 'session-paused', details: { session: id } },
      { kind: 'notify', mac: PHONE },
    ]);
    t.match(grants(story), [{ sessionId: id, isPaused: true, isOnline: false }]);
    t.match(guestView(story.state, PHONE), { isPaused: true, isOnline: false, phase: 'active', chargedUnits: 51n });
    t.strictSame(story.send({ kind: 'session-paused', sessionId: id }), [], 'paused already');
    t.equal(story.send({ kind: 'session-resumed', sessionId: id, mac: PHONE }).length, 4);
    t.strictSame(grants(story), before);
    t.match(guestView(story.state, PHONE), { isPaused: false, isOnline: true });
    t.strictSame(story.send({ kind: 'session-resumed', sessionId: id, mac: PHONE }), [], 'it runs already');
    t.end();
  },
);

t.test('time stands still to the millisecond, wherever between two ticks the pause begins and ends', (t) => {
  const story = new Story();
  const id = story.paid(byTime);
  story.wait(1_000);
  const before = onlineMs(story) ?? 0;
  story.nowMs += 300;
  story.send({ kind: 'session-paused', sessionId: id });
  t.equal(onlineMs(story), before + 300, 'the time before the pause is charged at once');
  story.wait(700);
  for (let minute = 0; minute < 30; minute++) story.wait(60_000);
  t.equal(onlineMs(story), before + 300);
  story.nowMs += 400;
  story.send({ kind: 'session-resumed', sessionId: id, mac: PHONE });
  story.wait(600);
  t.equal(onlineMs(story), before + 900, 'only what follows the pause');
  story.wait(1_000);
  t.equal(onlineMs(story), before + 1_900);
  t.end();
});

t.test('who pauses around each tick pays for all the time online', (t) => {
  const story = new Story();
  const id = story.paid(byTime);
  story.wait(0);
  const before = onlineMs(story) ?? 0;
  for (let second = 0; second < 60; second++) {
    story.nowMs += 990;
    story.send({ kind: 'session-paused', sessionId: id });
    story.wait(5);
    story.nowMs += 5;
    story.send({ kind: 'session-resumed', sessionId: id, mac: PHONE });
  }
  t.equal(onlineMs(story), before + 60 * 990);
  t.end();
});

t.test('a pause is for going away: the guest is not seen off, and is there again when it goes on', (t) => {
  const story = new Story();
  const id = story.paid();
  story.send({ kind: 'session-paused', sessionId: id });
  story.send({ kind: 'station-left', mac: PHONE, port: WLAN0 });
  story.wait(3_600_000);
  t.equal(story.state.sessions.get(id)?.ended, undefined);
  t.equal(story.state.sessions.get(id)?.stations.length, 1);
  story.send({ kind: 'session-resumed', sessionId: id, mac: PHONE });
  story.wait(1_000);
  t.equal(story.state.sessions.get(id)?.ended, undefined);
  t.equal(story.state.stations.get(PHONE)?.leftAtMs, undefined);
  story.send({ kind: 'session-paused', sessionId: id });
  story.send({ kind: 'session-resumed', sessionId: id, mac: LAPTOP });
  t.equal(grants(story).length, 1, 'also where no station of the device is known');
  t.end();
});

t.test('it ends by itself: after the longest pause, or when the channel nears its expiry', (t) => {
  const forgotten = new Story();
  forgotten.paid();
  forgotten.send({ kind: 'session-paused', sessionId: 1 });
  forgotten.wait(MAX_PAUSE_MS - 1);
  t.equal(forgotten.state.sessions.get(1)?.ended, undefined);
  forgotten.wait(1);
  t.equal(forgotten.state.sessions.get(1)?.ended, 'guest-left');
  const close = forgotten.reconciled().find(({ kind }) => kind === 'close-channel');
  t.match(close, { units: 50n }, 'the rest of the deposit goes back');
  t.strictSame(forgotten.send({ kind: 'session-paused', sessionId: 1 }), [], 'over is over');
  t.strictSame(forgotten.send({ kind: 'session-paused', sessionId: 9 }), []);
  const late = new Story();
  const config = { ...testChannel().config, expiry: NOW_S + 3_600n };
  late.paid(testChannel({ config }));
  late.send({ kind: 'session-paused', sessionId: 1 });
  late.wait(3_000_000);
  t.equal(late.state.sessions.get(1)?.ended, 'channel-expiring');
  t.end();
});

t.test('it is still paused after a restart, and its pause is counted anew', (t) => {
  const story = new Story();
  const id = story.paid();
  story.send({ kind: 'session-paused', sessionId: id });
  const after = new Story(story.config, stateFromJournal(restoreCase(story.state), 9_000, NOW_S));
  after.nowMs = 9_000;
  t.match(grants(after), [{ isPaused: true }]);
  t.equal(after.state.sessions.get(id)?.pausedAtMs, 9_000);
  after.wait(3_600_000);
  after.send({ kind: 'session-resumed', sessionId: id, mac: PHONE });
  after.wait(1_000);
  t.equal(grants(after)[0]?.isPaused, undefined);
  t.end();
});

t.test('what is used up is held for a top-up, not kept for later', (t) => {
  const byTheLastByte = new Story();
  const id = byTheLastByte.paid();
  byTheLastByte.send({ kind: 'session-paused', sessionId: id });
  byTheLastByte.counted(id, 100_000_000n, `down:${PHONE_IP}`);
  t.match(grants(byTheLastByte), [{ isOnline: false }], 'the last reading took all that was left');
  t.equal(guestView(byTheLastByte.state, PHONE).isPaused, undefined);
  const byTheLastSecond = new Story();
  byTheLastSecond.paid(testChannel({ tariff: { unitsPerMb: 10n, unitsPerMinute: 6_000n } }));
  byTheLastSecond.wait(0);
  byTheLastSecond.nowMs += 9_999;
  byTheLastSecond.send({ kind: 'session-paused', sessionId: 1 });
  t.not(byTheLastSecond.state.sessions.get(1)?.depletedAtMs, undefined);
  t.equal(byTheLastSecond.state.sessions.get(1)?.pausedAtMs, undefined);
  t.end();
});

t.test('only a paid session with something left can be paused', (t) => {
  const story = new Story();
  t.match(judgePause(story.state, PHONE), { ok: false, reason: 'unknown-guest' });
  story.send({ kind: 'trial-started', mac: PHONE, bytes: 9_000n, dayS: 0n });
  t.match(judgePause(story.state, PHONE), { ok: false, reason: 'channel-not-open', got: 'a trial' });
  t.equal(guestView(story.state, PHONE).isPaused, undefined);
  const id = story.paid();
  t.match(judgePause(story.state, PHONE), { ok: true, session: { id } });
  story.counted(id, 200_000_000n);
  t.match(judgePause(story.state, PHONE), { ok: false, reason: 'channel-not-open', got: 'grace' });
  story.send({ kind: 'session-left', sessionId: id, reason: 'owner' });
  t.match(judgePause(story.state, PHONE), { ok: false, reason: 'unknown-guest' });
  t.end();
});
