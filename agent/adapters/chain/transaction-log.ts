/** Transactions in memory only: for tools and tests that do not outlive what they send. The agent's are in its journal. */
import type { Hex } from '../../../protocol/hex.ts';
import type { SentTransaction, TransactionLog } from '../../ports.ts';

export function memoryTransactionLog(): TransactionLog {
  const byHash = new Map<Hex, SentTransaction>();
  return {
    live: () => [...byHash.values()],
    store: (transaction) => {
      if (transaction.state === 'final') byHash.delete(transaction.hash);
      else byHash.set(transaction.hash, transaction);
      return Promise.resolve();
    },
  };
}
