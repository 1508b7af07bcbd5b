import { join } from 'node:path';
import t from 'tap';
import { SqliteJournal } from '../../../../agent/adapters/journal/sqlite-journal.ts';
import type { Custody } from '../../../../agent/core/custody.ts';
import { DEVICE, testChannel, testVoucher } from '../../core/support/story.ts';

const { id: channelId, config } = testChannel();

function custody(sequence: bigint, isDelivered = false): Custody {
  const handOver = {
    channelId,
    sequence,
    from: DEVICE,
    to: `0x${'d2'.repeat(20)}`,
    deposit: 10_000n,
    amount: 1_050n,
    charged: 450n,
    downBytes: 40_000_000n,
    upBytes: 7n,
    onlineMs: 5_000n,
    trialBytes: 0n,
    unitsPerMb: 10n,
    unitsPerMinute: 0n,
    openFee: 50n,
    mode: 'hold',
    isOver: false,
  } as const;
  return { self: DEVICE, last: { handOver, config, voucher: testVoucher(1_050n) }, isDelivered };
}

t.test('of each channel the newest hand-over stays, also over a restart, until its channel has expired', async (t) => {
  const path = join(t.testdir(), 'ledger.db');
  const first = new SqliteJournal({ path, windowMs: 0 });
  t.equal(first.load().custody, undefined);
  await first.commit([{ kind: 'custody', custody: custody(2n) }]);
  await first.commit([{ kind: 'custody', custody: custody(1n, true) }]);
  t.same(first.load().custody, [custody(2n)], 'an earlier one is not taken');
  await first.commit([{ kind: 'custody', custody: custody(2n, true) }]);
  await first.commit([{ kind: 'custody', custody: custody(2n, false) }]);
  first.close();
  const second = new SqliteJournal({ path, windowMs: 0 });
  t.same(second.load().custody, [custody(2n, true)], 'what was delivered stays delivered');
  await second.commit([{ kind: 'custody-forgotten', channelId }]);
  t.equal(second.load().custody, undefined);
  second.close();
});
