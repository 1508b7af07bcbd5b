/**
 * Hand-over of a channel between routers of one owner: the router that serves it freezes it, and signs where it stands to
 * exactly one other router under the next number. Whoever holds the newest hand-over that names it may extend credit; an old
 * one, or one for another router, is worth nothing. Asking for one is signed too.
 */
import type { Address } from './address.ts';
import { type ChannelConfig, type ChannelsDeployment, channelsSeparator } from './channel.ts';
import { hashStruct, type StructType, typedDigest } from './eip712.ts';
import { type Hex, hexFromBytes } from './hex.ts';
import type { PaymentMode } from './open-wire.ts';
import type { Tick } from './payword.ts';
import type { CompactSignature } from './signature.ts';
import type { SignedTickVoucher } from './tick-voucher.ts';
import type { ByteCount, TokenAmount } from './units.ts';
import type { SignedVoucher } from './voucher.ts';

/** Where a channel stands when it leaves a router. All figures are cumulative over the channel's life, wherever it was. */
export type HandOver = {
  readonly channelId: Hex;
  /** 1 for the first; each router that gives it on adds 1. */
  readonly sequence: bigint;
  readonly from: Address;
  /** The one router that may go on with it. */
  readonly to: Address;
  readonly deposit: TokenAmount;
  /** Of the newest voucher. */
  readonly amount: TokenAmount;
  /** Spent so far, open fee included: never granted again. */
  readonly charged: TokenAmount;
  readonly downBytes: ByteCount;
  readonly upBytes: ByteCount;
  /** Time online that is charged: the free trial and the wait for the open are not in it. */
  readonly onlineMs: bigint;
  /** Free bytes granted before any credit. */
  readonly trialBytes: ByteCount;
  /** What the quote promised, wherever the guest goes on. */
  readonly unitsPerMb: TokenAmount;
  readonly unitsPerMinute: TokenAmount;
  readonly openFee: TokenAmount;
  readonly mode: PaymentMode;
  /** The guest has left for good: it comes home to be closed. */
  readonly isOver: boolean;
};

/** A hand-over with what the next router needs to go on: the channel, and what the guest has signed. */
export type CarriedChannel = {
  readonly handOver: HandOver;
  readonly config: ChannelConfig;
  readonly voucher: SignedVoucher;
  /** Credit by ticks: their voucher, and the furthest coin. */
  readonly ticks?: { readonly voucher: SignedTickVoucher; readonly last: Tick };
};

export type SignedCarriedChannel = CarriedChannel & { readonly signature: CompactSignature };

/**
 * One router asks another of the same owner. With `signer` (and zeros): which channel of this guest it serves. With
 * `channelId` and the `sequence` that follows the last: hand it over. The number makes it good once.
 */
export type RoamingQuery = {
  readonly asker: Address;
  readonly asked: Address;
  readonly signer: Address;
  readonly channelId: Hex;
  readonly sequence: bigint;
};

export type SignedRoamingQuery = RoamingQuery & { readonly signature: CompactSignature };

const HAND_OVER: StructType = {
  name: 'HandOver',
  fields: [
    ['channelId', 'bytes32'],
    ['sequence', 'uint64'],
    ['from', 'address'],
    ['to', 'address'],
    ['deposit', 'uint64'],
    ['amount', 'uint64'],
    ['charged', 'uint64'],
    ['downBytes', 'uint64'],
    ['upBytes', 'uint64'],
    ['onlineMs', 'uint64'],
    ['trialBytes', 'uint64'],
    ['unitsPerMb', 'uint64'],
    ['unitsPerMinute', 'uint64'],
    ['openFee', 'uint64'],
    ['isStream', 'uint8'],
    ['isOver', 'uint8'],
  ],
};

const HAND_OVER_TAKEN: StructType = { name: 'HandOverTaken', fields: [['handOver', 'bytes32']] };

const ROAMING_QUERY: StructType = {
  name: 'RoamingQuery',
  fields: [
    ['asker', 'address'],
    ['asked', 'address'],
    ['signer', 'address'],
    ['channelId', 'bytes32'],
    ['sequence', 'uint64'],
  ],
};

export function handOverDigest(deployment: ChannelsDeployment, { mode, isOver, ...rest }: HandOver): Uint8Array {
  const value = { ...rest, isStream: mode === 'stream' ? 1n : 0n, isOver: isOver ? 1n : 0n };
  return typedDigest(channelsSeparator(deployment), hashStruct(HAND_OVER, value));
}

/** What `to` signs once the hand-over is durable there: until then `from` brings it again and again. */
export function handOverTakenDigest(deployment: ChannelsDeployment, handOver: HandOver): Uint8Array {
  const digest = hexFromBytes(handOverDigest(deployment, handOver));
  return typedDigest(channelsSeparator(deployment), hashStruct(HAND_OVER_TAKEN, { handOver: digest }));
}

export function roamingQueryDigest(deployment: ChannelsDeployment, query: RoamingQuery): Uint8Array {
  return typedDigest(channelsSeparator(deployment), hashStruct(ROAMING_QUERY, query));
}
