import t from 'tap';
import type { Tick } from '../../../../protocol/payword.ts';
import type { SignedTickVoucher } from '../../../../protocol/tick-voucher.ts';
import { activeChannel, openIn } from './open-journal.ts';

const channel = activeChannel(400n);

function chain(amount: bigint, name: string): SignedTickVoucher {
  return {
    channelId: channel.id,
    amount,
    anchor: `0x${name.repeat(32)}`,
    tickValue: 10n,
    ticks: 64n,
    signature: `0x${name.repeat(64)}`,
  };
}

function coin(index: number): Tick {
  return { index, preimage: new Uint8Array(32).fill(index) };
}

t.test('the furthest coin of a chain comes back as it was, and never an earlier one', async (t) => {
  const { journal } = openIn(t);
  const voucher = chain(400n, 'a1');
  await journal.commit([
    { kind: 'channel', channel },
    { kind: 'ticks', voucher, last: coin(0) },
  ]);
  await journal.commit([{ kind: 'ticks', voucher, last: coin(7) }]);
  await journal.commit([{ kind: 'ticks', voucher, last: coin(6) }]);
  await journal.commit([{ kind: 'ticks', voucher, last: coin(0) }]);
  t.strictSame(journal.load().ticks, [{ voucher, last: coin(7) }]);
  journal.close();
});

t.test('a chain is followed by one that begins where it stands, and by none that promises less', async (t) => {
  const { journal } = openIn(t);
  await journal.commit([
    { kind: 'channel', channel },
    { kind: 'ticks', voucher: chain(300n, 'a1'), last: coin(10) },
  ]);
  await journal.commit([{ kind: 'ticks', voucher: chain(399n, 'b2'), last: coin(0) }]);
  t.match(journal.load().ticks, [{ voucher: { amount: 300n }, last: { index: 10 } }]);
  await journal.commit([{ kind: 'ticks', voucher: chain(400n, 'c3'), last: coin(0) }]);
  await journal.commit([{ kind: 'ticks', voucher: chain(300n, 'a1'), last: coin(10) }]);
  t.strictSame(journal.load().ticks, [{ voucher: chain(400n, 'c3'), last: coin(0) }]);
  journal.close();
});

t.test('ticks go with their channel, and without it they are refused', async (t) => {
  const { journal } = openIn(t);
  const entry = { kind: 'ticks' as const, voucher: chain(400n, 'a1'), last: coin(1) };
  await t.rejects(journal.commit([entry]), { code: 'JOURNAL_REFUSED', message: /not in the journal/ });
  await journal.commit([{ kind: 'channel', channel }, entry]);
  await journal.commit([{ kind: 'channel-forgotten', channel }]);
  t.equal(journal.load().ticks, undefined);
  journal.close();
});
