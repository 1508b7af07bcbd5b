import t from 'tap';
import type { IpAddress } from '../../../agent/core/model.ts';
import { kindsOf, PHONE, PHONE_IP, Story, testChannel, WLAN0 } from './support/story.ts';

t.test('usage grows by what the counters grew, and the guest is told', (t) => {
  const story = new Story();
  const id = story.paid();
  t.same(story.counted(id, 500n), [{ kind: 'notify', mac: PHONE }]);
  t.same(story.counted(id, 500n), [], 'nothing new, nobody told');
  story.counted(id, 40n, `up:${PHONE}`);
  t.match(story.state.sessions.get(id)?.usage, { downBytes: 500n, upBytes: 40n });
  t.same(story.counted(99, 500n), [], 'a session unknown to the core is not made up');
  t.end();
});

t.test('several counters of one session are one change', (t) => {
  const story = new Story();
  const id = story.paid();
  const reading = (address: string, bytes: bigint) => ({
    sessionId: id,
    key: `down:${address as IpAddress}` as const,
    bytes,
    packets: 0n,
  });
  t.same(kindsOf(story.send({ kind: 'counters-read', counters: [reading(PHONE_IP, 5n), reading('fd00::1', 6n)] })), [
    'notify',
  ]);
  t.equal(story.state.sessions.get(id)?.usage.downBytes, 11n);
  t.end();
});

t.test('a counter that is gone leaves its bytes, not its name, and that is written down', (t) => {
  const story = new Story();
  const id = story.paid();
  story.counted(id, 500n);
  const key = `down:${PHONE_IP}` as const;
  const last = { sessionId: id, key, bytes: 700n, packets: 0n, isLast: true as const };
  t.ok(kindsOf(story.send({ kind: 'reconciled', served: new Set([id]), counters: [last] })).includes('store-sessions'));
  t.equal(story.state.sessions.get(id)?.counters.size, 0);
  t.equal(story.state.sessions.get(id)?.usage.downBytes, 700n);
  story.counted(id, 3n);
  t.equal(story.state.sessions.get(id)?.usage.downBytes, 703n, 'made anew, it begins at 0');
  t.end();
});

t.test('usage goes to the journal by amount or by time, and only what is new', (t) => {
  const story = new Story();
  const id = story.paid();
  t.same(kindsOf(story.counted(id, 999_999n)), ['notify']);
  t.same(kindsOf(story.counted(id, 1_000_000n)), ['notify', 'store-sessions']);
  story.send({ kind: 'usage-stored', sessionIds: [id, 99] });
  t.same(kindsOf(story.counted(id, 1_000_001n)), ['notify']);
  story.nowMs += 60_000;
  t.same(kindsOf(story.counted(id, 1_000_002n)), ['notify', 'store-sessions']);
  t.end();
});

t.test('used up: held, stored, logged with value and threshold', (t) => {
  const story = new Story();
  const id = story.paid();
  const actions = story.counted(id, 100_000_000n - 1_499n);
  t.ok(kindsOf(actions).includes('reconcile'));
  t.match(
    actions.find(({ kind }) => kind === 'log'),
    {
      event: 'credit-used-up',
      details: { session: id, limitBytes: 100_000_000n, usedBytes: 99_998_501n },
    },
  );
  t.equal(story.state.sessions.get(id)?.depletedAtMs, story.nowMs);
  t.equal(story.state.channels.get(testChannel().id)?.phase, 'grace');
  t.end();
});

t.test('the kernel is believed within a packet, and made anew beyond', (t) => {
  const story = new Story();
  const id = story.paid();
  story.counted(id, 100_000_000n - 65_537n);
  t.same(story.send({ kind: 'depleted', sessionId: id }), [{ kind: 'reconcile' }]);
  story.counted(id, 100_000_000n - 65_536n);
  t.ok(kindsOf(story.send({ kind: 'depleted', sessionId: id })).includes('log'));
  t.same(story.send({ kind: 'depleted', sessionId: id }), [], 'held once');
  t.same(story.send({ kind: 'depleted', sessionId: 99 }), []);
  t.end();
});

t.test('a trial that runs dry is held too', (t) => {
  const story = new Story();
  story.send({ kind: 'trial-started', mac: PHONE, bytes: 1_000_000n, dayS: 0n });
  t.ok(kindsOf(story.counted(1, 1_000_000n)).includes('log'));
  t.equal(story.state.sessions.get(1)?.depletedAtMs, story.nowMs);
  t.end();
});

t.test('a guest who sends is there: the wait for an absent one begins anew', (t) => {
  const story = new Story();
  const id = story.paid();
  story.send({ kind: 'station-left', mac: PHONE, port: WLAN0 });
  story.nowMs += 100_000;
  story.counted(id, 5n);
  t.equal(story.state.sessions.get(id)?.absentSinceMs, story.nowMs - 100_000, 'downloads alone show nothing');
  story.counted(id, 5n, `up:${PHONE}`);
  t.equal(story.state.sessions.get(id)?.absentSinceMs, story.nowMs);
  t.end();
});
