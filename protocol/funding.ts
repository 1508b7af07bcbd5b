/**
 * EIP-3009 receiveWithAuthorization: one signature moves the deposit from the payer into the ShareChannels contract.
 * Its nonce is depositNonce(channelId, n), so whoever relays it can open exactly this channel and no other.
 *
 * @see EIP-3009, "receiveWithAuthorization"
 */
import type { Address } from './address.ts';
import { type Domain, domainSeparator, hashStruct, type StructType, typedDigest } from './eip712.ts';
import type { Hex } from './hex.ts';
import type { CompactSignature } from './signature.ts';
import type { TokenAmount } from './units.ts';

export type TransferAuthorization = {
  readonly from: Address;
  readonly to: Address;
  readonly value: TokenAmount;
  readonly validAfter: bigint;
  readonly validBefore: bigint;
  readonly nonce: Hex;
};

export type SignedAuthorization = TransferAuthorization & { readonly signature: CompactSignature };

const RECEIVE_WITH_AUTHORIZATION: StructType = {
  name: 'ReceiveWithAuthorization',
  fields: [
    ['from', 'address'],
    ['to', 'address'],
    ['value', 'uint256'],
    ['validAfter', 'uint256'],
    ['validBefore', 'uint256'],
    ['nonce', 'bytes32'],
  ],
};

/** Digest under the token's own domain (name and version as the token states them). */
export function authorizationDigest(tokenDomain: Domain, authorization: TransferAuthorization): Uint8Array {
  const { from, to, value, validAfter, validBefore, nonce } = authorization;
  return typedDigest(
    domainSeparator(tokenDomain),
    hashStruct(RECEIVE_WITH_AUTHORIZATION, { from, to, value, validAfter, validBefore, nonce }),
  );
}
