/**
 * What transactions cost, in gas as measured on the contracts (contracts/gas-snapshot.json) and rounded up, and in SSP by the
 * owner's own measure: openFee is what the owner asks for the gas of one open.
 */
import type { TokenAmount } from '../../protocol/units.ts';

export const OPEN_GAS = 110_000n;
export const CLOSE_GAS = 100_000n;
export const BATCH_GAS = 55_000n;
export const CLAIM_GAS = 22_000n;
/** claimTicks: one channel, a transaction of its own, a chain of 256 hashes. */
export const TICK_CLAIM_GAS = 80_000n;

/** Base units that `gas` is worth to an owner who asks `openFee` for an open; rounded up. */
export function gasUnits(gas: bigint, openFee: TokenAmount): TokenAmount {
  return (gas * openFee + OPEN_GAS - 1n) / OPEN_GAS;
}
