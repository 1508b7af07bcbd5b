/** Which of several collector processes keeps a device's chain: each has a directory, an address and devices of its own. */
import type { Address } from '../protocol/address.ts';

export type Shard = { readonly index: number; readonly count: number };

/** Addresses are hashes, so their last four bytes spread evenly. */
export function shardOf(device: Address, count: number): number {
  return Number.parseInt(device.slice(-8), 16) % count;
}

/** "0/2": the first of two. */
export function parseShard(text: string): Shard | undefined {
  const [, index, count] = /^(\d{1,3})\/(\d{1,3})$/.exec(text) ?? [];
  if (index === undefined || count === undefined || Number(index) >= Number(count)) return undefined;
  return { index: Number(index), count: Number(count) };
}
