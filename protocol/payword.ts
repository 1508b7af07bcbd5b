/**
 * PayWord: a chain of keccak256 hashes whose anchor is under a signature, and whose preimages are coins. Revealing the n-th
 * preimage proves that its maker pays n ticks; a router checks it with one hash, and nobody can go forward without the maker.
 *
 * @see Rivest, Shamir, "PayWord and MicroMint: two simple micropayment schemes" (1996)
 */
import { concatBytes } from './hex.ts';
import { keccak256 } from './keccak.ts';

/** Longest chain: the contract hashes it in one transaction, and a router in far less than a signature takes. */
export const MAX_TICKS = 256;
/** A new signed voucher is due after this many ticks, or after RENEWAL_MS, whichever comes first. */
export const TICKS_PER_RENEWAL = 64;
export const RENEWAL_MS = 60_000;

/** A coin: `preimage` is 32 bytes that hash to the anchor in `index` steps. The anchor itself is index 0. */
export type Tick = { readonly index: number; readonly preimage: Uint8Array };

/** Yields no coin to whoever does not know it: the last preimage of a chain. 32 secret random bytes, never used twice. */
export type ChainSeed = Uint8Array;

/**
 * All words of a chain: element 0 is the anchor, element n the n-th preimage; element `ticks` is the seed.
 * @throws RangeError if ticks is not 1..256 or the seed not 32 bytes.
 */
export function tickChain(seed: ChainSeed, ticks: number): readonly Uint8Array[] {
  if (!Number.isInteger(ticks) || ticks < 1 || ticks > MAX_TICKS) {
    throw new RangeError(`a tick chain has 1..${MAX_TICKS} ticks, got ${ticks}`);
  }
  if (seed.length !== 32) throw new RangeError(`the seed of a tick chain has 32 bytes, got ${seed.length}`);
  const words = [concatBytes(seed)];
  let word = seed;
  for (let i = 0; i < ticks; i++) {
    word = keccak256(word);
    words.push(word);
  }
  return words.reverse();
}

/**
 * True if `tick` is a later coin of the chain that `known` is in: it hashes to it in exactly index - known.index steps.
 * At most 256 hashes, whatever the sender says.
 */
export function isLaterTick(known: Tick, tick: Tick): boolean {
  const steps = tick.index - known.index;
  if (!Number.isInteger(steps) || steps < 1 || steps > MAX_TICKS || tick.preimage.length !== 32) return false;
  let word = tick.preimage;
  for (let i = 0; i < steps; i++) word = keccak256(word);
  for (let i = 0; i < word.length; i++) if (word[i] !== known.preimage[i]) return false;
  return true;
}
