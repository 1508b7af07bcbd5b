/** A journal from an old copy: what chain, sisters and the guest's own vouchers know better is charged, once, and nobody pays twice. */
import t from 'tap';
import { accountOf } from '../../../agent/core/account.ts';
import { enforcementPlan } from '../../../agent/core/enforcement.ts';
import { acknowledgeable, raisedToClaim } from '../../../agent/core/evidence.ts';
import { judgeVoucher } from '../../../agent/core/judge-voucher.ts';
import { totalBytes } from '../../../agent/core/meter.ts';
import type { Channel, SessionId } from '../../../agent/core/model.ts';
import { stateFromJournal } from '../../../agent/core/restore.ts';
import { heldChannel } from '../../../agent/core/roaming.ts';
import type { LiveChannel, LiveSession } from '../../../agent/core/state.ts';
import { guestView } from '../../../agent/core/view.ts';
import type { CarriedChannel } from '../../../protocol/hand-over.ts';
import { restoreCase } from './support/restore-case.ts';
import { DEVICE, kindsOf, NOW_S, PAYEE, PHONE, Story, testChannel, testVoucher } from './support/story.ts';

const ID = testChannel().id;
const MB = 1_000_000n;

/** 20 MB of 100 paid were used when the copy was made. */
function copied(change: Partial<Channel> = {}): Story {
  const story = new Story();
  const session = story.paid(testChannel());
  story.counted(session, 20n * MB);
  const snapshot = restoreCase(story.state);
  const channels = snapshot.channels.map((channel) => ({ ...channel, isStale: true as const, ...change }));
  return new Story(story.config, stateFromJournal({ ...snapshot, channels }, 1_000, NOW_S));
}

function parts(story: Story): { readonly session: LiveSession; readonly channel: LiveChannel } {
  const [session] = [...story.state.sessions.values()];
  const channel = story.state.channels.get(ID);
  if (session === undefined || channel === undefined) throw new Error('nothing was restored');
  return { session, channel };
}

/** What the kernel still lets pass. */
function left(story: Story): bigint {
  const [grant] = enforcementPlan(story.state, story.config, story.nowMs).grants;
  const bytes = grant === undefined ? 0n : grant.limitBytes - grant.usedBytes;
  return bytes > 0n ? bytes : 0n;
}

t.test('nothing of it is served before the chain has been asked', (t) => {
  for (const phase of ['active', 'grace', 'away'] as const) {
    t.match(guestView(copied({ phase }).state, PHONE), { phase: 'pending', creditUnits: 0n }, phase);
  }
  t.equal(left(copied()), 0n);
  t.equal(parts(copied({ phase: 'closing' })).channel.phase, 'closing');
  t.end();
});

t.test('what was claimed since is charged: that much credit is not sold twice', (t) => {
  const story = copied();
  // 70 MB and the open fee were claimed under the very voucher that the copy knows.
  const actions = story.send({ kind: 'channel-confirmed', channelId: ID, deposit: 10_000n, claimed: 750n });
  t.match(actions, [{ kind: 'store-channel' }, { kind: 'store-sessions' }, { kind: 'reconcile' }]);
  t.match(guestView(story.state, PHONE), { phase: 'active', chargedUnits: 750n, creditUnits: 1_050n });
  t.equal(guestView(story.state, PHONE).bytesRemaining, 30n * MB);
  t.equal(left(story), 30n * MB, 'whatever the kernel has counted itself');
  story.counted(parts(story).session.id, 20n * MB + 30n * MB);
  t.match(guestView(story.state, PHONE), { chargedUnits: 1_050n, bytesRemaining: 0n });
  t.end();
});

t.test('more was claimed than the copy was promised: nothing is left, and it closes for what was claimed', (t) => {
  const story = copied();
  story.send({ kind: 'channel-confirmed', channelId: ID, deposit: 10_000n, claimed: 3_000n });
  const { session, channel } = parts(story);
  t.match(accountOf(session, channel), { creditUnits: 3_000n, chargedUnits: 3_000n, remainingBytes: 0n });
  t.match(judgeVoucher(story.state, PHONE, testVoucher(2_000n), undefined), { ok: true }, 'the guest pays on');
  story.send({ kind: 'vouchers-stored', vouchers: [testVoucher(2_000n)] });
  t.equal(left(story), 0n, 'but nothing for what was spent before');
  story.send({ kind: 'vouchers-stored', vouchers: [testVoucher(3_100n)] });
  t.equal(left(story), 10n * MB);
  story.send({ kind: 'session-left', sessionId: session.id, reason: 'guest-left' });
  t.match(story.reconciled([]), [{}, {}, { kind: 'close-channel', units: 3_000n }]);
  t.end();
});

t.test('what was charged since is no one’s to prove again', (t) => {
  const story = copied();
  story.send({ kind: 'channel-confirmed', channelId: ID, deposit: 10_000n, claimed: 750n });
  t.match(parts(story).session.proven, { downBytes: 50n * MB, units: 750n });
  t.end();
});

t.test('a claim that the copy covers changes nothing', (t) => {
  const story = copied();
  const actions = story.send({ kind: 'channel-confirmed', channelId: ID, deposit: 10_000n, claimed: 250n });
  t.strictSame(kindsOf(actions), ['store-channel', 'reconcile', 'notify']);
  t.match(guestView(story.state, PHONE), { chargedUnits: 250n, bytesRemaining: 80n * MB });
  t.end();
});

t.test('by the minute, time is charged; what is free stays free', (t) => {
  const timed = testChannel({ tariff: { unitsPerMb: 0n, unitsPerMinute: 10n } });
  const { session } = parts(copied());
  const live: LiveChannel = { ...timed, phase: 'active', deposit: 10_000n, closeAttempts: 0, nextCloseMs: 0 };
  const raised = raisedToClaim({ ...session, freeMs: 5_000 }, live, 550n);
  t.equal(raised.session.usage.onlineMs, 5_000 + 50 * 60_000);
  t.equal(accountOf(raised.session, raised.channel).chargedUnits, 550n);
  const free = { ...live, tariff: { unitsPerMb: 0n, unitsPerMinute: 0n }, openFee: 60n };
  const gift = raisedToClaim({ ...session, usage: { ...session.usage, onlineMs: 7 } }, free, 100n);
  t.equal(gift.session.usage.onlineMs, 7);
  t.equal(accountOf(gift.session, gift.channel).chargedUnits, 100n, 'it was paid, whatever for');
  const odd = raisedToClaim(session, { ...free, openFee: 2_000n, claimedUnits: 1_100n }, 1_500n);
  t.equal(accountOf(odd.session, odd.channel).chargedUnits, 1_500n, 'less than the open fee');
  t.end();
});

t.test('a claim that no usage explains moves no bytes backwards', (t) => {
  const { session, channel } = parts(copied());
  const used = { ...session, usage: { ...session.usage, downBytes: 90n * MB } };
  const dear: LiveChannel = { ...channel, phase: 'active', tariff: { unitsPerMb: 1n, unitsPerMinute: 100n } };
  const raised = raisedToClaim({ ...used, usage: { ...used.usage, onlineMs: 60_000 } }, dear, 241n);
  t.equal(totalBytes(raised.session.usage), 91n * MB);
  const same = raisedToClaim({ ...used, trialBytes: 90n * MB }, { ...channel, phase: 'active' }, 50n);
  t.equal(totalBytes(same.session.usage), 90n * MB);
  t.end();
});

t.test('a guest who has acknowledged more than the copy metered is believed, as far as it pays for it', (t) => {
  const story = copied();
  story.send({ kind: 'channel-confirmed', channelId: ID, deposit: 10_000n });
  const newer = testVoucher(2_050n, ID, 150n * MB);
  t.match(judgeVoucher(story.state, PHONE, newer, undefined), { ok: true, isRepeat: false });
  const actions = story.send({ kind: 'vouchers-stored', vouchers: [newer] });
  t.ok(kindsOf(actions).includes('store-sessions'));
  t.match(guestView(story.state, PHONE), { chargedUnits: 1_550n, creditUnits: 2_050n, bytesRemaining: 50n * MB });
  t.equal(left(story), 50n * MB);
  t.match(parts(story).session.proven, { downBytes: 130n * MB, units: 1_550n }, 'the 20 MB of the copy are not');
  t.match(judgeVoucher(story.state, PHONE, testVoucher(2_051n, ID, 201n * MB), undefined), {
    ok: false,
    reason: 'ack-above-metered',
    expected: /200100000 bytes/,
  });
  t.end();
});

t.test('of a channel that is as new as its journal, nobody acknowledges what was not metered', (t) => {
  const story = new Story();
  const session = story.paid(testChannel());
  story.counted(session, 20n * MB);
  const judged = judgeVoucher(story.state, PHONE, testVoucher(2_050n, ID, 20n * MB + 1n), undefined);
  t.match(judged, { ok: false, reason: 'ack-above-metered', expected: /20000000 bytes/ });
  const stale = parts(copied());
  t.equal(acknowledgeable(stale.session, stale.channel, 49n), 20n * MB, 'less than the open fee pays for nothing');
  t.end();
});

t.test('a crash between the voucher and the usage that it acknowledges forgets nothing', (t) => {
  const story = copied({ voucher: testVoucher(1_050n, ID, 60n * MB) });
  story.send({ kind: 'channel-confirmed', channelId: ID, deposit: 10_000n });
  t.match(guestView(story.state, PHONE), { chargedUnits: 650n, bytesRemaining: 40n * MB });
  t.end();
});

t.test('a running channel from which more was claimed than was charged is found to be old, and charged for it', (t) => {
  const story = new Story();
  const session: SessionId = story.paid(testChannel());
  story.counted(session, 20n * MB);
  const seen = { deposit: 10_000n, claimed: 450n, exitAt: 0n, isClosed: false };
  const actions = story.send({ kind: 'channel-seen', channelId: ID, seen });
  t.match(actions, [
    { kind: 'store-channel' },
    { kind: 'log', event: 'journal-behind-chain', details: { claimed: 450n, charged: 250n } },
    { kind: 'store-sessions', sessionIds: [session] },
    { kind: 'reconcile' },
  ]);
  t.equal(parts(story).channel.isStale, true);
  t.equal(left(story), 60n * MB);
  const again = story.send({ kind: 'channel-seen', channelId: ID, seen: { ...seen, deposit: 10_001n } });
  t.notOk(kindsOf(again).includes('log'), 'told once');
  t.end();
});

t.test('one that was given up at the time of the copy is closed for what was claimed since', (t) => {
  const story = new Story();
  story.send({ kind: 'station-joined', mac: PHONE, port: 'wlan0' as never });
  story.send({ kind: 'channel-opening', mac: PHONE, channel: testChannel() });
  story.send({ kind: 'channel-failed', channelId: ID });
  const actions = story.send({ kind: 'channel-confirmed', channelId: ID, deposit: 10_000n, claimed: 900n });
  t.match(actions.at(-1), { kind: 'close-channel', units: 900n });
  t.end();
});

t.test('a collector that knows more proofs than the journal makes all open channels old', (t) => {
  const story = new Story();
  story.paid(testChannel());
  const rebased = { nextSeq: 9n, prev: ID, minEpoch: 3n };
  t.match(story.send({ kind: 'chain-rebased', ...rebased }), [{ kind: 'store-channel', channelId: ID }]);
  t.equal(parts(story).channel.isStale, true);
  const settled = new Story(story.config, {
    ...story.state,
    channels: new Map([[ID, { ...parts(story).channel, phase: 'settled' as const }]]),
  });
  t.strictSame(settled.send({ kind: 'chain-rebased', ...rebased }), []);
  t.end();
});

t.test('what a sister holds is not served here, and waits for its return', (t) => {
  const story = copied();
  const { session } = parts(story);
  const actions = story.send({ kind: 'channel-elsewhere', channelId: ID });
  t.ok(kindsOf(actions).includes('store-channel'));
  t.match(parts(story), { session: { ended: 'moved' }, channel: { phase: 'away' } });
  t.strictSame(story.reconciled([]), [], 'it is not closed');
  t.strictSame(story.send({ kind: 'channel-elsewhere', channelId: ID }), [], 'said again');
  t.equal(heldChannel(story.state, ID, DEVICE), undefined);
  const confirmed = copied();
  confirmed.send({ kind: 'channel-confirmed', channelId: ID, deposit: 10_000n });
  t.strictSame(
    confirmed.send({ kind: 'channel-elsewhere', channelId: ID }),
    [],
    'one that is served is not taken away',
  );
  t.equal(heldChannel(confirmed.state, ID, DEVICE)?.id, ID);
  t.equal(heldChannel(confirmed.state, `0x${'ee'.repeat(32)}`, DEVICE), undefined);
  t.ok(session);
  for (const [to, held] of [
    [PAYEE, undefined],
    [DEVICE, ID],
  ] as const) {
    const custody = new Map([[ID, { self: DEVICE, last: { handOver: { to } } as CarriedChannel, isDelivered: true }]]);
    t.equal(heldChannel({ ...confirmed.state, custody }, ID, DEVICE)?.id, held);
  }
  t.end();
});
