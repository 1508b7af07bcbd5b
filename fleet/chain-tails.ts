/**
 * Where each device's chain ends, in memory: nearly every proof follows the newest one, and then nothing has to be looked up.
 * What is not here is asked of the store; what a transaction that fails has changed is forgotten with everything else.
 */
import type { Address } from '../protocol/address.ts';
import type { Hex } from '../protocol/hex.ts';
import type { Verdict } from '../protocol/verdict.ts';
import { BoundedCache } from './bounded-cache.ts';
import type { Place } from './fleet-store.ts';
import type { UploadEntry } from './proof-entry.ts';

/** The newest proof of a chain: the highest number on file. */
export type ChainEnd = {
  readonly seq: bigint;
  readonly digest: Hex;
  readonly verdict: Verdict;
  readonly endS: bigint;
};

export type Tail = {
  readonly end: ChainEnd | undefined;
  /** Lowest number that is missing before `end`. */
  readonly firstGap: bigint | undefined;
  /** Whether any upload of the device is on file that did not join its chain. */
  readonly hasRejected: boolean;
};

export class ChainTails {
  readonly #tails: BoundedCache<Tail>;
  readonly #load: (device: Address) => Tail;

  constructor(room: number, load: (device: Address) => Tail) {
    this.#tails = new BoundedCache(room);
    this.#load = load;
  }

  of(device: Address): Tail {
    const known = this.#tails.get(device);
    if (known !== undefined) return known;
    const tail = this.#load(device);
    this.#tails.put(device, tail);
    return tail;
  }

  /** Takes up an entry that the store has taken up, from what `of` said before. */
  follow({ upload: { proof }, digest, judgement: { verdict, joinsChain } }: UploadEntry, before: Tail): void {
    const { device, seq, endS } = proof;
    if (!joinsChain) {
      this.#tails.put(device, { ...before, hasRejected: true });
      return;
    }
    const reached = before.end?.seq ?? -1n;
    // What fills a gap, or part of one: the store knows what is left.
    if (seq <= reached) {
      this.#tails.delete(device);
      return;
    }
    const firstGap = before.firstGap ?? (seq > reached + 1n ? reached + 1n : undefined);
    this.#tails.put(device, { end: { seq, digest, verdict, endS }, firstGap, hasRejected: before.hasRejected });
  }

  forget(device: Address): void {
    this.#tails.delete(device);
  }

  clear(): void {
    this.#tails.clear();
  }
}

/** Whether a proof of that number goes on where a chain without holes ends. */
export function isNextOf({ end, firstGap }: Tail, seq: bigint): boolean {
  return firstGap === undefined && seq === (end === undefined ? 0n : end.seq + 1n);
}

/** What is around a number behind the end of a chain, or undefined: it is not behind it. */
export function placeBehind({ end, hasRejected }: Tail, seq: bigint): Place | undefined {
  if (end === undefined || seq > end.seq + 1n) return { hasLater: false, hasRejected };
  if (seq <= end.seq) return undefined;
  const { digest, verdict, endS } = end;
  return { hasLater: false, hasRejected, before: verdict === 'clock-unsynced' ? { digest } : { digest, endS } };
}
