import t from 'tap';
import { guestView, sessionRow } from '../../../agent/core/view.ts';
import { LAPTOP, PHONE, PHONE_IP, Story, testChannel } from './support/story.ts';

const { id: channelId } = testChannel();

t.test('a stranger sees an empty view', (t) => {
  t.match(guestView(new Story().state, LAPTOP), { phase: 'none', isOnline: false, bytesRemaining: 0n });
  t.end();
});

t.test('a trial shows its bytes and warns at a tenth', (t) => {
  const story = new Story();
  story.send({ kind: 'trial-started', mac: PHONE, bytes: 1_000_000n, dayS: 0n });
  t.match(guestView(story.state, PHONE), { phase: 'trial', isOnline: true, bytesRemaining: 1_000_000n, isLow: false });
  story.counted(1, 899_999n);
  t.match(guestView(story.state, PHONE), { isLow: false });
  story.counted(1, 900_000n);
  t.match(guestView(story.state, PHONE), { isLow: true, isOnline: true, bytesRemaining: 100_000n });
  story.send({ kind: 'session-left', sessionId: 1, reason: 'owner' });
  t.match(guestView(story.state, PHONE), { phase: 'none', isOnline: false, bytesRemaining: 0n });
  t.match(sessionRow(story.state, story.state.sessions.get(1) as never), { phase: 'none', bytesRemaining: 0n });
  t.end();
});

t.test('a paid session shows credit, charge and what the kernel still lets pass', (t) => {
  const story = new Story();
  const id = story.paid();
  story.send({ kind: 'address-leased', mac: PHONE, address: PHONE_IP });
  story.counted(id, 1_000_000n);
  t.match(guestView(story.state, PHONE), {
    phase: 'active',
    channelId,
    chargedUnits: 60n,
    creditUnits: 1_050n,
    depositUnits: 10_000n,
    bytesRemaining: 99_000_000n,
  });
  t.notOk('secondsRemaining' in guestView(story.state, PHONE));
  t.match(sessionRow(story.state, story.state.sessions.get(id) as never), {
    macs: [PHONE],
    addresses: [PHONE_IP],
    channelId,
  });
  t.end();
});

t.test('with a price per minute the seconds left are shown, never below zero', (t) => {
  const story = new Story();
  const tariff = { unitsPerMb: 0n, unitsPerMinute: 60n };
  story.paid(testChannel({ tariff, voucher: { ...testChannel().voucher, amount: 80n } }));
  t.match(guestView(story.state, PHONE), { secondsRemaining: 30 });
  const broke = new Story();
  broke.paid(testChannel({ tariff, openFee: 99n, voucher: { ...testChannel().voucher, amount: 80n } }));
  t.match(guestView(broke.state, PHONE), { secondsRemaining: 0, chargedUnits: 80n });
  t.end();
});

t.test('after the close the refund is shown with its transaction', (t) => {
  const story = new Story();
  const id = story.paid();
  story.send({ kind: 'session-left', sessionId: id, reason: 'guest-left' });
  story.reconciled();
  const tx = `0x${'0b'.repeat(32)}` as const;
  story.send({ kind: 'channel-closed', channelId, units: 50n, tx });
  t.match(guestView(story.state, PHONE), {
    phase: 'settled',
    isOnline: false,
    chargedUnits: 50n,
    refund: { units: 9_950n, tx },
    onChain: { openFeeUnits: 50n, claimedUnits: 50n, closeTx: tx },
  });
  t.match(sessionRow(story.state, story.state.sessions.get(id) as never), { chargedUnits: 50n });
  story.state = { ...story.state, stations: new Map() };
  t.match(sessionRow(story.state, story.state.sessions.get(id) as never), { addresses: [] });
  t.end();
});

t.test('a channel that was settled for nothing gives everything back', (t) => {
  const story = new Story();
  story.paid();
  const [channel] = story.state.channels.values();
  const tx = `0x${'0b'.repeat(32)}` as const;
  const settled = { ...(channel as NonNullable<typeof channel>), phase: 'settled', closeTx: tx } as const;
  story.state = { ...story.state, channels: new Map([[channelId, settled]]) };
  t.match(guestView(story.state, PHONE), { refund: { units: 10_000n, tx } });
  t.end();
});
