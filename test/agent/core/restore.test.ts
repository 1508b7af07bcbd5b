import t from 'tap';
import { stateFromJournal } from '../../../agent/core/restore.ts';
import { restoreCase } from './support/restore-case.ts';
import { GUEST, NOW_S, PHONE, PHONE_IP, Story, testChannel, WLAN0 } from './support/story.ts';

t.test('a session goes on where its stored usage was, with its addresses, port and counters', (t) => {
  const before = new Story();
  const id = before.paid();
  before.send({ kind: 'address-leased', mac: PHONE, address: PHONE_IP });
  before.counted(id, 700n);
  const state = stateFromJournal(restoreCase(before.state), 5, NOW_S);
  t.equal(state.sessionByMac.get(PHONE), id);
  t.equal(state.addressOwner.get(PHONE_IP), PHONE);
  t.match(state.stations.get(PHONE), { port: WLAN0, addresses: [PHONE_IP], isAssociated: false });
  const after = new Story(before.config, state);
  after.counted(id, 900n);
  t.equal(after.state.sessions.get(id)?.usage.downBytes, 900n, 'what the kernel counted meanwhile is added once');
  t.equal(state.nextSessionId, id + 1);
  t.end();
});

t.test('ended sessions are settled on, not served; settled units add up', (t) => {
  const before = new Story();
  const id = before.paid();
  before.send({ kind: 'session-left', sessionId: id, reason: 'guest-left' });
  const state = stateFromJournal(restoreCase(before.state), 5, NOW_S);
  t.notOk(state.sessionByMac.has(PHONE));
  const after = new Story(before.config, state);
  t.match(after.reconciled().at(-1), { kind: 'close-channel', units: 50n });
  after.send({
    kind: 'channel-closed',
    channelId: [...state.channels.keys()][0] as never,
    units: 50n,
    tx: `0x${'0b'.repeat(32)}`,
  });
  t.equal(stateFromJournal(restoreCase(after.state), 5, NOW_S).settledUnits, 50n);
  t.end();
});

t.test('the proof chain goes on after the last stored proof; an empty journal starts it', (t) => {
  const empty = stateFromJournal({ channels: [], sessions: [], trials: [] }, 5, NOW_S);
  t.match(empty, { nextSessionId: 1, proofs: { nextSeq: 0n, startedMs: 5, startedS: NOW_S } });
  const digest = `0x${'dd'.repeat(32)}` as const;
  const lastProof = { digest, proof: { seq: 4n, endS: 77n } } as never;
  const trials = [{ mac: PHONE, dayS: 3n, usedBytes: 4n }];
  const state = stateFromJournal({ channels: [], sessions: [], trials, lastProof }, 5, NOW_S);
  t.match(state.proofs, { nextSeq: 5n, prev: digest, startedMs: 5, startedS: 77n });
  t.same(state.trials.get(PHONE), { dayS: 3n, usedBytes: 4n });
  t.equal(state.proofs.minEpoch, undefined);
  const rebased = stateFromJournal({ channels: [], sessions: [], trials: [], lastProof, minEpoch: 9n }, 5, NOW_S);
  t.match(rebased.proofs, { nextSeq: 5n, minEpoch: 9n });
  t.end();
});

t.test('a trial without a channel comes back too', (t) => {
  const before = new Story();
  before.send({ kind: 'trial-started', mac: PHONE, bytes: 9n, dayS: 0n });
  t.equal(stateFromJournal(restoreCase(before.state), 5, NOW_S).sessionByChannel.size, 0);
  t.end();
});

t.test('a channel that was settled for nothing adds nothing', (t) => {
  const channels = [testChannel({ phase: 'settled' })];
  t.equal(stateFromJournal({ channels, sessions: [], trials: [] }, 5, NOW_S).settledUnits, 0n);
  t.end();
});

t.test('an open that waits may have been sent by an earlier run; of a paid channel nobody asks', (t) => {
  const [pending, active] = [testChannel({ phase: 'pending' }), testChannel({ phase: 'active' })];
  const restored = (channel: typeof pending) =>
    stateFromJournal({ channels: [channel], sessions: [], trials: [] }, 5, NOW_S).channels.get(channel.id);
  t.equal(restored(pending)?.isUnsent, false);
  t.notOk('isUnsent' in (restored(active) ?? {}));
  t.end();
});

t.test('what was settled and forgotten before still counts', (t) => {
  const totals = { channels: 3n, units: 700n, gasGwei: 9n };
  t.equal(stateFromJournal({ channels: [], sessions: [], trials: [], totals }, 5, NOW_S).settledUnits, 700n);
  t.end();
});

t.test('what was given today, the key of a trial and its time come back', (t) => {
  const before = new Story();
  before.send({ kind: 'trial-started', mac: PHONE, bytes: 9n, trialMs: 60_000, dayS: 0n });
  const trials = [{ mac: PHONE, dayS: 3n, usedBytes: 4n, key: GUEST }];
  const gifts = { dayS: 3n, bytes: 7n };
  const state = stateFromJournal({ ...restoreCase(before.state), trials, gifts }, 5, NOW_S);
  t.same(state.trials.get(PHONE), { dayS: 3n, usedBytes: 4n, key: GUEST });
  t.same(state.gifts, gifts);
  t.equal(state.sessions.get(1)?.trialMs, 60_000);
  t.end();
});

t.test('a guest who is not there any more after a restart is seen off after the usual wait', (t) => {
  const before = new Story();
  const id = before.paid();
  const after = new Story(before.config, stateFromJournal(restoreCase(before.state), before.nowMs, NOW_S));
  after.wait(599_000);
  t.equal(after.state.sessions.get(id)?.ended, undefined);
  after.wait(1_000);
  t.equal(after.state.sessions.get(id)?.ended, 'guest-left');
  const back = new Story(before.config, stateFromJournal(restoreCase(before.state), before.nowMs, NOW_S));
  back.send({ kind: 'station-joined', mac: PHONE, port: WLAN0 });
  back.wait(600_000);
  t.equal(back.state.sessions.get(id)?.ended, undefined);
  t.end();
});
