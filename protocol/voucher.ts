/**
 * A voucher: the guest's signature under a cumulative ceiling. `amount` is the most the payee may ever claim from the
 * channel; `ackBytes` the cumulative metered bytes that the guest acknowledges. Only ever the newest one matters.
 */
import type { Address } from './address.ts';
import { type ChannelsDeployment, channelsSeparator } from './channel.ts';
import { encodeStruct, messageDigest, type StructType, type TypedMessage } from './eip712.ts';
import { type Hex, hexFromBytes } from './hex.ts';
import { type CompactSignature, recoverSigner, signDigest } from './signature.ts';
import type { ByteCount, TokenAmount } from './units.ts';

export type Voucher = {
  readonly channelId: Hex;
  readonly amount: TokenAmount;
  readonly ackBytes: ByteCount;
};

export type SignedVoucher = Voucher & { readonly signature: CompactSignature };

/** JSON on the wire: {"v":1,"ch":"0x..","amt":"123456","ack":"789","sig":"0x<r||vs>"}. */
export type VoucherJson = {
  readonly v: 1;
  readonly ch: Hex;
  readonly amt: string;
  readonly ack: string;
  readonly sig: CompactSignature;
};

export const VOUCHER: StructType = {
  name: 'Voucher',
  fields: [
    ['channelId', 'bytes32'],
    ['amount', 'uint64'],
    ['ackBytes', 'uint64'],
  ],
};

export function voucherDigest(deployment: ChannelsDeployment, voucher: Voucher): Uint8Array {
  return messageDigest(voucherMessage(deployment, voucher));
}

/** What a voucher's signature is under, not hashed yet. @throws RangeError naming the field that does not fit its type. */
export function voucherMessage(deployment: ChannelsDeployment, voucher: Voucher): TypedMessage {
  const { channelId, amount, ackBytes } = voucher;
  const separator = channelsSeparator(deployment);
  return { separator, struct: encodeStruct(VOUCHER, { channelId, amount, ackBytes }) };
}

/** Hex form of the digest, used as the voucher's name in receipts and proofs. */
export function voucherDigestHex(deployment: ChannelsDeployment, voucher: Voucher): Hex {
  return hexFromBytes(voucherDigest(deployment, voucher));
}

export function signVoucher(deployment: ChannelsDeployment, voucher: Voucher, secretKey: Uint8Array): SignedVoucher {
  return { ...voucher, signature: signDigest(voucherDigest(deployment, voucher), secretKey) };
}

/** Address that signed the voucher, or undefined. Compare it with the channel's signer. */
export function voucherSigner(deployment: ChannelsDeployment, voucher: SignedVoucher): Address | undefined {
  return recoverSigner(voucherDigest(deployment, voucher), voucher.signature);
}

export function voucherJsonFromVoucher(voucher: SignedVoucher): VoucherJson {
  return {
    v: 1,
    ch: voucher.channelId,
    amt: voucher.amount.toString(),
    ack: voucher.ackBytes.toString(),
    sig: voucher.signature,
  };
}
