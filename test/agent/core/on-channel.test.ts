import t from 'tap';
import { CLOSE_RETRY_MAX_MS, CLOSE_RETRY_MIN_MS } from '../../../agent/core/limits.ts';
import { kindsOf, PHONE, PHONE_IP, Story, testChannel, testVoucher } from './support/story.ts';

const { id: channelId } = testChannel();
const tx = `0x${'0b'.repeat(32)}` as const;

t.test('an open turns the running trial into the paid session, and money counts only when confirmed', (t) => {
  const story = new Story();
  story.send({ kind: 'trial-started', mac: PHONE, bytes: 7n, dayS: 0n });
  t.same(kindsOf(story.send({ kind: 'channel-opening', mac: PHONE, channel: testChannel() })), [
    'reconcile',
    'store-sessions',
    'notify',
  ]);
  t.match(story.state.sessions.get(1), { channelId, trialBytes: 7n });
  t.same(kindsOf(story.send({ kind: 'channel-confirmed', channelId, deposit: 9n, tx })), [
    'store-channel',
    'reconcile',
    'notify',
  ]);
  t.match(story.state.channels.get(channelId), { phase: 'active', deposit: 9n, openTx: tx });
  t.same(story.send({ kind: 'channel-confirmed', channelId, deposit: 99n }), [], 'confirmed once');
  t.end();
});

t.test('an open by the payer’s own wallet is waited for as long as its patience', (t) => {
  const story = new Story();
  story.send({ kind: 'channel-opening', mac: PHONE, channel: testChannel(), patienceMs: 5_000 });
  t.equal(story.state.channels.get(channelId)?.nextCloseMs, story.nowMs + 5_000);
  t.end();
});

t.test('a failed open gives back the trial, or ends a session that had none', (t) => {
  const trial = new Story();
  trial.send({ kind: 'trial-started', mac: PHONE, bytes: 7n, dayS: 0n });
  trial.send({ kind: 'channel-opening', mac: PHONE, channel: testChannel() });
  t.same(kindsOf(trial.send({ kind: 'channel-failed', channelId })), ['store-channel', 'store-sessions', 'notify']);
  t.equal(trial.state.sessions.get(1)?.channelId, undefined);
  t.equal(trial.state.sessions.get(1)?.ended, undefined);
  const bare = new Story();
  bare.send({ kind: 'channel-opening', mac: PHONE, channel: testChannel() });
  bare.send({ kind: 'channel-failed', channelId });
  t.equal(bare.state.sessions.get(1)?.ended, 'open-failed');
  t.same(bare.send({ kind: 'channel-failed', channelId }), [], 'fails once');
  t.end();
});

t.test('an open that was refused before anything was sent counts for its MAC alone, and is looked for once', (t) => {
  for (const feeWei of [0n, 7n]) {
    const story = new Story();
    story.send({ kind: 'channel-opening', mac: PHONE, channel: testChannel() });
    story.send({ kind: 'channel-failed', channelId, feeWei });
    const isFree = feeWei === 0n;
    t.same(story.state.opens, [{ mac: PHONE, atMs: story.nowMs, ...(isFree ? { isFree: true } : {}) }]);
    t.match(story.state.channels.get(channelId), { phase: 'failed', gasWei: feeWei });
    t.equal(story.state.channels.get(channelId)?.nextCloseMs, story.nowMs + (isFree ? 0 : 3_600_000));
  }
  for (const isUnsent of [true, false]) {
    const story = new Story();
    story.send({ kind: 'channel-opening', mac: PHONE, channel: testChannel() });
    story.send({ kind: 'open-relaying', channelId, isUnsent });
    t.same(story.state.opens, [{ mac: PHONE, atMs: story.nowMs }], 'costly as long as it may be asked for again');
    story.send({ kind: 'channel-failed', channelId });
    t.equal(story.state.opens[0]?.isFree ?? false, isUnsent, 'given up before anything was ever signed');
    const costly = new Story();
    costly.send({ kind: 'channel-opening', mac: PHONE, channel: testChannel() });
    costly.send({ kind: 'open-relaying', channelId, isUnsent });
    costly.send({ kind: 'channel-failed', channelId, feeWei: 7n });
    t.equal(costly.state.opens[0]?.isFree, undefined, 'what has cost gas is never free');
  }
  const gone = new Story();
  t.same(gone.send({ kind: 'open-relaying', channelId, isUnsent: true }), []);
  t.same(gone.send({ kind: 'channel-failed', channelId, feeWei: 0n }), []);
  t.same(gone.send({ kind: 'channel-failed', channelId }), []);
  t.end();
});

t.test(
  'a deposit that arrives after its open was given up is closed for the open fee; else the open is forgotten',
  (t) => {
    const late = new Story();
    late.send({ kind: 'channel-opening', mac: PHONE, channel: testChannel() });
    late.send({ kind: 'channel-failed', channelId });
    const [storedSessions, storedChannel, close] = late.send({
      kind: 'channel-confirmed',
      channelId,
      deposit: 10_000n,
    });
    t.match(storedSessions, { kind: 'store-sessions', sessionIds: [2] });
    t.match(storedChannel, { kind: 'store-channel', channelId });
    t.match(close, { kind: 'close-channel', channelId, units: 50n });
    t.match(late.state.channels.get(channelId), { phase: 'closing', deposit: 10_000n, closeUnits: 50n });
    t.match(late.state.sessions.get(2), { ended: 'open-failed', stations: [], channelId });
    t.not(late.state.sessionByMac.get(PHONE), 2, 'nobody is served for it');

    const gone = new Story();
    gone.send({ kind: 'channel-opening', mac: PHONE, channel: testChannel() });
    gone.send({ kind: 'channel-failed', channelId });
    t.same(gone.send({ kind: 'channel-failed', channelId }), []);
    t.ok(gone.state.channels.has(channelId), 'remembered for its hour');
    gone.nowMs += 3_600_000;
    gone.send({ kind: 'channel-failed', channelId });
    t.notOk(gone.state.channels.has(channelId));
    t.end();
  },
);

t.test('a voucher raises the credit and lifts the hold; a lower one changes nothing', (t) => {
  const story = new Story();
  const id = story.paid();
  story.counted(id, 100_000_000n);
  t.equal(story.state.channels.get(channelId)?.phase, 'grace');
  t.same(kindsOf(story.send({ kind: 'vouchers-stored', vouchers: [testVoucher(2_000n)] })), ['reconcile', 'notify']);
  t.match(story.state.channels.get(channelId), { phase: 'active', voucher: testVoucher(2_000n) });
  t.equal(story.state.sessions.get(id)?.depletedAtMs, undefined);
  t.same(story.send({ kind: 'vouchers-stored', vouchers: [testVoucher(1_999n)] }), []);
  t.same(story.send({ kind: 'vouchers-stored', vouchers: [testVoucher(9n, `0x${'77'.repeat(32)}`)] }), []);
  t.end();
});

t.test('leaving settles the charge after the last counters, and refunds the rest', (t) => {
  const story = new Story();
  const id = story.paid();
  story.counted(id, 1_000_000n);
  t.same(kindsOf(story.send({ kind: 'session-left', sessionId: id, reason: 'guest-left' })), [
    'reconcile',
    'store-sessions',
    'store-channel',
    'notify',
  ]);
  t.same(story.reconciled([id]), [], 'nothing is final while the kernel serves the session');
  const actions = story.send({
    kind: 'reconciled',
    served: new Set(),
    counters: [{ sessionId: id, key: `down:${PHONE_IP}`, bytes: 1_000_001n, packets: 0n }],
  });
  t.match(actions.at(-1), { kind: 'close-channel', channelId, units: 50n + 11n });
  t.same(story.send({ kind: 'vouchers-stored', vouchers: [testVoucher(5_000n)] }).length, 2);
  t.equal(story.state.channels.get(channelId)?.phase, 'closing', 'a late voucher does not reopen');
  story.send({ kind: 'channel-closed', channelId, units: 61n, tx });
  t.match(story.state.channels.get(channelId), { phase: 'settled', closeTx: tx, closeUnits: 61n });
  t.equal(story.state.settledUnits, 61n);
  t.same(story.send({ kind: 'channel-closed', channelId, units: 61n, tx }), [], 'settled once');
  t.end();
});

t.test('who leaves before the open is confirmed is closed when it is, for the open fee alone', (t) => {
  const story = new Story();
  story.send({ kind: 'channel-opening', mac: PHONE, channel: testChannel() });
  story.send({ kind: 'session-left', sessionId: 1, reason: 'guest-left' });
  t.equal(story.state.channels.get(channelId)?.phase, 'pending');
  t.match(story.send({ kind: 'channel-confirmed', channelId, deposit: 10_000n }).at(-1), {
    kind: 'close-channel',
    units: 50n,
  });
  t.end();
});

t.test('a refused close is tried again, twice as late each time up to a bound', (t) => {
  const story = new Story();
  const id = story.paid();
  story.send({ kind: 'session-left', sessionId: id, reason: 'guest-left' });
  story.reconciled();
  t.same(
    story.wait(60_000).filter(({ kind }) => kind === 'close-channel'),
    [],
    'not while one is under way',
  );
  t.match(story.send({ kind: 'close-failed', channelId }), [
    { kind: 'log', details: { attempts: 1, retryInMs: CLOSE_RETRY_MIN_MS } },
  ]);
  t.same(story.wait(CLOSE_RETRY_MIN_MS - 1), []);
  t.match(story.wait(1).at(-1), { kind: 'close-channel', units: 50n });
  for (let i = 0; i < 20; i++) story.send({ kind: 'close-failed', channelId });
  t.equal(story.state.channels.get(channelId)?.nextCloseMs, story.nowMs + CLOSE_RETRY_MAX_MS);
  t.same(story.send({ kind: 'close-failed', channelId: `0x${'77'.repeat(32)}` }), []);
  t.end();
});

t.test('a channel whose session is gone is left alone by the tick', (t) => {
  const story = new Story();
  const id = story.paid();
  story.send({ kind: 'session-left', sessionId: id, reason: 'guest-left' });
  story.reconciled();
  story.send({ kind: 'close-failed', channelId });
  story.state = { ...story.state, sessionByChannel: new Map() };
  t.same(
    story.wait(CLOSE_RETRY_MIN_MS).filter(({ kind }) => kind === 'close-channel'),
    [],
  );
  t.end();
});
