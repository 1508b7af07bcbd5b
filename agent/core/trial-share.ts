/**
 * What one trial may take of the line: its part of what all trials share. The parts are powers of two, so that a trial more
 * or less seldom changes the others', and together they never exceed the share.
 */
import type { RateLimit } from './model.ts';

/**
 * @param share what all trials together may take
 * @param active how many there are, at least 1
 * @param own the limit of any guest, where there is one
 */
export function rateOfTrial(share: RateLimit, active: number, own: RateLimit | undefined): RateLimit {
  const parts = 2n ** BigInt(Math.ceil(Math.log2(Math.max(1, active))));
  const part = (rate: bigint, most: bigint | undefined): bigint => {
    const slice = rate / parts > 0n ? rate / parts : 1n;
    return most !== undefined && most < slice ? most : slice;
  };
  return {
    downBytesPerS: part(share.downBytesPerS, own?.downBytesPerS),
    upBytesPerS: part(share.upBytesPerS, own?.upBytesPerS),
  };
}
