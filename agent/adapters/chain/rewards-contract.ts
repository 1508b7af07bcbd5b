/**
 * What ShareRewards says about this device, and asking it to pay. Reads as two endpoints know them, where there are two;
 * a claim pays the device's operator, whoever sends it, and for a week only once.
 */
import { createContract } from 'micro-eth-signer/abi.js';
import { SHARE_CHANNELS_ABI } from '../../../contracts/abi/share-channels.ts';
import { SHARE_REWARDS_ABI } from '../../../contracts/abi/share-rewards.ts';
import type { Address } from '../../../protocol/address.ts';
import { bytesFromHex, type Hex, hexFromBytes } from '../../../protocol/hex.ts';
import type { ChainTx } from '../../ports.ts';
import type { RewardWeek } from '../../rewards-port.ts';
import { unreachable } from './chain-error.ts';
import { type ChainContext, execute } from './context.ts';

const rewardsContract = createContract(SHARE_REWARDS_ABI);
const channelsContract = createContract(SHARE_CHANNELS_ABI);

/** @throws ChainError */
export async function rewardWeek(
  { rpc, deployment }: Pick<ChainContext, 'rpc' | 'deployment'>,
  rewards: Address,
  device: Address,
  epoch: bigint,
): Promise<RewardWeek> {
  const ask = async <T>(to: Address, data: Uint8Array, decode: (result: Uint8Array) => T): Promise<T> => {
    const result: Hex = await rpc.agreed('eth_call', [{ to, data: hexFromBytes(data) }], 1n);
    try {
      return decode(bytesFromHex(result));
    } catch (cause) {
      throw unreachable(`ShareRewards at ${rewards} answers ${result.slice(0, 20)}, expected a word`, { cause });
    }
  };
  const { claimedFor } = channelsContract;
  const { rewardOf, isClaimed } = rewardsContract;
  const of = { device, epoch };
  const claimedUnits = await ask(deployment.channels, claimedFor.encodeInput(of), (word) =>
    claimedFor.decodeOutput(word),
  );
  const rewardUnits = await ask(rewards, rewardOf.encodeInput(of), (word) => rewardOf.decodeOutput(word));
  const isPaid = await ask(rewards, isClaimed.encodeInput(of), (word) => isClaimed.decodeOutput(word));
  return { epoch, claimedUnits, rewardUnits, isPaid };
}

/** Refused without gas if nothing is to be claimed, or the device is bound to no operator. @throws ChainError */
export function claimRewards(
  context: ChainContext,
  rewards: Address,
  device: Address,
  epochs: readonly bigint[],
): Promise<ChainTx> {
  const data = hexFromBytes(rewardsContract.claimUsage.encodeInput({ device, epochs: [...epochs] }));
  return execute(context, data, `reward:${device}:${epochs.join(',')}`, rewards);
}
