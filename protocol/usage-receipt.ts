/**
 * A receipt for the guest: what one channel has carried and cost so far, signed by the router's device key. Who holds it can show
 * what was metered and charged, and when; it moves no money.
 */
import type { Address } from './address.ts';
import { type ChannelsDeployment, channelsSeparator } from './channel.ts';
import { hashStruct, type StructType, typedDigest } from './eip712.ts';
import type { Hex } from './hex.ts';
import { type CompactSignature, recoverSigner } from './signature.ts';
import type { ByteCount, TokenAmount } from './units.ts';

export type UsageReceipt = {
  readonly device: Address;
  readonly channelId: Hex;
  readonly downBytes: ByteCount;
  readonly upBytes: ByteCount;
  /** Charged so far; final once the channel is settled. */
  readonly paidUnits: TokenAmount;
  readonly depositUnits: TokenAmount;
  /** Given back, and by which transaction; 0 and zeros until the channel is settled. */
  readonly refundUnits: TokenAmount;
  readonly refundTx: Hex;
  /** Unix seconds by the router's clock. */
  readonly issuedAt: bigint;
};

export type SignedUsageReceipt = UsageReceipt & { readonly signature: CompactSignature };

/** JSON form: amounts, bytes and times as decimal strings. */
export type UsageReceiptJson = { readonly v: 1 } & {
  readonly [Field in keyof SignedUsageReceipt]: SignedUsageReceipt[Field] extends bigint ? string : Hex;
};

const USAGE_RECEIPT: StructType = {
  name: 'UsageReceipt',
  fields: [
    ['device', 'address'],
    ['channelId', 'bytes32'],
    ['downBytes', 'uint64'],
    ['upBytes', 'uint64'],
    ['paidUnits', 'uint64'],
    ['depositUnits', 'uint64'],
    ['refundUnits', 'uint64'],
    ['refundTx', 'bytes32'],
    ['issuedAt', 'uint40'],
  ],
};

export function usageReceiptDigest(deployment: ChannelsDeployment, receipt: UsageReceipt): Uint8Array {
  return typedDigest(channelsSeparator(deployment), hashStruct(USAGE_RECEIPT, receipt));
}

/** True if the device that the receipt names has signed it. */
export function isUsageReceiptSigned(deployment: ChannelsDeployment, receipt: SignedUsageReceipt): boolean {
  return recoverSigner(usageReceiptDigest(deployment, receipt), receipt.signature) === receipt.device;
}

export function usageReceiptJson(receipt: SignedUsageReceipt): UsageReceiptJson {
  return {
    v: 1,
    device: receipt.device,
    channelId: receipt.channelId,
    downBytes: receipt.downBytes.toString(),
    upBytes: receipt.upBytes.toString(),
    paidUnits: receipt.paidUnits.toString(),
    depositUnits: receipt.depositUnits.toString(),
    refundUnits: receipt.refundUnits.toString(),
    refundTx: receipt.refundTx,
    issuedAt: receipt.issuedAt.toString(),
    signature: receipt.signature,
  };
}
