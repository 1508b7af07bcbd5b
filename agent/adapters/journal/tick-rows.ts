/**
 * Tick vouchers with the furthest coin of their chain. What is promised never decreases, in whatever order entries come: the
 * guard is in the SQL. An entry with less is normal: ticks of a chain may be written while its successor is on its way.
 */
import type { Database, Statement } from 'better-sqlite3';
import type { TickCredit } from '../../ports.ts';
import { hexOf, toBlob, toInteger } from './columns.ts';
import { JournalError } from './journal-error.ts';

type TickRow = {
  readonly id: Uint8Array;
  readonly base: bigint;
  readonly anchor: Uint8Array;
  readonly tick_value: bigint;
  readonly ticks: bigint;
  readonly signature: Uint8Array;
  readonly last_index: bigint;
  readonly preimage: Uint8Array;
};

export class TickRows {
  readonly #upsert: Statement;
  readonly #rowOf: Statement;
  readonly #delete: Statement;
  readonly #all: Statement;

  constructor(database: Database) {
    this.#rowOf = database.prepare('SELECT row FROM channels WHERE id = ?').pluck();
    // A chain that begins where the one before stands promises the same, and takes its place.
    this.#upsert = database.prepare(`
      INSERT INTO ticks (channel, base, anchor, tick_value, ticks, signature, last_index, preimage)
      VALUES (@row, @base, @anchor, @tickValue, @ticks, @signature, @index, @preimage)
      ON CONFLICT (channel) DO UPDATE SET base = excluded.base, anchor = excluded.anchor,
        tick_value = excluded.tick_value, ticks = excluded.ticks, signature = excluded.signature,
        last_index = excluded.last_index, preimage = excluded.preimage
      WHERE excluded.base + excluded.last_index * excluded.tick_value > ticks.base + ticks.last_index * ticks.tick_value
        OR (excluded.base >= ticks.base + ticks.last_index * ticks.tick_value AND excluded.signature <> ticks.signature)`);
    this.#delete = database.prepare('DELETE FROM ticks WHERE channel = (SELECT row FROM channels WHERE id = ?)');
    this.#all = database.prepare('SELECT c.id, t.* FROM ticks t JOIN channels c ON c.row = t.channel ORDER BY c.row');
  }

  /** @throws JournalError JOURNAL_REFUSED if the channel is not in the journal. */
  store({ voucher, last }: TickCredit): void {
    const row = this.#rowOf.get(toBlob(voucher.channelId, 32, 'channel id'));
    if (row === undefined) {
      throw new JournalError('JOURNAL_REFUSED', `ticks of channel ${voucher.channelId}, which is not in the journal`);
    }
    this.#upsert.run({
      row,
      base: toInteger(voucher.amount, 'base of a tick voucher'),
      anchor: toBlob(voucher.anchor, 32, 'anchor'),
      tickValue: voucher.tickValue,
      ticks: voucher.ticks,
      signature: toBlob(voucher.signature, 64, 'tick voucher signature'),
      index: BigInt(last.index),
      preimage: last.preimage,
    });
  }

  forget(channelId: TickCredit['voucher']['channelId']): void {
    this.#delete.run(toBlob(channelId, 32, 'channel id'));
  }

  all(): readonly TickCredit[] {
    return (this.#all.all() as TickRow[]).map((row) => ({
      voucher: {
        channelId: hexOf(row.id),
        amount: row.base,
        anchor: hexOf(row.anchor),
        tickValue: row.tick_value,
        ticks: row.ticks,
        signature: hexOf(row.signature),
      },
      last: { index: Number(row.last_index), preimage: new Uint8Array(row.preimage) },
    }));
  }
}
