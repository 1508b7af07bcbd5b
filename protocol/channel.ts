/**
 * A payment channel between a guest (payer, signer) and a router's owner (payee), as the ShareChannels contract knows it.
 * The config is never stored on chain: its EIP-712 digest is the channel's id, so a digest binds chain, contract and parties.
 */

import type { Address } from './address.ts';
import { type Domain, domainSeparator, hashStruct, type StructType, typedDigest } from './eip712.ts';
import { bytesFromHex, bytesFromUint, concatBytes, type Hex, hexFromBytes } from './hex.ts';
import { keccak256Hex } from './keccak.ts';
import type { TokenAmount } from './units.ts';

export const CHANNELS_DOMAIN_NAME = 'SSP ShareChannels';
export const CHANNELS_DOMAIN_VERSION = '1';

export type ChannelConfig = {
  /** Who deposits, and who gets back what is not claimed. */
  readonly payer: Address;
  /** Whose key signs vouchers (for pass codes the payer itself). */
  readonly signer: Address;
  /** Who is paid: the owner. */
  readonly payee: Address;
  /** The router that serves the channel; may claim and close on the payee's behalf. */
  readonly device: Address;
  /** Unix seconds after which anyone may reclaim the rest for the payer. */
  readonly expiry: bigint;
  /** Seconds between the payer's exit request and reclaim. */
  readonly exitDelay: bigint;
  /** Makes otherwise equal channels distinct; a closed id never opens again. */
  readonly salt: Hex;
};

/** Where the channels live. */
export type ChannelsDeployment = { readonly chainId: bigint; readonly channels: Address };

export const CHANNEL_CONFIG: StructType = {
  name: 'ChannelConfig',
  fields: [
    ['payer', 'address'],
    ['signer', 'address'],
    ['payee', 'address'],
    ['device', 'address'],
    ['expiry', 'uint40'],
    ['exitDelay', 'uint40'],
    ['salt', 'bytes32'],
  ],
};
const OPEN: StructType = {
  name: 'Open',
  fields: [
    ['channelId', 'bytes32'],
    ['amount', 'uint64'],
    ['deadline', 'uint256'],
  ],
};
const CLOSE: StructType = {
  name: 'Close',
  fields: [
    ['channelId', 'bytes32'],
    ['amount', 'uint64'],
  ],
};
const EXIT: StructType = {
  name: 'Exit',
  fields: [
    ['channelId', 'bytes32'],
    ['deadline', 'uint256'],
  ],
};

export function channelsDomain(deployment: ChannelsDeployment): Domain {
  return {
    name: CHANNELS_DOMAIN_NAME,
    version: CHANNELS_DOMAIN_VERSION,
    chainId: deployment.chainId,
    verifyingContract: deployment.channels,
  };
}

/** 32-byte id: the EIP-712 digest of the config. */
export function channelId(deployment: ChannelsDeployment, config: ChannelConfig): Hex {
  return hexFromBytes(typedDigest(channelsSeparator(deployment), hashStruct(CHANNEL_CONFIG, config)));
}

/**
 * What the payer signs so that a permit or a plain approval can only go into this channel. `amount` is what the deposit
 * shall be afterwards: cumulative, like a voucher's, so that a replay adds nothing.
 */
export function openDigest(deployment: ChannelsDeployment, id: Hex, amount: TokenAmount, deadline: bigint): Uint8Array {
  return typedDigest(channelsSeparator(deployment), hashStruct(OPEN, { channelId: id, amount, deadline }));
}

/** What the payee's side signs to give the rest back at once: `amount` is the final claim. */
export function closeDigest(deployment: ChannelsDeployment, id: Hex, amount: TokenAmount): Uint8Array {
  return typedDigest(channelsSeparator(deployment), hashStruct(CLOSE, { channelId: id, amount }));
}

/** What the payer signs so that anyone may relay the request to leave. */
export function exitDigest(deployment: ChannelsDeployment, id: Hex, deadline: bigint): Uint8Array {
  return typedDigest(channelsSeparator(deployment), hashStruct(EXIT, { channelId: id, deadline }));
}

/** EIP-3009 nonce of the n-th deposit into a channel: keccak256(channelId || uint256 n). Binds the money to this channel. */
export function depositNonce(id: Hex, n: bigint): Hex {
  return keccak256Hex(concatBytes(bytesFromHex(id), bytesFromUint(n, 32)));
}

const separators = new Map<string, Uint8Array>();

/** Cached: a router signs for one deployment, a collector for a handful; the cap keeps hostile input from growing it. */
export function channelsSeparator(deployment: ChannelsDeployment): Uint8Array {
  const key = `${deployment.chainId}:${deployment.channels}`;
  const known = separators.get(key);
  if (known !== undefined) return known;
  if (separators.size >= 64) separators.clear();
  const separator = domainSeparator(channelsDomain(deployment));
  separators.set(key, separator);
  return separator;
}
