/**
 * What is proven of each channel, in memory in front of the table: read once, written once a commit, however many proofs of a
 * channel it has. What is not here is asked of the table; what a transaction that fails has changed is forgotten.
 */
import type { Hex } from '../protocol/hex.ts';
import { BoundedCache } from './bounded-cache.ts';
import type { ProvenChannel } from './judge-proof.ts';

export type ChannelTable = {
  readonly read: (id: Hex) => ProvenChannel;
  readonly write: (id: Hex, proven: ProvenChannel) => void;
};

export class ChannelTotals {
  readonly #table: ChannelTable;
  readonly #known: BoundedCache<ProvenChannel>;
  /** Of the open transaction. */
  readonly #changed = new Map<Hex, ProvenChannel>();
  /** Of transactions that have ended since the last commit. */
  readonly #unwritten = new Map<Hex, ProvenChannel>();

  constructor(room: number, table: ChannelTable) {
    this.#known = new BoundedCache(room);
    this.#table = table;
  }

  of(id: Hex): ProvenChannel {
    const known = this.#changed.get(id) ?? this.#unwritten.get(id) ?? this.#known.get(id);
    if (known !== undefined) return known;
    const read = this.#table.read(id);
    this.#known.put(id, read);
    return read;
  }

  add(id: Hex, share: ProvenChannel): void {
    const before = this.of(id);
    this.#changed.set(id, { bytes: before.bytes + share.bytes, paid: before.paid + share.paid });
  }

  /** The transaction has ended well. */
  keep(): void {
    for (const [id, proven] of this.#changed) this.#unwritten.set(id, proven);
    this.#changed.clear();
  }

  /** The transaction has failed. */
  abandon(): void {
    this.#changed.clear();
  }

  /** Before what has ended is committed. */
  write(): void {
    for (const [id, proven] of this.#unwritten) {
      this.#table.write(id, proven);
      this.#known.put(id, proven);
    }
    this.#unwritten.clear();
  }

  clear(): void {
    this.#changed.clear();
    this.#unwritten.clear();
    this.#known.clear();
  }
}
