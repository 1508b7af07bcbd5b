/** Opens that guests had relayed: what the limits on spending gas are counted from, so that a restart gives no new ones. */
import type { Database, Statement } from 'better-sqlite3';
import { MAX_OPENS_PER_DAY } from '../../core/limits.ts';
import type { Mac } from '../../core/model.ts';
import { parseMac } from '../../core/names.ts';
import type { JournalEntry, StoredOpen } from '../../ports.ts';
import { toInteger } from './columns.ts';
import { JournalError } from './journal-error.ts';

export class OpenRows {
  readonly #insert: Statement;
  readonly #prune: Statement;
  readonly #removeNewest: Statement;
  readonly #all: Statement;

  constructor(database: Database) {
    this.#insert = database.prepare('INSERT INTO opens (mac, at_s) VALUES (?, ?)');
    this.#prune = database.prepare('DELETE FROM opens WHERE row <= (SELECT max(row) FROM opens) - ?');
    this.#removeNewest = database.prepare('DELETE FROM opens WHERE row = (SELECT max(row) FROM opens WHERE mac = ?)');
    this.#all = database.prepare('SELECT mac, at_s AS atS FROM opens ORDER BY row');
  }

  store(entry: Extract<JournalEntry, { readonly kind: 'open' | 'open-refused' }>): void {
    if (entry.kind === 'open-refused') {
      this.#removeNewest.run(entry.mac);
      return;
    }
    this.#insert.run(entry.mac, toInteger(entry.atS, 'time of an open'));
    this.#prune.run(BigInt(MAX_OPENS_PER_DAY));
  }

  /** Oldest first. @throws JournalError JOURNAL_CORRUPT */
  all(): readonly StoredOpen[] {
    const rows = this.#all.all() as { readonly mac: Mac; readonly atS: bigint }[];
    const bad = rows.find(({ mac }) => parseMac(mac) !== mac);
    if (bad !== undefined) throw new JournalError('JOURNAL_CORRUPT', `open of ${bad.mac.slice(0, 40)}: not a MAC`);
    return rows;
  }
}
