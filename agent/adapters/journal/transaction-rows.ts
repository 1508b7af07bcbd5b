/** Transactions of the gas key that may still be sent again, with their signed bytes; what final ones cost is in the totals. */
import type { Database, Statement } from 'better-sqlite3';
import { bytesFromHex, hexFromBytes } from '../../../protocol/hex.ts';
import type { SentTransaction, TransactionState } from '../../ports.ts';
import { hexOf, oneOf, toBlob, toInteger } from './columns.ts';
import type { TotalRows } from './total-rows.ts';

type TransactionRow = {
  readonly hash: Uint8Array;
  readonly nonce: bigint;
  readonly raw: Uint8Array;
  readonly purpose: string;
  readonly state: string;
  readonly block: bigint | null;
  readonly fee_wei: bigint | null;
};

const STATES = Object.keys({
  sent: true,
  mined: true,
  reverted: true,
  replaced: true,
  final: true,
} satisfies Record<TransactionState, true>) as TransactionState[];

const WEI_PER_GWEI = 1_000_000_000n;

export class TransactionRows {
  readonly #totals: TotalRows;
  readonly #upsert: Statement;
  readonly #delete: Statement;
  readonly #all: Statement;

  constructor(database: Database, totals: TotalRows) {
    this.#totals = totals;
    this.#upsert = database.prepare(`
      INSERT INTO transactions (hash, nonce, raw, purpose, state, block, fee_wei)
      VALUES (@hash, @nonce, @raw, @purpose, @state, @block, @feeWei)
      ON CONFLICT (hash) DO UPDATE SET state = excluded.state, block = excluded.block, fee_wei = excluded.fee_wei`);
    this.#delete = database.prepare('DELETE FROM transactions WHERE hash = ?');
    this.#all = database.prepare('SELECT * FROM transactions ORDER BY row');
  }

  store({ hash, nonce, raw, purpose, state, block, feeWei }: SentTransaction): void {
    const hashBlob = toBlob(hash, 32, 'transaction hash');
    if (state === 'final') {
      const { changes } = this.#delete.run(hashBlob);
      // Rounded up, so that the totals never name less than was paid.
      if (changes > 0) this.#totals.add('gas-gwei', ((feeWei ?? 0n) + WEI_PER_GWEI - 1n) / WEI_PER_GWEI);
      return;
    }
    this.#upsert.run({
      hash: hashBlob,
      nonce: toInteger(nonce, 'nonce'),
      raw: bytesFromHex(raw),
      purpose,
      state,
      block: block === undefined ? null : toInteger(block, 'block'),
      feeWei: feeWei === undefined ? null : toInteger(feeWei, 'fee'),
    });
  }

  /** In the order in which they were first stored. @throws JournalError JOURNAL_CORRUPT */
  all(): readonly SentTransaction[] {
    return (this.#all.all() as TransactionRow[]).map((row) => ({
      hash: hexOf(row.hash),
      nonce: row.nonce,
      raw: hexFromBytes(row.raw),
      purpose: row.purpose,
      state: oneOf(STATES, row.state, `state of transaction ${hexOf(row.hash)}`),
      ...(row.block === null ? {} : { block: row.block }),
      ...(row.fee_wei === null ? {} : { feeWei: row.fee_wei }),
    }));
  }
}
