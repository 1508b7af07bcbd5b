/** Transactions before they are sent, and the totals of what the journal forgets, across reopening. */
import t, { type Test } from 'tap';
import { journalTransactions } from '../../../../agent/adapters/journal/journal-transactions.ts';
import { SqliteJournal } from '../../../../agent/adapters/journal/sqlite-journal.ts';
import type { SentTransaction } from '../../../../agent/ports.ts';
import type { Hex } from '../../../../protocol/hex.ts';
import { testChannel } from '../../core/support/story.ts';
import '../../../support/own-testdir.ts';

const GWEI = 1_000_000_000n;

t.test('a transaction is there after a restart, with the bytes that were signed', async (t) => {
  const path = pathFor(t);
  await using(path, async (journal) => {
    const log = journalTransactions(journal);
    await log.store(sent(1));
    await log.store(sent(2));
    await log.store({ ...sent(1), state: 'mined', block: 7n, feeWei: 5n * GWEI });
  });
  await using(path, (journal) => {
    const live = journalTransactions(journal).live();
    t.strictSame(live, [{ ...sent(1), state: 'mined', block: 7n, feeWei: 5n * GWEI }, sent(2)]);
    return Promise.resolve();
  });
});

t.test('a final one is dropped, and what it cost is in the totals once', async (t) => {
  const path = pathFor(t);
  await using(path, async (journal) => {
    const log = journalTransactions(journal);
    await log.store(sent(1));
    await log.store({ ...sent(1), state: 'final', feeWei: 5n * GWEI + 1n });
    await log.store({ ...sent(1), state: 'final', feeWei: 5n * GWEI + 1n });
    await log.store(sent(2));
    await log.store({ ...sent(2), state: 'final' });
    t.strictSame(log.live(), []);
  });
  await using(path, (journal) => {
    t.strictSame(journal.load().totals, { channels: 0n, units: 0n, gasGwei: 6n });
    t.strictSame(journal.transactions(), []);
    return Promise.resolve();
  });
});

t.test('a settled channel is forgotten with its units in the totals, once; a failed one leaves none', async (t) => {
  const path = pathFor(t);
  const settled = testChannel({ phase: 'settled', deposit: 10_000n, closeUnits: 700n, claimedUnits: 200n, gasWei: 9n });
  const failed = testChannel({ id: `0x${'c2'.repeat(32)}`, phase: 'failed' });
  const ofFailed = { ...failed, voucher: { ...failed.voucher, channelId: failed.id } };
  await using(path, async (journal) => {
    await journal.commit([{ kind: 'channel', channel: settled }]);
    await journal.commit([{ kind: 'channel', channel: ofFailed }]);
    t.match(journal.load().channels[0], { claimedUnits: 200n, gasWei: 9n });
    for (const channel of [settled, ofFailed, settled]) await journal.commit([{ kind: 'channel-forgotten', channel }]);
  });
  await using(path, (journal) => {
    const { channels, totals } = journal.load();
    t.strictSame(channels, []);
    t.strictSame(totals, { channels: 1n, units: 700n, gasGwei: 0n });
    return Promise.resolve();
  });
});

t.test('what cannot be stored is not true: the log stays as it was', async (t) => {
  const log = journalTransactions({
    commit: () => Promise.reject(new Error('disk: no')),
    transactions: () => [],
  });
  await t.rejects(log.store(sent(1)), { message: 'disk: no' });
  t.strictSame(log.live(), []);
});

function sent(seed: number): SentTransaction {
  const hash: Hex = `0x${seed.toString(16).padStart(2, '0').repeat(32)}`;
  return { hash, nonce: BigInt(seed), raw: '0x02f86b', purpose: `close:${hash}`, state: 'sent' };
}

function pathFor(t: Test): string {
  return `${t.testdir({})}/ledger.db`;
}

async function using(path: string, work: (journal: SqliteJournal) => Promise<void>): Promise<void> {
  const journal = new SqliteJournal({ path });
  try {
    await work(journal);
  } finally {
    journal.close();
  }
}
