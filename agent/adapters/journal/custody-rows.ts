/**
 * The newest hand-over of each channel that changed routers. Its number never decreases, whatever is asked: a router that
 * forgot it could take an old hand-over for a new one. Kept as the JSON that routers send each other: there are few of them.
 */
import type { Database, Statement } from 'better-sqlite3';
import { carriedText, decodeCarried } from '../../../protocol/hand-over-wire.ts';
import type { Hex } from '../../../protocol/hex.ts';
import { jsonIn } from '../../../protocol/json-text.ts';
import type { Custody } from '../../ports.ts';
import { hexOf, toBlob, toInteger } from './columns.ts';
import { JournalError } from './journal-error.ts';

type CustodyRow = {
  readonly id: Uint8Array;
  readonly self: Uint8Array;
  readonly carried: string;
  readonly delivered: bigint;
};

export class CustodyRows {
  readonly #upsert: Statement;
  readonly #delete: Statement;
  readonly #all: Statement;

  constructor(database: Database) {
    this.#upsert = database.prepare(`
      INSERT INTO custody (id, self, sequence, carried, delivered) VALUES (@id, @self, @sequence, @carried, @delivered)
      ON CONFLICT (id) DO UPDATE SET self = excluded.self, sequence = excluded.sequence, carried = excluded.carried,
        delivered = excluded.delivered
      WHERE excluded.sequence > custody.sequence
        OR (excluded.sequence = custody.sequence AND excluded.delivered > custody.delivered)`);
    this.#delete = database.prepare('DELETE FROM custody WHERE id = ?');
    this.#all = database.prepare('SELECT id, self, carried, delivered FROM custody ORDER BY id');
  }

  store({ self, last, isDelivered }: Custody): void {
    this.#upsert.run({
      id: toBlob(last.handOver.channelId, 32, 'channel id'),
      self: toBlob(self, 20, 'own address'),
      sequence: toInteger(last.handOver.sequence, 'sequence'),
      carried: carriedText(last),
      delivered: isDelivered ? 1n : 0n,
    });
  }

  forget(id: Hex): void {
    this.#delete.run(toBlob(id, 32, 'channel id'));
  }

  /** @throws JournalError JOURNAL_CORRUPT */
  all(): readonly Custody[] {
    return (this.#all.all() as CustodyRow[]).map(({ id, self, carried, delivered }) => {
      const decoded = decodeCarried(jsonIn(carried));
      if (!decoded.ok || decoded.value.handOver.channelId !== hexOf(id)) {
        throw new JournalError('JOURNAL_CORRUPT', `the hand-over of channel ${hexOf(id)} cannot be read`);
      }
      return { self: hexOf(self), last: decoded.value, isDelivered: delivered === 1n };
    });
  }
}
