/** Claims by ticks: one channel in a transaction of its own, sent by payee or device. */
import { createContract } from 'micro-eth-signer/abi.js';
import { SHARE_CHANNELS_ABI } from '../../../contracts/abi/share-channels.ts';
import { type ChannelsDeployment, channelId } from '../../../protocol/channel.ts';
import { bytesFromHex, type Hex, hexFromBytes } from '../../../protocol/hex.ts';
import type { ChainTickClaim, ChainTx } from '../../ports.ts';
import { ChainError, unreachable } from './chain-error.ts';
import { configArgument, signatureArgument } from './channels-contract.ts';
import { type ChannelsReader, UNKNOWN_TX } from './channels-reader.ts';

export type TickClaimDeps = {
  readonly deployment: ChannelsDeployment;
  readonly reader: Pick<ChannelsReader, 'channel'>;
  /** Simulates, sends and waits. @throws ChainError */
  readonly execute: (data: Hex, purpose: string) => Promise<ChainTx>;
  /** What our own transactions for a purpose have cost, as far as it is still known. */
  readonly feeOf: (purpose: string) => bigint;
};

const channelsContract = createContract(SHARE_CHANNELS_ABI);

export function tickClaimData({ config, ticks: { voucher, last }, amount }: ChainTickClaim): Hex {
  return hexFromBytes(
    channelsContract.claimTicks.encodeInput({
      config: configArgument(config),
      amount,
      base: voucher.amount,
      anchor: bytesFromHex(voucher.anchor),
      tickValue: voucher.tickValue,
      ticks: voucher.ticks,
      index: BigInt(last.index),
      preimage: last.preimage,
      signature: signatureArgument(voucher.signature),
    }),
  );
}

/** Sends nothing if as much is claimed already, by whatever means: the claim is cumulative, so it is never paid twice. */
export async function claimTicks(deps: TickClaimDeps, claim: ChainTickClaim): Promise<ChainTx> {
  const { deployment, reader, execute, feeOf } = deps;
  const id = channelId(deployment, claim.config);
  const purpose = `ticks:${id}:${claim.amount}`;
  const isDone = async () => {
    const { deposit, claimed, isClosed } = await reader.channel(id);
    // Rolled back, perhaps: that it will not be mined again is not said yet.
    if (deposit === 0n) throw unreachable(`channel ${id} is not on the chain now`);
    return isClosed || claimed >= claim.amount;
  };
  const found = () => ({ tx: UNKNOWN_TX, feeWei: feeOf(purpose) });
  if (await isDone()) return found();
  try {
    return await execute(tickClaimData(claim), purpose);
  } catch (error) {
    // An earlier transaction of ours may have been mined since: then it is done.
    if (error instanceof ChainError && (await isDone())) return found();
    throw error;
  }
}
