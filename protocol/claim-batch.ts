/**
 * What payee or device signs so that anyone may relay a batch of claims: the amounts, channel by channel. Amounts are
 * cumulative, so relaying a batch twice, or an older one after a newer one, books nothing.
 */
import { type ChannelsDeployment, channelsSeparator } from './channel.ts';
import { hashStruct, type StructType, typedDigest } from './eip712.ts';
import { bytesFromHex, bytesFromUint, concatBytes, type Hex } from './hex.ts';
import { keccak256Hex } from './keccak.ts';
import type { TokenAmount } from './units.ts';

export type BatchedClaim = { readonly channelId: Hex; readonly amount: TokenAmount };

const CLAIM_BATCH: StructType = { name: 'ClaimBatch', fields: [['root', 'bytes32']] };

/** keccak256 of bytes32 channelId || uint256 amount, claim after claim, in the order they are relayed in. */
export function claimBatchRoot(claims: readonly BatchedClaim[]): Hex {
  const words = claims.map(({ channelId, amount }) => concatBytes(bytesFromHex(channelId), bytesFromUint(amount, 32)));
  return keccak256Hex(concatBytes(...words));
}

export function claimBatchDigest(deployment: ChannelsDeployment, claims: readonly BatchedClaim[]): Uint8Array {
  return typedDigest(channelsSeparator(deployment), hashStruct(CLAIM_BATCH, { root: claimBatchRoot(claims) }));
}
