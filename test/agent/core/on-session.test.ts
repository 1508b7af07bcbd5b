import t from 'tap';
import { MAX_STATIONS_PER_SESSION } from '../../../agent/core/limits.ts';
import type { Mac } from '../../../agent/core/model.ts';
import { kindsOf, LAPTOP, PHONE, Story, testChannel, WLAN0, WLAN1 } from './support/story.ts';

const dayS = 0n;

t.test('a trial starts a session with its free bytes', (t) => {
  const story = new Story();
  t.same(kindsOf(story.send({ kind: 'trial-started', mac: PHONE, bytes: 7n, dayS })), [
    'reconcile',
    'store-sessions',
    'notify',
  ]);
  t.match(story.state.sessions.get(1), { trialBytes: 7n, usage: { downBytes: 0n } });
  t.same(story.state.trials.get(PHONE), { dayS, usedBytes: 7n });
  story.send({ kind: 'session-left', sessionId: 1, reason: 'guest-left' });
  story.reconciled();
  story.send({ kind: 'trial-started', mac: PHONE, bytes: 7n, dayS });
  t.same(story.state.trials.get(PHONE), { dayS, usedBytes: 14n });
  t.equal(story.state.sessionByMac.get(PHONE), 2, 'ids are not used again');
  t.end();
});

t.test('what was used on earlier days is forgotten with the first trial of a new day', (t) => {
  const story = new Story();
  story.send({ kind: 'trial-started', mac: PHONE, bytes: 7n, dayS });
  story.send({ kind: 'trial-started', mac: LAPTOP, bytes: 7n, dayS: 86_400n });
  t.same([...story.state.trials.keys()], [LAPTOP]);
  t.end();
});

t.test('a trial that ends leaves no trace once the kernel has let go of it', (t) => {
  const story = new Story();
  story.send({ kind: 'trial-started', mac: PHONE, bytes: 7n, dayS });
  t.same(kindsOf(story.send({ kind: 'session-left', sessionId: 1, reason: 'owner' })), [
    'reconcile',
    'store-sessions',
    'notify',
  ]);
  t.same(story.send({ kind: 'session-left', sessionId: 1, reason: 'owner' }), [], 'ending twice is once');
  t.same(story.reconciled([1]), [], 'not while the kernel still serves it');
  t.same(story.reconciled(), [{ kind: 'forget-session', sessionId: 1 }]);
  t.equal(story.state.sessions.size, 0);
  t.notOk(story.state.sessionByMac.has(PHONE));
  t.end();
});

t.test('a second device that proves the key joins the session and leaves its own', (t) => {
  const story = new Story();
  const id = story.paid();
  story.send({ kind: 'trial-started', mac: LAPTOP, bytes: 7n, dayS });
  const actions = story.send({ kind: 'station-attached', mac: LAPTOP, channelId: testChannel().id });
  t.ok(kindsOf(actions).includes('reconcile'));
  t.equal(story.state.sessionByMac.get(LAPTOP), id);
  t.same(
    story.state.sessions.get(id)?.stations.map(({ mac }) => mac),
    [PHONE, LAPTOP],
  );
  t.equal(story.state.sessions.get(2)?.ended, 'guest-left');
  t.same(story.send({ kind: 'station-attached', mac: LAPTOP, channelId: testChannel().id }), []);
  t.same(story.send({ kind: 'station-attached', mac: LAPTOP, channelId: `0x${'00'.repeat(32)}` }), []);
  t.end();
});

t.test('the station that was there first makes room when too many attach', (t) => {
  const story = new Story();
  const id = story.paid();
  for (let i = 0; i < MAX_STATIONS_PER_SESSION; i++) {
    story.send({ kind: 'station-attached', mac: `02:00:00:00:01:0${i}` as Mac, channelId: testChannel().id });
  }
  t.equal(story.state.sessions.get(id)?.stations.length, MAX_STATIONS_PER_SESSION);
  t.notOk(story.state.sessionByMac.has(PHONE));
  t.end();
});

t.test('a phone that left and proves the key under another MAC takes the session with it', (t) => {
  const story = new Story();
  const id = story.paid();
  story.counted(id, 40_000_000n);
  story.send({ kind: 'station-left', mac: PHONE, port: WLAN0 });
  const before = story.state.sessions.get(id);
  t.same(story.send({ kind: 'station-attached', mac: LAPTOP, channelId: testChannel().id }), [
    { kind: 'reconcile' },
    { kind: 'store-sessions', sessionIds: [id] },
    { kind: 'notify', mac: PHONE },
    { kind: 'notify', mac: LAPTOP },
  ]);
  t.match(story.state.sessions.get(id), {
    stations: [{ mac: LAPTOP }],
    usage: before?.usage,
    absentSinceMs: undefined,
  });
  t.notOk(story.state.sessionByMac.has(PHONE), 'the old MAC carries no credit');
  story.send({ kind: 'station-joined', mac: PHONE, port: WLAN1 });
  t.equal(story.state.sessions.get(id)?.stations.length, 1);
  story.send({ kind: 'station-attached', mac: PHONE, channelId: testChannel().id });
  t.equal(story.state.sessionByMac.get(PHONE), id, 'unless it proves the key again');
  t.end();
});

t.test('who proves the key is there, even if hostapd’s word of its return was missed', (t) => {
  const story = new Story();
  const id = story.paid();
  story.send({ kind: 'station-joined', mac: LAPTOP, port: WLAN0 });
  story.send({ kind: 'station-left', mac: LAPTOP, port: WLAN0 });
  story.send({ kind: 'station-attached', mac: LAPTOP, channelId: testChannel().id });
  story.wait(700_000);
  t.equal(story.state.sessions.get(id)?.stations.length, 2);
  t.end();
});

t.test(
  'of two devices one may leave for good: the session goes on, and the MAC of the gone one carries nothing',
  (t) => {
    const story = new Story();
    const id = story.paid();
    story.send({ kind: 'station-joined', mac: LAPTOP, port: WLAN0 });
    story.send({ kind: 'station-attached', mac: LAPTOP, channelId: testChannel().id });
    story.send({ kind: 'station-left', mac: PHONE, port: WLAN0 });
    t.equal(story.state.sessions.get(id)?.absentSinceMs, undefined, 'one is still there');
    t.same(story.wait(600_000), [], 'a nap costs nothing');
    t.same(story.wait(1), [
      { kind: 'reconcile' },
      { kind: 'store-sessions', sessionIds: [id] },
      { kind: 'notify', mac: PHONE },
    ]);
    t.notOk(story.state.sessionByMac.has(PHONE));
    t.match(story.state.sessions.get(id), { stations: [{ mac: LAPTOP }], ended: undefined });
    story.send({ kind: 'station-left', mac: LAPTOP, port: WLAN0 });
    story.wait(600_000);
    t.equal(story.state.sessions.get(id)?.ended, 'guest-left', 'the last one ends it');
    t.end();
  },
);
