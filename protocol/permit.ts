/**
 * The payer's other ways to let ShareChannels take a deposit by signature: EIP-2612, which binds no channel and therefore
 * needs an Open beside it, and Permit2 with the channel as witness - the only one for tokens without any permit, like SSP.
 *
 * @see EIP-2612; Uniswap Permit2, SignatureTransfer.permitWitnessTransferFrom
 */
import type { Address } from './address.ts';
import { depositNonce } from './channel.ts';
import { type Domain, domainSeparator, hashStruct, type StructType, typedDigest } from './eip712.ts';
import { bytesFromHex, bytesFromUint, concatBytes, type Hex, uintFromBytes } from './hex.ts';
import { keccak256, keccak256Text } from './keccak.ts';
import type { TokenAmount } from './units.ts';

/** EIP-2612. */
export type Permit = {
  readonly owner: Address;
  readonly spender: Address;
  readonly value: TokenAmount;
  readonly nonce: bigint;
  readonly deadline: bigint;
};

/** A Permit2 transfer that can go into one channel only. Its nonce is deposit n's: see permit2Nonce. */
export type ChannelPermit2 = {
  readonly token: Address;
  readonly amount: TokenAmount;
  /** ShareChannels. */
  readonly spender: Address;
  readonly nonce: bigint;
  readonly deadline: bigint;
  readonly channelId: Hex;
};

/** The same address on every chain that has it. */
export const PERMIT2_ADDRESS: Address = '0x000000000022d473030f116ddee9f6b43ac78ba3';

/** The type text that Permit2 is told, after its own "PermitWitnessTransferFrom(...,". Referenced types in alphabetical order. */
export const PERMIT2_WITNESS_TYPE =
  'ChannelDeposit witness)ChannelDeposit(bytes32 channelId)TokenPermissions(address token,uint256 amount)';

const PERMIT: StructType = {
  name: 'Permit',
  fields: [
    ['owner', 'address'],
    ['spender', 'address'],
    ['value', 'uint256'],
    ['nonce', 'uint256'],
    ['deadline', 'uint256'],
  ],
};
const CHANNEL_DEPOSIT: StructType = { name: 'ChannelDeposit', fields: [['channelId', 'bytes32']] };
const TOKEN_PERMISSIONS: StructType = {
  name: 'TokenPermissions',
  fields: [
    ['token', 'address'],
    ['amount', 'uint256'],
  ],
};
const WITNESS_TRANSFER_TYPE = `PermitWitnessTransferFrom(TokenPermissions permitted,address spender,uint256 nonce,uint256 deadline,${PERMIT2_WITNESS_TYPE}`;

/** Digest under the token's own domain. */
export function permitDigest(tokenDomain: Domain, permit: Permit): Uint8Array {
  const { owner, spender, value, nonce, deadline } = permit;
  return typedDigest(domainSeparator(tokenDomain), hashStruct(PERMIT, { owner, spender, value, nonce, deadline }));
}

/** Nonce of the n-th deposit into a channel: the number that is its EIP-3009 nonce too. Permit2 takes nonces in any order. */
export function permit2Nonce(channelId: Hex, n: bigint): bigint {
  return uintFromBytes(bytesFromHex(depositNonce(channelId, n)));
}

/** Digest under Permit2's domain, which has no version. */
export function permit2Digest(chainId: bigint, permit: ChannelPermit2, permit2: Address = PERMIT2_ADDRESS): Uint8Array {
  const { token, amount, spender, nonce, deadline, channelId } = permit;
  const struct = concatBytes(
    keccak256Text(WITNESS_TRANSFER_TYPE),
    hashStruct(TOKEN_PERMISSIONS, { token, amount }),
    new Uint8Array(12),
    bytesFromHex(spender),
    bytesFromUint(nonce, 32),
    bytesFromUint(deadline, 32),
    hashStruct(CHANNEL_DEPOSIT, { channelId }),
  );
  return typedDigest(permit2Separator(chainId, permit2), keccak256(struct));
}

function permit2Separator(chainId: bigint, permit2: Address): Uint8Array {
  return keccak256(
    concatBytes(
      keccak256Text('EIP712Domain(string name,uint256 chainId,address verifyingContract)'),
      keccak256Text('Permit2'),
      bytesFromUint(chainId, 32),
      new Uint8Array(12),
      bytesFromHex(permit2),
    ),
  );
}
