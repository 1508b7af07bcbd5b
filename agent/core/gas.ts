/**
 * What transactions cost, in gas as measured on the contracts (contracts/gas-snapshot.json) and rounded up, and in SSP by the
 * owner's own measure: what the gas of one open is worth. Nobody's gas is free, however small the fee that guests are asked.
 */
import type { TokenAmount } from '../../protocol/units.ts';

export const OPEN_GAS = 110_000n;
export const CLOSE_GAS = 100_000n;
export const BATCH_GAS = 55_000n;
export const CLAIM_GAS = 22_000n;
/** claimTicks: one channel, a transaction of its own, a chain of 256 hashes. */
export const TICK_CLAIM_GAS = 80_000n;
/** Of a token, to a new account. */
export const TRANSFER_GAS = 65_000n;

/** 0.05 SSP, the usual open fee: what an open's gas is worth to an owner who asks nothing for it and says nothing. */
const DEFAULT_OPEN_GAS_UNITS: TokenAmount = 500n;

/** Base units that the gas of one open is worth: `chosen` by the owner, or else what guests pay for it, if they pay; above 0. */
export function openGasUnits(openFee: TokenAmount, chosen?: TokenAmount): TokenAmount {
  if (chosen !== undefined) return chosen;
  return openFee > 0n ? openFee : DEFAULT_OPEN_GAS_UNITS;
}

/** Base units that `gas` is worth where an open's is worth `openUnits`; rounded up. */
export function gasUnits(gas: bigint, openUnits: TokenAmount): TokenAmount {
  return (gas * openUnits + OPEN_GAS - 1n) / OPEN_GAS;
}
