/** The gas key's transactions in the journal: read once, then every change is durable before it is true. */
import type { Hex } from '../../../protocol/hex.ts';
import type { JournalEntry, SentTransaction, TransactionLog } from '../../ports.ts';

/** `transactions` is asked at the first use: only then has the journal been checked, or given up for an empty one. */
export function journalTransactions(journal: {
  commit(entries: readonly JournalEntry[]): Promise<void>;
  transactions(): readonly SentTransaction[];
}): TransactionLog {
  let read: Map<Hex, SentTransaction> | undefined;
  const byHash = () => {
    read ??= new Map(journal.transactions().map((transaction) => [transaction.hash, transaction]));
    return read;
  };
  return {
    live: () => [...byHash().values()],
    store: async (transaction) => {
      await journal.commit([{ kind: 'transaction', transaction }]);
      if (transaction.state === 'final') byHash().delete(transaction.hash);
      else byHash().set(transaction.hash, transaction);
    },
  };
}
