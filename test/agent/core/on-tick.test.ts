import t from 'tap';
import { MAX_SETTLED_SESSIONS, TIME_RESERVE_MS } from '../../../agent/core/limits.ts';
import type { Mac } from '../../../agent/core/model.ts';
import { guestView } from '../../../agent/core/view.ts';
import { kindsOf, NOW_S, PHONE, Story, testChannel, testConfig, testVoucher, WLAN0 } from './support/story.ts';

const { id: channelId } = testChannel();
/** 60 units a minute = 1 a second, no price per MB. */
const byTime = testChannel({
  tariff: { unitsPerMb: 0n, unitsPerMinute: 60n },
  voucher: { ...testChannel().voucher, amount: 80n },
});

t.test('online time is charged while something is left, and a late tick never charges beyond the reserve', (t) => {
  const story = new Story();
  const id = story.paid(byTime);
  story.wait(1_000);
  t.equal(story.state.sessions.get(id)?.usage.onlineMs, 1_000);
  story.wait(3_600_000);
  t.equal(story.state.sessions.get(id)?.usage.onlineMs, 1_000 + TIME_RESERVE_MS);
  t.same(story.wait(0), [], 'no time, no change');
  t.end();
});

t.test('neither the time of the free trial nor the wait for the open is charged', (t) => {
  const tariff = { unitsPerMb: 0n, unitsPerMinute: 100n };
  const story = new Story();
  story.send({ kind: 'trial-started', mac: PHONE, bytes: 1_000_000n, trialMs: 1_800_000, dayS: 0n });
  for (let i = 0; i < 20 * 60; i++) story.wait(1_000);
  const channel = testChannel({ tariff, voucher: testVoucher(3_050n) });
  story.send({ kind: 'channel-opening', mac: PHONE, channel, patienceMs: 900_000 });
  for (let i = 0; i < 5 * 60; i++) story.wait(1_000);
  story.nowMs += 700;
  story.send({ kind: 'channel-confirmed', channelId, deposit: 10_000n });
  const charged = () => guestView(story.state, PHONE).chargedUnits;
  t.equal(charged(), 50n, 'the open fee alone');
  t.match(guestView(story.state, PHONE), { onlineMs: 25 * 60_000, secondsRemaining: 1_800 });
  story.wait(300);
  t.equal(charged(), 51n, 'three tenths of a second, rounded up');
  for (let i = 0; i < 29 * 60; i++) story.wait(1_000);
  t.equal(guestView(story.state, PHONE).isOnline, true);
  t.equal(charged(), 2_951n, 'thirty minutes are thirty minutes');
  t.equal(guestView(story.state, PHONE).onlineMs, 54 * 60_000 + 300, 'shown: all of it');
  t.end();
});

t.test('a time-priced session is refreshed in the kernel every few seconds, and held when its time is over', (t) => {
  const story = new Story();
  const id = story.paid(byTime);
  story.nowMs = 5_000;
  story.wait(0);
  t.same(kindsOf(story.wait(1_000)), []);
  t.same(kindsOf(story.wait(4_000)), ['reconcile', 'notify']);
  for (let i = 0; i < 30 && story.state.sessions.get(id)?.depletedAtMs === undefined; i++) story.wait(1_000);
  const session = story.state.sessions.get(id);
  t.ok(session?.depletedAtMs, '30 units are 30 seconds, less the reserve');
  t.ok((session?.usage.onlineMs ?? 0) <= 30_000);
  const before = session?.usage.onlineMs;
  story.wait(1_000);
  t.equal(story.state.sessions.get(id)?.usage.onlineMs, before, 'a held guest is not online');
  t.end();
});

t.test('when the grace time is over the kernel is told; a top-up is still welcome', (t) => {
  const story = new Story();
  const id = story.paid();
  story.counted(id, 100_000_000n);
  t.same(story.wait(29_999), []);
  t.same(kindsOf(story.wait(1)), ['reconcile', 'notify']);
  t.equal(story.state.sessions.get(id)?.ended, undefined);
  t.same(story.wait(1), []);
  t.end();
});

t.test('a used-up trial ends with its grace time', (t) => {
  const story = new Story();
  story.send({ kind: 'trial-started', mac: PHONE, bytes: 1_000_000n, dayS: 0n });
  t.same(story.wait(1_000), []);
  story.counted(1, 1_000_000n);
  story.wait(30_000);
  t.equal(story.state.sessions.get(1)?.ended, 'trial-exhausted');
  t.end();
});

t.test('a guest who is gone long enough has left', (t) => {
  const story = new Story();
  const id = story.paid();
  story.send({ kind: 'station-left', mac: PHONE, port: WLAN0 });
  story.wait(599_999);
  t.equal(story.state.sessions.get(id)?.ended, undefined);
  story.wait(1);
  t.equal(story.state.sessions.get(id)?.ended, 'guest-left');
  t.end();
});

t.test('a channel near its expiry is closed, unless the clock is not trusted', (t) => {
  const story = new Story();
  const id = story.paid();
  const nearS = testChannel().config.expiry - 600n;
  story.send({ kind: 'tick', nowS: 0n });
  story.send({ kind: 'tick', nowS: nearS - 1n });
  t.equal(story.state.sessions.get(id)?.ended, undefined);
  story.send({ kind: 'tick', nowS: nearS });
  t.equal(story.state.sessions.get(id)?.ended, 'channel-expiring');
  t.end();
});

t.test('settled sessions are kept for a last look, and dropped when there are too many', (t) => {
  const story = new Story(testConfig());
  for (let i = 0; i <= MAX_SETTLED_SESSIONS; i++) {
    const mac =
      `02:00:00:01:${(i >> 8).toString(16).padStart(2, '0')}:${(i & 255).toString(16).padStart(2, '0')}` as Mac;
    const id = `0x${i.toString(16).padStart(64, '0')}` as const;
    const sessionId = story.paid(
      testChannel({ id, openFee: 0n, voucher: { ...testChannel().voucher, channelId: id } }),
      mac,
    );
    story.send({ kind: 'session-left', sessionId, reason: 'guest-left' });
    story.reconciled();
    story.send({ kind: 'channel-closed', channelId: id, units: 0n, tx: channelId });
  }
  t.equal(story.state.sessions.size, MAX_SETTLED_SESSIONS + 1);
  story.wait(1_000);
  t.equal(story.state.sessions.size, MAX_SETTLED_SESSIONS);
  t.notOk(story.state.sessions.has(1), 'the oldest went');
  t.equal(story.state.channels.size, MAX_SETTLED_SESSIONS);
  t.ok(NOW_S);
  t.end();
});
