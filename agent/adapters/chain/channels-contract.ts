/**
 * The calls of ShareChannels and of its token as call data, their results as values, their refusals as text.
 * Encoding only: nothing here talks to the chain.
 */
import { createContract, decodeError } from 'micro-eth-signer/abi.js';
import { SHARE_CHANNELS_ABI } from '../../../contracts/abi/share-channels.ts';
import { SHARE_REWARDS_ABI } from '../../../contracts/abi/share-rewards.ts';
import { SSP_TOKEN_ABI } from '../../../contracts/abi/ssp-token.ts';
import type { Address } from '../../../protocol/address.ts';
import type { ChannelConfig } from '../../../protocol/channel.ts';
import type { SignedAuthorization } from '../../../protocol/funding.ts';
import { bytesFromHex, type Hex, hexFromBytes } from '../../../protocol/hex.ts';
import { keccak256Text } from '../../../protocol/keccak.ts';
import type { CompactSignature } from '../../../protocol/signature.ts';
import type { TokenAmount } from '../../../protocol/units.ts';
import type { SignedVoucher } from '../../../protocol/voucher.ts';
import type { ChainChannel, ChainClaim } from '../../ports.ts';
import { unreachable } from './chain-error.ts';

const channelsContract = createContract(SHARE_CHANNELS_ABI);
const tokenContract = createContract(SSP_TOKEN_ABI);
const ERRORS = [...SHARE_CHANNELS_ABI, ...SHARE_REWARDS_ABI, ...SSP_TOKEN_ABI].filter(
  (entry) => entry.type === 'error',
);

export const OPENED_TOPIC = topicOf('Opened');
export const TOPPED_UP_TOPIC = topicOf('ToppedUp');
export const CLOSED_TOPIC = topicOf('Closed');

/** openWithAuthorization; `n` is the number whose depositNonce the payer signed. */
export function openData(config: ChannelConfig, authorization: SignedAuthorization, n: bigint): Hex {
  return hexFromBytes(
    channelsContract.openWithAuthorization.encodeInput({
      config: configArgument(config),
      amount: authorization.value,
      validAfter: authorization.validAfter,
      validBefore: authorization.validBefore,
      n,
      signature: signatureArgument(authorization.signature),
    }),
  );
}

/** claim: a batch, sent by payee or device. */
export function claimData(claims: readonly ChainClaim[]): Hex {
  return hexFromBytes(
    channelsContract.claim.encodeInput(
      claims.map(({ config, voucher, amount }) => claimArgument(config, voucher, amount)),
    ),
  );
}

/** close, sent by payee or device. */
export function closeData(config: ChannelConfig, voucher: SignedVoucher, amount: TokenAmount): Hex {
  return hexFromBytes(channelsContract.close.encodeInput(claimArgument(config, voucher, amount)));
}

/** closeWithSignature: the payee's or device's Close(channelId, amount), sent by anyone. */
export function closeWithSignatureData(
  config: ChannelConfig,
  voucher: SignedVoucher,
  amount: TokenAmount,
  closeSignature: CompactSignature,
): Hex {
  return hexFromBytes(
    channelsContract.closeWithSignature.encodeInput({
      finalClaim: claimArgument(config, voucher, amount),
      closeSignature: signatureArgument(closeSignature),
    }),
  );
}

/** reclaim: the rest back to the payer, sent by anyone from the expiry on. */
export function reclaimData(config: ChannelConfig): Hex {
  return hexFromBytes(channelsContract.reclaim.encodeInput(configArgument(config)));
}

export function channelQuery(id: Hex): Hex {
  return hexFromBytes(channelsContract.channels.encodeInput(bytesFromHex(id)));
}

export function channelFromResult(result: Hex): ChainChannel {
  const { deposit, claimed, exitAt, closed } = decoded('channels', () =>
    channelsContract.channels.decodeOutput(bytesFromHex(result)),
  );
  return { deposit, claimed, exitAt, isClosed: closed };
}

/** Asks ShareChannels for its token: also shows that the contract is there at all. */
export function tokenQuery(): Hex {
  return hexFromBytes(channelsContract.token.encodeInput());
}

export function tokenFromResult(result: Hex): Address {
  const token = decoded('token', () => channelsContract.token.decodeOutput(bytesFromHex(result)));
  return token.toLowerCase() as Address;
}

export function balanceQuery(owner: Address): Hex {
  return hexFromBytes(tokenContract.balanceOf.encodeInput(owner));
}

export function balanceFromResult(result: Hex): TokenAmount {
  return decoded('balanceOf', () => tokenContract.balanceOf.decodeOutput(bytesFromHex(result)));
}

/** EIP-3009: was this authorisation used already? */
export function authorizationQuery(authorization: SignedAuthorization): Hex {
  const { from, nonce } = authorization;
  return hexFromBytes(tokenContract.authorizationState.encodeInput({ authorizer: from, nonce: bytesFromHex(nonce) }));
}

export function isUsedFromResult(result: Hex): boolean {
  return decoded('authorizationState', () => tokenContract.authorizationState.decodeOutput(bytesFromHex(result)));
}

/** "AmountAboveDeposit(deposit: 5, got: 7)", or undefined if the bytes are no error of ours, or cut off: nodes send what they like. */
export function reasonFromRevert(data: Hex): string | undefined {
  const error = errorFrom(data);
  if (error === undefined) return undefined;
  const definition = ERRORS.find((entry) => entry.name === error.name);
  if (definition === undefined) return error.message;
  const values = definition.inputs.length === 1 ? [error.args] : Object.values(error.args ?? {});
  const parts = definition.inputs.map(({ name }, i) => `${name}: ${argumentText(values[i])}`);
  return `${error.name}(${parts.join(', ')})`;
}

export function claimArgument(config: ChannelConfig, voucher: SignedVoucher, amount: TokenAmount) {
  return {
    config: configArgument(config),
    amount,
    ceiling: voucher.amount,
    ackBytes: voucher.ackBytes,
    signature: signatureArgument(voucher.signature),
  };
}

export function configArgument(config: ChannelConfig) {
  const { payer, signer, payee, device, expiry, exitDelay, salt } = config;
  return { payer, signer, payee, device, expiry, exitDelay, salt: bytesFromHex(salt) };
}

export function signatureArgument(signature: CompactSignature) {
  const bytes = bytesFromHex(signature);
  return { r: bytes.subarray(0, 32), vs: bytes.subarray(32) };
}

function errorFrom(data: Hex): ReturnType<typeof decodeError> {
  try {
    return decodeError(data, ERRORS);
  } catch {
    return undefined;
  }
}

function decoded<T>(method: string, decode: () => T): T {
  try {
    return decode();
  } catch (error) {
    throw unreachable(`${method}: the node's answer does not fit the contract`, {
      cause: error,
    });
  }
}

function argumentText(value: unknown): string {
  return value instanceof Uint8Array ? hexFromBytes(value) : String(value);
}

function topicOf(name: 'Opened' | 'ToppedUp' | 'Closed'): Hex {
  const event = SHARE_CHANNELS_ABI.find((entry) => entry.type === 'event' && entry.name === name);
  if (event === undefined || !('inputs' in event)) throw new Error(`ShareChannels has no event ${name}`);
  return hexFromBytes(keccak256Text(`${name}(${event.inputs.map((input) => input.type).join(',')})`));
}
