/**
 * Public keys by their address, so that a signature of somebody who was here before is verified instead of recovered: a third
 * less work. Learnt from signatures that recovered to the address, never from what a sender says. In bounded memory: the key
 * learnt longest ago makes way.
 */
import type { Address } from '../protocol/address.ts';

/** Uncompressed, SEC 1: the compressed form would cost a square root each time. */
export const PUBLIC_KEY_BYTES = 65;
/** 4 MiB of keys, twice that for their names: the devices of a shard, or the guests that they serve. */
const DEFAULT_ROOM = 65_536;

export class KnownKeys {
  readonly #room: number;
  readonly #keys: Buffer;
  readonly #slots = new Map<Address, number>();
  readonly #names: Address[] = [];
  #next = 0;

  constructor(room = DEFAULT_ROOM) {
    this.#room = room;
    this.#keys = Buffer.alloc(room * PUBLIC_KEY_BYTES);
  }

  get size(): number {
    return this.#slots.size;
  }

  /** A view that the next `put` may change. */
  get(address: Address): Uint8Array | undefined {
    const slot = this.#slots.get(address);
    if (slot === undefined) return undefined;
    return this.#keys.subarray(slot * PUBLIC_KEY_BYTES, (slot + 1) * PUBLIC_KEY_BYTES);
  }

  put(address: Address, key: Uint8Array): void {
    if (this.#slots.has(address)) return;
    const slot = this.#next;
    this.#next = (slot + 1) % this.#room;
    const forgotten = this.#names[slot];
    if (forgotten !== undefined) this.#slots.delete(forgotten);
    this.#names[slot] = address;
    this.#slots.set(address, slot);
    this.#keys.set(key, slot * PUBLIC_KEY_BYTES);
  }
}
