/** The edges of what a session has left and of what can be claimed; tariff, ticks and settlement have tests of their own. */
import t from 'tap';
import { accountOf, claimableUnits } from '../../../agent/core/account.ts';
import type { LiveChannel, LiveSession } from '../../../agent/core/state.ts';
import { Story, testChannel } from './support/story.ts';
import { testTicks } from './support/tick-voucher.ts';

function paid() {
  const story = new Story();
  const id = story.paid();
  const session = story.state.sessions.get(id) as LiveSession;
  const channel = story.state.channels.get(testChannel().id) as LiveChannel;
  return { session, channel };
}

t.test('a session is used up when not even one full packet is left, not before', (t) => {
  const { session, channel } = paid();
  const after = (downBytes: bigint) =>
    accountOf({ ...session, usage: { downBytes, upBytes: 0n, onlineMs: 0 } }, channel);
  t.match(after(100_000_000n - 1_500n), { remainingBytes: 1_500n, isUsedUp: false });
  t.match(after(100_000_000n - 1_499n), { remainingBytes: 1_499n, isUsedUp: true });
  t.end();
});

t.test('a channel whose money never came gives no credit, whatever was promised', (t) => {
  const { session, channel } = paid();
  for (const phase of ['pending', 'failed'] as const) {
    t.match(accountOf(session, { ...channel, phase }), { creditUnits: 0n, chargedUnits: 0n, limitBytes: 0n });
  }
  t.end();
});

t.test('no more is claimed than was deposited, though ticks have promised more', (t) => {
  const { voucher, coin } = testTicks({ tickValue: 1_000n });
  const ticks = { voucher, last: coin(3), renewedMs: 0, storedIndex: 3 };
  const { channel } = paid();
  t.equal(claimableUnits({ ...channel, ticks }, 4_050n, 1n), 4_050n);
  t.equal(claimableUnits({ ...channel, ticks, deposit: 3_000n }, 4_050n, 1n), 3_000n);
  t.end();
});
