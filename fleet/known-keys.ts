/**
 * Public keys by their address, so that a signature of somebody who was here before is verified instead of recovered: a third
 * less work. Learnt from signatures that recovered to the address, never from what a sender says. In bounded memory.
 */
import type { Address } from '../protocol/address.ts';
import { BoundedCache } from './bounded-cache.ts';

/** Uncompressed, SEC 1: the compressed form would cost a square root each time. */
export const PUBLIC_KEY_BYTES = 65;
/** Some 40 MiB: the devices of a shard, or the guests that they serve. */
const DEFAULT_ROOM = 131_072;

export class KnownKeys {
  readonly #keys: BoundedCache<Uint8Array>;

  constructor(room = DEFAULT_ROOM) {
    this.#keys = new BoundedCache(room);
  }

  get size(): number {
    return this.#keys.size;
  }

  get(address: Address): Uint8Array | undefined {
    return this.#keys.get(address);
  }

  put(address: Address, key: Uint8Array): void {
    this.#keys.put(address, key);
  }
}
