import { join } from 'node:path';
import t from 'tap';
import { SqliteJournal } from '../../../../agent/adapters/journal/sqlite-journal.ts';
import type { Custody } from '../../../../agent/core/custody.ts';
import { carried, HOME, ID } from '../../core/support/hand-over.ts';
import '../../../support/own-testdir.ts';

function custody(sequence: bigint, isDelivered = false): Custody {
  return { self: HOME, last: carried({ sequence }), isDelivered };
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
  await second.commit([{ kind: 'custody-forgotten', channelId: ID }]);
  t.equal(second.load().custody, undefined);
  second.close();
});
