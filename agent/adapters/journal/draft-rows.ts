/** Intervals that are closed but not signed yet, in their order. Stored with the sessions' proven marks, in one transaction. */
import type { Database, Statement } from 'better-sqlite3';
import type { DraftItem } from '../../ports.ts';
import { JournalError } from './journal-error.ts';

export class DraftRows {
  readonly #insert: Statement;
  readonly #update: Statement;
  readonly #delete: Statement;
  readonly #oldest: Statement;
  readonly #sizes: Statement;

  constructor(database: Database) {
    this.#insert = database.prepare('INSERT INTO drafts (run, body) VALUES (?, ?)');
    this.#update = database.prepare('UPDATE drafts SET body = ? WHERE id = ?');
    this.#delete = database.prepare('DELETE FROM drafts WHERE id = ?');
    this.#oldest = database.prepare('SELECT id, run, body FROM drafts ORDER BY id LIMIT ?');
    this.#sizes = database.prepare('SELECT count(*) AS count, coalesce(sum(length(body)), 0) AS bytes FROM drafts');
  }

  /** Ids are never used twice (AUTOINCREMENT): what was read of a draft stays true of its id. */
  store(run: string, body: Uint8Array): void {
    this.#insert.run(run, body);
  }

  replace(id: bigint, body: Uint8Array): void {
    if (this.#update.run(body, id).changes === 0) throw missing(id);
  }

  /** @throws JournalError JOURNAL_REFUSED if it is gone: an interval must not be signed or merged twice */
  remove(id: bigint): void {
    if (this.#delete.run(id).changes === 0) throw missing(id);
  }

  oldest(limit: number): readonly DraftItem[] {
    const rows = this.#oldest.all(BigInt(limit)) as DraftItem[];
    return rows.map(({ id, run, body }) => ({ id, run, body: new Uint8Array(body) }));
  }

  sizes(): { readonly drafts: number; readonly draftBytes: number } {
    const { count, bytes } = this.#sizes.get() as { count: bigint; bytes: bigint };
    return { drafts: Number(count), draftBytes: Number(bytes) };
  }
}

function missing(id: bigint): JournalError {
  return new JournalError('JOURNAL_REFUSED', `interval ${id} is not waiting to be signed any more`);
}
