/** Call data that moves tokens: into channels by permit, between accounts, and what was earned to the payee. Encoding only. */
import { createContract } from 'micro-eth-signer/abi.js';
import { SHARE_CHANNELS_ABI } from '../../../contracts/abi/share-channels.ts';
import { SSP_TOKEN_ABI } from '../../../contracts/abi/ssp-token.ts';
import type { Address } from '../../../protocol/address.ts';
import type { ChannelConfig } from '../../../protocol/channel.ts';
import { bytesFromHex, type Hex, hexFromBytes } from '../../../protocol/hex.ts';
import type { TokenAmount } from '../../../protocol/units.ts';
import type { Permit2Deposit, PermitDeposit } from '../../ports.ts';
import { unreachable } from './chain-error.ts';
import { configArgument, signatureArgument } from './channels-contract.ts';

const channelsContract = createContract(SHARE_CHANNELS_ABI);
const tokenContract = createContract(SSP_TOKEN_ABI);

/** openWithPermit: EIP-2612 and Open. */
export function openWithPermitData(config: ChannelConfig, permit: PermitDeposit): Hex {
  return hexFromBytes(
    channelsContract.openWithPermit.encodeInput({
      config: configArgument(config),
      deposit: permit.amount,
      deadline: permit.deadline,
      permitSignature: signatureArgument(permit.permitSignature),
      openSignature: signatureArgument(permit.openSignature),
    }),
  );
}

/** openWithPermit2; `n` is the number whose permit2Nonce the payer signed. */
export function openWithPermit2Data(config: ChannelConfig, permit: Permit2Deposit, n: bigint): Hex {
  return hexFromBytes(
    channelsContract.openWithPermit2.encodeInput({
      config: configArgument(config),
      amount: permit.amount,
      deadline: permit.deadline,
      n,
      signature: signatureArgument(permit.signature),
    }),
  );
}

/** transfer of the token's. */
export function transferData(to: Address, units: TokenAmount): Hex {
  return hexFromBytes(tokenContract.transfer.encodeInput({ to, value: units }));
}

/** withdraw: pays the payee what it earned, by anyone. */
export function withdrawData(payee: Address): Hex {
  return hexFromBytes(channelsContract.withdraw.encodeInput(payee));
}

export function earnedQuery(payee: Address): Hex {
  return hexFromBytes(channelsContract.earned.encodeInput(payee));
}

/** @throws ChainError unreachable if the node's answer is none */
export function earnedFromResult(result: Hex): TokenAmount {
  return decoded('earned', () => channelsContract.earned.decodeOutput(bytesFromHex(result)));
}

export function feeQuery(): Hex {
  return hexFromBytes(channelsContract.feeBasisPoints.encodeInput());
}

/** What the contract keeps of so many units, rounded up as it does. @throws ChainError unreachable */
export function feeFromResult(result: Hex, units: TokenAmount): TokenAmount {
  const basisPoints = decoded('feeBasisPoints', () =>
    channelsContract.feeBasisPoints.decodeOutput(bytesFromHex(result)),
  );
  return (units * basisPoints + 9_999n) / 10_000n;
}

function decoded<T>(method: string, decode: () => T): T {
  try {
    return decode();
  } catch (error) {
    throw unreachable(`${method}: the node's answer does not fit the contract`, { cause: error });
  }
}
