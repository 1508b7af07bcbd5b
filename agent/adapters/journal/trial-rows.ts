/** What each MAC has used of the free allowance, on the last day it used any. */
import type { Database, Statement } from 'better-sqlite3';
import type { Mac } from '../../core/model.ts';
import { parseMac } from '../../core/names.ts';
import { toInteger } from './columns.ts';
import { JournalError } from './journal-error.ts';

export type StoredTrial = { readonly mac: Mac; readonly dayS: bigint; readonly usedBytes: bigint };

const DAY_S = 86_400n;

export class TrialRows {
  readonly #upsert: Statement;
  readonly #prune: Statement;
  readonly #all: Statement;
  #prunedForDayS: bigint | undefined;

  constructor(database: Database) {
    this.#upsert = database.prepare('INSERT OR REPLACE INTO trials (mac, day_s, used_bytes) VALUES (?, ?, ?)');
    this.#prune = database.prepare('DELETE FROM trials WHERE day_s NOT IN (?, ?)');
    this.#all = database.prepare('SELECT mac, day_s AS dayS, used_bytes AS usedBytes FROM trials ORDER BY day_s, mac');
  }

  store({ mac, dayS, usedBytes }: StoredTrial): void {
    if (this.#prunedForDayS !== dayS) {
      // Only today's rows mean anything; core bounds them (MAX_TRIAL_MACS). Yesterday's stay for a clock that steps back.
      this.#prune.run(toInteger(dayS, 'day'), dayS - DAY_S);
      this.#prunedForDayS = dayS;
    }
    this.#upsert.run(mac, toInteger(dayS, 'day'), toInteger(usedBytes, 'trial bytes'));
  }

  /** @throws JournalError JOURNAL_CORRUPT */
  all(): readonly StoredTrial[] {
    const rows = this.#all.all() as StoredTrial[];
    const bad = rows.find(({ mac }) => parseMac(mac) !== mac);
    if (bad !== undefined) throw new JournalError('JOURNAL_CORRUPT', `trial of ${bad.mac.slice(0, 40)}: not a MAC`);
    return rows;
  }
}
