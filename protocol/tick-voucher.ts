/**
 * A tick voucher: the guest's signature under `amount` plus a chain of coins worth tickValue each. The n-th preimage of the
 * chain raises the ceiling to amount + n * tickValue, without another signature. It stands beside the voucher of the same
 * channel: whichever allows more is claimed.
 */
import type { Address } from './address.ts';
import { type ChannelsDeployment, channelsSeparator } from './channel.ts';
import { hashStruct, type StructType, typedDigest } from './eip712.ts';
import { bytesFromHex, type Hex } from './hex.ts';
import { MAX_TICKS, type Tick } from './payword.ts';
import { type CompactSignature, recoverSigner, signDigest } from './signature.ts';
import { MAX_UINT64, type TokenAmount } from './units.ts';

export type TickVoucher = {
  readonly channelId: Hex;
  /** Cumulative ceiling before the first tick. */
  readonly amount: TokenAmount;
  /** Element 0 of the chain: what the ticks-th preimage becomes after `ticks` hashes. */
  readonly anchor: Hex;
  /** Units a tick is worth, 1..2^32-1. */
  readonly tickValue: TokenAmount;
  /** Length of the chain, 1..256. */
  readonly ticks: bigint;
};

export type SignedTickVoucher = TickVoucher & { readonly signature: CompactSignature };

export type TickVoucherFault = { readonly expected: string; readonly got: string };

/** JSON on the wire: {"v":1,"ch":"0x..","amt":"123456","anchor":"0x..","tickValue":"10","ticks":"64","sig":"0x<r||vs>"}. */
export type TickVoucherJson = {
  readonly v: 1;
  readonly ch: Hex;
  readonly amt: string;
  readonly anchor: Hex;
  readonly tickValue: string;
  readonly ticks: string;
  readonly sig: CompactSignature;
};

const TICK_VOUCHER: StructType = {
  name: 'TickVoucher',
  fields: [
    ['channelId', 'bytes32'],
    ['amount', 'uint64'],
    ['anchor', 'bytes32'],
    ['tickValue', 'uint32'],
    ['ticks', 'uint32'],
  ],
};

export function tickVoucherDigest(deployment: ChannelsDeployment, voucher: TickVoucher): Uint8Array {
  const { channelId, amount, anchor, tickValue, ticks } = voucher;
  return typedDigest(
    channelsSeparator(deployment),
    hashStruct(TICK_VOUCHER, { channelId, amount, anchor, tickValue, ticks }),
  );
}

/** @throws RangeError if the voucher could not be claimed to its last tick (see tickVoucherFault). */
export function signTickVoucher(
  deployment: ChannelsDeployment,
  voucher: TickVoucher,
  secretKey: Uint8Array,
): SignedTickVoucher {
  const fault = tickVoucherFault(voucher);
  if (fault !== undefined) throw new RangeError(`${fault.expected}, got ${fault.got}`);
  return { ...voucher, signature: signDigest(tickVoucherDigest(deployment, voucher), secretKey) };
}

/** Address that signed the voucher, or undefined. Compare it with the channel's signer. */
export function tickVoucherSigner(deployment: ChannelsDeployment, voucher: SignedTickVoucher): Address | undefined {
  return recoverSigner(tickVoucherDigest(deployment, voucher), voucher.signature);
}

/** What is wrong with a tick voucher's own numbers, or undefined: the contract refuses the same. */
export function tickVoucherFault(voucher: TickVoucher): TickVoucherFault | undefined {
  const { ticks, tickValue } = voucher;
  if (ticks < 1n || ticks > BigInt(MAX_TICKS)) return { expected: `ticks must be 1..${MAX_TICKS}`, got: `${ticks}` };
  if (tickValue < 1n) return { expected: 'tickValue must be at least 1', got: `${tickValue}` };
  const ceiling = tickCeiling(voucher, Number(ticks));
  return ceiling > MAX_UINT64
    ? { expected: 'amount + ticks * tickValue must be below 2^64', got: `${ceiling}` }
    : undefined;
}

/** Cumulative units that the payee may claim with the index-th preimage (0: with the signature alone). */
export function tickCeiling(voucher: TickVoucher, index: number): TokenAmount {
  return voucher.amount + BigInt(index) * voucher.tickValue;
}

/** Where checking a chain begins: its anchor as the coin of index 0. */
export function anchorTick(voucher: TickVoucher): Tick {
  return { index: 0, preimage: bytesFromHex(voucher.anchor) };
}

export function tickVoucherJsonFromTickVoucher(voucher: SignedTickVoucher): TickVoucherJson {
  return {
    v: 1,
    ch: voucher.channelId,
    amt: voucher.amount.toString(),
    anchor: voucher.anchor,
    tickValue: voucher.tickValue.toString(),
    ticks: voucher.ticks.toString(),
    sig: voucher.signature,
  };
}
