import t from 'tap';
import type { Custody } from '../../../agent/core/custody.ts';
import { MAX_CUSTODIES } from '../../../agent/core/limits.ts';
import { stateFromJournal } from '../../../agent/core/restore.ts';
import {
  expiredCustodies,
  judgeGiving,
  judgeTaking,
  lastSequence,
  type RoamingSelf,
  servedFor,
} from '../../../agent/core/roaming.ts';
import type { CarriedChannel } from '../../../protocol/hand-over.ts';
import type { Hex } from '../../../protocol/hex.ts';
import {
  AT_SISTER,
  carried,
  HOME,
  ID,
  SISTER,
  STRANGER,
  ticksOf,
  US,
  visited,
  withCustody,
} from './support/hand-over.ts';
import { GUEST, kindsOf, NOW_S, Story, testChannel } from './support/story.ts';

t.test('a channel is given to a sister, once, under the number that follows', (t) => {
  const story = new Story();
  story.paid();
  t.equal(lastSequence(story.state, ID), 0n);
  t.same(judgeGiving(story.state, ID, SISTER, 1n, US), { ok: true });
  t.match(judgeGiving(story.state, ID, STRANGER, 1n, US), { ok: false, reason: 'unknown-sister' });
  t.match(judgeGiving(story.state, ID, SISTER, 2n, US), {
    ok: false,
    reason: 'stale-sequence',
    expected: 'sequence 1',
  });
  t.match(judgeGiving(story.state, `0x${'00'.repeat(32)}`, SISTER, 1n, US), { ok: false, reason: 'unknown-channel' });
  const late = { ...US, nowS: NOW_S + 86_000n };
  t.match(judgeGiving(story.state, ID, SISTER, 1n, late), { ok: false, reason: 'channel-expiring', got: '400 s' });
  const { nowS: _, ...timeless } = US;
  t.same(judgeGiving(story.state, ID, SISTER, 1n, timeless), { ok: true }, 'who gives needs no clock');
  story.send({ kind: 'hand-over-asked', channelId: ID, self: HOME, to: SISTER });
  t.match(judgeGiving(story.state, ID, SISTER, 1n, US), { ok: false, reason: 'channel-not-open', got: 'closing' });
  story.reconciled();
  const last = story.state.custody.get(ID)?.last;
  t.same(judgeGiving(story.state, ID, SISTER, 1n, US), { ok: true, given: last }, 'word for word');
  t.match(judgeGiving(story.state, ID, SISTER, 2n, US), { ok: false, reason: 'not-the-holder', got: HOME });
  t.end();
});

t.test('a hand-over is refused with its reason', (t) => {
  const { state } = new Story();
  const judge = (one: CarriedChannel, self: RoamingSelf = AT_SISTER, from = state) => judgeTaking(from, one, ID, self);
  t.same(judge(carried()), { ok: true, isKnown: false });
  t.match(judge(carried({ from: STRANGER })), { reason: 'unknown-sister' });
  t.match(judge(carried({ to: STRANGER })), { reason: 'not-for-us' });
  t.match(judge(carried(), { ...AT_SISTER, payee: GUEST }), { reason: 'config-mismatch' });
  t.match(judge(carried({ channelId: `0x${'01'.repeat(32)}` })), {
    reason: 'config-mismatch',
    expected: /one channel/,
  });
  t.match(judge(carried({}, { ticks: ticksOf(1, `0x${'01'.repeat(32)}`) })), { reason: 'config-mismatch' });
  t.same(judge(carried({}, { ticks: ticksOf(1) })), { ok: true, isKnown: false });
  t.same(judge(carried({}, { ticks: ticksOf(0) })), { ok: true, isKnown: false });
  t.same(judge(carried({}, { ticks: ticksOf(64) })), { ok: true, isKnown: false }, 'the last coin');
  t.same(judge(carried({ deposit: 1_050n })), { ok: true, isKnown: false }, 'a deposit that the voucher uses up');
  t.same(judge(carried({ deposit: 1_690n }, { ticks: ticksOf(64) })), { ok: true, isKnown: false }, 'or the ticks');
  const marginS = BigInt(AT_SISTER.marginSeconds);
  const at = (leftS: bigint) => judge(carried(), { ...AT_SISTER, nowS: NOW_S + 86_400n - leftS });
  t.match(at(marginS), { reason: 'channel-expiring' });
  t.same(at(marginS + 1n), { ok: true, isKnown: false });
  const { voucher, last } = ticksOf(9);
  const claims: readonly (readonly [string, CarriedChannel['ticks'] & object])[] = [
    ['a coin that leads elsewhere', { voucher, last: { ...last, index: 10 } }],
    ['a coin beyond the chain', { voucher: { ...voucher, ticks: 8n }, last }],
    ['a base above the voucher', { voucher: { ...voucher, amount: 1_051n }, last }],
    ['more than the deposit', { voucher: { ...voucher, tickValue: 1_000_000n }, last }],
  ];
  for (const [what, ticks] of claims) {
    t.match(judge(carried({}, { ticks })), { reason: 'config-mismatch', expected: /within the deposit/ }, what);
  }
  t.match(judge(carried({ amount: 1_051n })), { reason: 'config-mismatch', expected: /a voucher of 1051/ });
  t.match(judge(carried({ deposit: 1_000n })), { reason: 'config-mismatch' });
  const { nowS: _, ...timeless } = AT_SISTER;
  t.match(judge(carried(), timeless), { reason: 'clock-not-set' });
  t.match(judge(carried(), { ...AT_SISTER, nowS: NOW_S + 86_000n }), { reason: 'channel-expiring' });
  const many = Array.from({ length: MAX_CUSTODIES }, (_, i): Custody => {
    const channelId: Hex = `0x${i.toString(16).padStart(64, '0')}`;
    return { self: SISTER, last: carried({ channelId }), isDelivered: true };
  });
  t.match(judge(carried(), AT_SISTER, withCustody(state, ...many)), { reason: 'too-many' });
  const served = visited();
  t.same(judge(carried(), AT_SISTER, served.state), { ok: true, isKnown: true }, 'the same again is known');
  t.match(judge(carried({ sequence: 2n }), AT_SISTER, served.state), { reason: 'channel-not-open', got: 'active' });
  const later = withCustody(state, { self: SISTER, last: carried({ sequence: 5n }), isDelivered: true });
  t.match(judge(carried({ sequence: 4n }), AT_SISTER, later), {
    reason: 'stale-sequence',
    expected: 'a sequence above 5',
  });
  const home = carried({ from: SISTER, to: HOME, sequence: 2n, isOver: true });
  const { nowS: __, ...homeless } = US;
  t.same(judge(home, homeless), { ok: true, isKnown: false }, 'what comes home to be closed needs no clock');
  t.same(judge(carried({ from: SISTER, to: HOME }), { ...US, nowS: NOW_S + 86_000n }), { ok: true, isKnown: false });
  t.end();
});

t.test('what is not back before the margin is claimed for what was metered here', (t) => {
  const story = new Story();
  const id = story.paid();
  story.counted(id, 40_000_000n);
  story.send({ kind: 'hand-over-asked', channelId: ID, self: HOME, to: SISTER });
  story.reconciled();
  story.nowMs = 100_000;
  t.notOk(kindsOf(story.wait(1_000)).includes('claim-channels'));
  story.nowMs = 86_000_000;
  t.match(
    story.wait(1_000).find(({ kind }) => kind === 'claim-channels'),
    { claims: [{ channelId: ID, units: 450n }] },
  );
  t.end();
});

t.test('after a start: what was told away stays away, what was only being stopped for it is closed', (t) => {
  const away = testChannel({ phase: 'away', deposit: 10_000n });
  const session = visited().state.sessions.get(1);
  if (session === undefined) throw new Error('no session');
  const snapshot = { channels: [away], sessions: [{ session, counters: [] }], trials: [] };
  t.equal(stateFromJournal(snapshot, 0, NOW_S).channels.get(ID)?.phase, 'closing');
  const told: Custody = { self: HOME, last: carried(), isDelivered: false };
  const state = stateFromJournal({ ...snapshot, custody: [told] }, 0, NOW_S);
  t.equal(state.channels.get(ID)?.phase, 'away');
  t.same(state.custody.get(ID), told);
  const taken: Custody = { self: SISTER, last: carried(), isDelivered: true };
  t.equal(stateFromJournal({ ...snapshot, custody: [taken] }, 0, NOW_S).channels.get(ID)?.phase, 'closing');
  t.end();
});

t.test('the number is forgotten a week after the channel has expired, not before its session', (t) => {
  const { state } = new Story();
  const known = withCustody(state, { self: SISTER, last: carried(), isDelivered: true });
  t.same(expiredCustodies(known, NOW_S + 86_400n), []);
  t.same(expiredCustodies(known, NOW_S + 10n * 86_400n), [ID]);
  t.same(expiredCustodies(visited().state, NOW_S + 10n * 86_400n), []);
  t.end();
});

t.test(
  'a used-up session is still served; a channel without one is not; a receipt that comes twice changes nothing',
  (t) => {
    const story = visited(carried({ downBytes: 100_000_000n, charged: 1_050n }));
    story.counted(story.state.sessionByChannel.get(ID) as number, 1n);
    t.equal(story.state.channels.get(ID)?.phase, 'grace');
    t.equal(servedFor(story.state, GUEST).length, 1);
    const channel = story.state.channels.get(ID);
    if (channel === undefined) throw new Error('no channel');
    t.same(servedFor({ ...story.state, sessionByChannel: new Map() }, GUEST), []);
    const gone = new Story(
      story.config,
      withCustody(new Story().state, { self: SISTER, last: carried(), isDelivered: true }),
    );
    gone.send({ kind: 'hand-over-delivered', channelId: ID, sequence: 1n });
    t.equal(gone.state.custody.get(ID)?.isDelivered, true);
    t.end();
  },
);
