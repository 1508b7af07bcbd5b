/**
 * Taking up a running session on another device: the channel's signer answers a challenge that the router made for that
 * device. The signature moves no money and means nothing for any other challenge, so who overhears it has gained nothing.
 */
import type { Address } from './address.ts';
import { type ChannelsDeployment, channelsSeparator } from './channel.ts';
import { hashStruct, type StructType, typedDigest } from './eip712.ts';
import type { Hex } from './hex.ts';
import { type CompactSignature, recoverSigner, signDigest } from './signature.ts';

export type Attach = {
  readonly channelId: Hex;
  /** 32 random bytes from the router, for one device, once. */
  readonly challenge: Hex;
};

export type SignedAttach = Attach & { readonly signature: CompactSignature };

/** JSON on the wire: {"v":1,"ch":"0x..","challenge":"0x..","sig":"0x<r||vs>"}. */
export type AttachJson = {
  readonly v: 1;
  readonly ch: Hex;
  readonly challenge: Hex;
  readonly sig: CompactSignature;
};

const ATTACH: StructType = {
  name: 'Attach',
  fields: [
    ['channelId', 'bytes32'],
    ['challenge', 'bytes32'],
  ],
};

export function attachDigest(deployment: ChannelsDeployment, { channelId, challenge }: Attach): Uint8Array {
  return typedDigest(channelsSeparator(deployment), hashStruct(ATTACH, { channelId, challenge }));
}

export function signAttach(deployment: ChannelsDeployment, attach: Attach, secretKey: Uint8Array): SignedAttach {
  return { ...attach, signature: signDigest(attachDigest(deployment, attach), secretKey) };
}

/** Address that signed, or undefined. Compare it with the channel's signer. */
export function attachSigner(deployment: ChannelsDeployment, attach: SignedAttach): Address | undefined {
  return recoverSigner(attachDigest(deployment, attach), attach.signature);
}

export function attachJsonFromAttach({ channelId, challenge, signature }: SignedAttach): AttachJson {
  return { v: 1, ch: channelId, challenge, sig: signature };
}
