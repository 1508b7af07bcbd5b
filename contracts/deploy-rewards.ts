/** Deploys DeviceRegistry and ShareRewards beside a ShareChannels that is there already. */
import { deployContract } from 'micro-eth-signer/abi.js';
import { type Address, ZERO_ADDRESS } from '../protocol/address.ts';
import type { Hex } from '../protocol/hex.ts';
import { epochOf } from '../protocol/rewards.ts';
import { addressFromSecretKey } from '../protocol/signature.ts';
import type { TokenAmount } from '../protocol/units.ts';
import { DEVICE_REGISTRY_ABI } from './abi/device-registry.ts';
import { SHARE_REWARDS_ABI } from './abi/share-rewards.ts';
import registryArtifact from './artifacts/DeviceRegistry.json' with { type: 'json' };
import rewardsArtifact from './artifacts/ShareRewards.json' with { type: 'json' };
import { create, type Deployment, recordAddresses, request } from './deploy.ts';

/** The growth stream; its part of the budgets cannot be changed later. */
export type GrowthTerms = {
  readonly publisher: Address;
  readonly auditor: Address;
  readonly basisPoints: bigint;
  readonly maxPerEpoch: TokenAmount;
  readonly bond: TokenAmount;
};

export type RewardsOptions = {
  /** Names vendors. Default: the deployer. */
  readonly registrar?: Address;
  /** Default: the week of the newest block. */
  readonly firstEpoch?: bigint;
  /** Default: no growth stream. */
  readonly growth?: GrowthTerms;
  /** JSON file that keeps the addresses of each chain; updated if given. */
  readonly recordPath?: string;
};

export type RewardsDeployment = {
  readonly registry: Address;
  readonly rewards: Address;
  readonly firstEpoch: bigint;
  readonly gas: { readonly registry: bigint; readonly rewards: bigint };
};

const NO_GROWTH: GrowthTerms = {
  publisher: ZERO_ADDRESS,
  auditor: ZERO_ADDRESS,
  basisPoints: 0n,
  maxPerEpoch: 0n,
  bond: 0n,
};

/**
 * The reserve is not moved here: send the mining part of the supply to `rewards` to let it pay.
 * @throws Error if the node cannot be reached or refuses.
 */
export async function deployRewards(
  rpcUrl: string,
  secretKey: Uint8Array,
  { chainId, token, channels }: Pick<Deployment, 'chainId' | 'token' | 'channels'>,
  options: RewardsOptions = {},
): Promise<RewardsDeployment> {
  const { registrar = addressFromSecretKey(secretKey), growth = NO_GROWTH } = options;
  const block = await request<{ timestamp: Hex }>(rpcUrl, 'eth_getBlockByNumber', 'latest', false);
  const firstEpoch = options.firstEpoch ?? epochOf(BigInt(block.timestamp));
  const registryArgs = { registrar_: registrar, token_: token };
  const registryCreation = deployContract(DEVICE_REGISTRY_ABI, registryArtifact.bytecode, registryArgs);
  const registry = await create(rpcUrl, secretKey, registryCreation);
  const args = { channels_: channels, registry_: registry.address, firstEpoch_: firstEpoch, growth };
  const creation = deployContract(SHARE_REWARDS_ABI, rewardsArtifact.bytecode, args);
  const rewards = await create(rpcUrl, secretKey, creation);
  if (options.recordPath !== undefined) {
    const addresses = { registry: registry.address, rewards: rewards.address, firstEpoch: firstEpoch.toString() };
    recordAddresses(options.recordPath, chainId, addresses);
  }
  const gas = { registry: registry.gasUsed, rewards: rewards.gasUsed };
  return { registry: registry.address, rewards: rewards.address, firstEpoch, gas };
}
