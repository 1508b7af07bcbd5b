/** What is given for nothing: the free allowance of each MAC on the last day it used any, and the owner's gifts of a day. */
import type { Database, Statement } from 'better-sqlite3';
import type { Mac } from '../../core/model.ts';
import { parseMac } from '../../core/names.ts';
import type { JournalSnapshot } from '../../ports.ts';
import { hexOf, toInteger, toOptionalBlob } from './columns.ts';
import { JournalError } from './journal-error.ts';

type StoredTrial = JournalSnapshot['trials'][number];
type TrialRow = {
  readonly mac: Mac;
  readonly dayS: bigint;
  readonly usedBytes: bigint;
  readonly key: Uint8Array | null;
};
type GiftRow = { readonly dayS: bigint; readonly bytes: bigint };

const DAY_S = 86_400n;

export class TrialRows {
  readonly #upsert: Statement;
  readonly #prune: Statement;
  readonly #all: Statement;
  readonly #give: Statement;
  readonly #given: Statement;
  #prunedForDayS: bigint | undefined;

  constructor(database: Database) {
    this.#upsert = database.prepare('INSERT OR REPLACE INTO trials (mac, day_s, used_bytes, key) VALUES (?, ?, ?, ?)');
    this.#prune = database.prepare('DELETE FROM trials WHERE day_s NOT IN (?, ?)');
    this.#all = database.prepare(
      'SELECT mac, day_s AS dayS, used_bytes AS usedBytes, key FROM trials ORDER BY day_s, mac',
    );
    this.#give = database.prepare('INSERT OR REPLACE INTO gifts (one, day_s, bytes) VALUES (1, ?, ?)');
    this.#given = database.prepare('SELECT day_s AS dayS, bytes FROM gifts');
  }

  store({ mac, dayS, usedBytes, key }: StoredTrial): void {
    if (this.#prunedForDayS !== dayS) {
      // Only today's rows mean anything; core bounds them (MAX_TRIAL_MACS). Yesterday's stay for a clock that steps back.
      this.#prune.run(toInteger(dayS, 'day'), dayS - DAY_S);
      this.#prunedForDayS = dayS;
    }
    this.#upsert.run(
      mac,
      toInteger(dayS, 'day'),
      toInteger(usedBytes, 'trial bytes'),
      toOptionalBlob(key, 20, 'key of a trial'),
    );
  }

  /** @throws JournalError JOURNAL_CORRUPT */
  all(): readonly StoredTrial[] {
    const rows = this.#all.all() as TrialRow[];
    const bad = rows.find(({ mac }) => parseMac(mac) !== mac);
    if (bad !== undefined) throw new JournalError('JOURNAL_CORRUPT', `trial of ${bad.mac.slice(0, 40)}: not a MAC`);
    return rows.map(({ key, ...row }) => (key === null ? row : { ...row, key: hexOf(key) }));
  }

  storeGifts({ dayS, bytes }: GiftRow): void {
    this.#give.run(toInteger(dayS, 'day'), toInteger(bytes, 'bytes given'));
  }

  gifts(): GiftRow | undefined {
    return this.#given.get() as GiftRow | undefined;
  }
}
