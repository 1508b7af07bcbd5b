import t from 'tap';
import { openShares } from '../../../agent/core/open-shares.ts';
import { destinationOf, isVisitor, servedFor } from '../../../agent/core/roaming.ts';
import { guestView } from '../../../agent/core/view.ts';
import { carried, HOME, ID, SISTER, ticksOf, visited } from './support/hand-over.ts';
import { GUEST, kindsOf, LAPTOP, PHONE, Story, testChannel, testVoucher } from './support/story.ts';

t.test('who asks gets all that was metered, after the kernel has stopped', (t) => {
  const story = new Story();
  const id = story.paid();
  story.counted(id, 30_000_000n);
  const asked = story.send({ kind: 'hand-over-asked', channelId: ID, self: HOME, to: SISTER });
  t.ok(kindsOf(asked).includes('reconcile'));
  t.notOk(story.state.custody.has(ID), 'nothing is given while packets may pass');
  const counters = [{ sessionId: id, key: 'up:02:00:00:00:00:01', bytes: 10_000_000n, packets: 1n }] as const;
  const actions = story.send({ kind: 'reconciled', served: new Set(), counters });
  t.notOk(kindsOf(actions).includes('close-channel'));
  t.match(story.state.custody.get(ID), {
    self: HOME,
    isDelivered: false,
    last: { handOver: { sequence: 1n, to: SISTER, charged: 450n, downBytes: 30_000_000n, upBytes: 10_000_000n } },
  });
  t.equal(story.state.channels.get(ID)?.phase, 'away');
  t.equal(guestView(story.state, PHONE).phase, 'none', 'nothing runs here for who went on elsewhere');
  t.same(story.send({ kind: 'hand-over-asked', channelId: ID, self: HOME, to: SISTER }), [], 'gone is gone');
  t.same(story.send({ kind: 'hand-over-asked', channelId: `0x${'00'.repeat(32)}`, self: HOME, to: SISTER }), []);
  t.end();
});

t.test('time that is never charged stays at home, and is shown there again', (t) => {
  const story = new Story();
  story.send({ kind: 'trial-started', mac: PHONE, bytes: 1_000n, dayS: 0n });
  story.wait(4_000);
  const id = story.paid();
  story.wait(3_000);
  story.send({ kind: 'hand-over-asked', channelId: ID, self: HOME, to: SISTER });
  story.reconciled();
  t.equal(story.state.custody.get(ID)?.last.handOver.onlineMs, 3_000n, 'the trial is free everywhere');
  const back = carried({ from: SISTER, to: HOME, sequence: 2n, onlineMs: 8_000n });
  story.send({ kind: 'hand-over-taken', self: HOME, carried: back });
  t.match(story.state.sessions.get(id), { usage: { onlineMs: 12_000 }, freeMs: 4_000 });
  t.end();
});

t.test('a visitor pays what is left, is neither claimed nor proven here, and goes home when its guest leaves', (t) => {
  const story = visited(carried({}, { ticks: ticksOf(3) }));
  const sessionId = story.state.sessionByChannel.get(ID) as number;
  t.match(story.state.channels.get(ID), { phase: 'active', ticks: { last: { index: 3 }, storedIndex: 3 } });
  t.same(
    servedFor(story.state, GUEST).map(({ id }) => id),
    [ID],
  );
  t.same(servedFor(story.state, HOME), []);
  t.ok(isVisitor(story.state, testChannel()));
  story.send({ kind: 'station-attached', mac: LAPTOP, channelId: ID });
  story.counted(sessionId, 20_000_000n);
  story.nowMs = 100_000;
  t.notOk(kindsOf(story.wait(1_000)).includes('claim-channels'));
  t.same(openShares(story.state), []);
  story.send({ kind: 'session-left', sessionId, reason: 'guest-left' });
  story.reconciled();
  t.match(story.state.custody.get(ID)?.last, {
    handOver: { sequence: 2n, from: SISTER, to: HOME, charged: 650n, downBytes: 60_000_000n, isOver: true },
    ticks: { last: { index: 3 } },
  });
  story.send({ kind: 'hand-over-delivered', channelId: ID, sequence: 1n });
  t.equal(story.state.custody.get(ID)?.isDelivered, false, 'another number');
  story.send({ kind: 'hand-over-delivered', channelId: ID, sequence: 2n });
  t.equal(story.state.custody.get(ID)?.isDelivered, true);
  t.notOk(story.state.channels.has(ID));
  t.notOk(story.state.sessions.has(sessionId));
  story.send({ kind: 'hand-over-forgotten', channelId: ID });
  t.equal(story.state.custody.size, 0);
  t.end();
});

t.test('what comes home is closed for all that was used, or goes on there', (t) => {
  for (const isOver of [true, false]) {
    const story = new Story();
    const id = story.paid();
    story.counted(id, 40_000_000n);
    story.send({ kind: 'hand-over-asked', channelId: ID, self: HOME, to: SISTER });
    story.reconciled();
    story.send({ kind: 'hand-over-delivered', channelId: ID, sequence: 1n });
    t.equal(story.state.channels.get(ID)?.phase, 'away', 'home waits');
    t.same(
      story.send({ kind: 'hand-over-taken', self: HOME, carried: carried({ channelId: `0x${'09'.repeat(32)}` }) }),
      [],
    );
    const back = carried(
      { from: SISTER, to: HOME, sequence: 2n, amount: 2_050n, downBytes: 90_000_000n, charged: 950n, isOver },
      { voucher: testVoucher(2_050n), ticks: ticksOf(1) },
    );
    story.send({ kind: 'hand-over-arriving', carried: back });
    story.send({ kind: 'hand-over-taken', self: HOME, carried: back });
    t.notOk(isVisitor(story.state, testChannel()));
    t.equal(story.state.channels.get(ID)?.voucher.amount, 2_050n);
    t.equal(story.state.sessionByMac.get(PHONE), undefined, 'a device must prove the key again');
    if (isOver) t.match(story.reconciled(), [{}, {}, { kind: 'close-channel', units: 950n }]);
    else
      t.match(story.state.sessions.get(id), {
        stations: [],
        absentSinceMs: story.nowMs,
        usage: { downBytes: 90_000_000n },
      });
  }
  t.end();
});

t.test('the better of two ticks and vouchers counts, whoever has it', (t) => {
  const story = new Story();
  const id = story.paid();
  const { voucher, last } = ticksOf(9);
  story.send({ kind: 'tick-voucher-taken', tickVoucher: voucher, anchor: last });
  story.send({ kind: 'hand-over-asked', channelId: ID, self: HOME, to: SISTER });
  story.reconciled();
  const back = carried(
    { from: SISTER, to: HOME, sequence: 2n, amount: 1_000n },
    { voucher: testVoucher(1_000n), ticks: ticksOf(2) },
  );
  story.send({ kind: 'hand-over-taken', self: HOME, carried: back });
  t.match(story.state.channels.get(ID), { voucher: { amount: 1_050n }, ticks: { last: { index: 9 } } });
  t.equal(story.state.sessions.get(id)?.ended, undefined);
  t.same(destinationOf(story.state, story.state.channels.get(ID) as never), undefined, 'it is home');
  t.end();
});

t.test('usage never runs backwards, whatever a hand-over says', (t) => {
  const story = new Story();
  const id = story.paid();
  story.counted(id, 80_000_000n);
  story.send({ kind: 'hand-over-asked', channelId: ID, self: HOME, to: SISTER });
  story.reconciled();
  story.send({ kind: 'hand-over-taken', self: HOME, carried: carried({ from: SISTER, to: HOME, sequence: 2n }) });
  t.equal(story.state.sessions.get(id)?.usage.downBytes, 80_000_000n);
  t.end();
});
