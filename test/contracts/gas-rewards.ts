/** Gas of ticks, relayed batches, the registry and rewards; see gas-rows.ts. */
import { createContract } from 'micro-eth-signer/abi.js';
import { claimArgument, configArgument, signatureArgument } from '../../agent/adapters/chain/channels-contract.ts';
import { DEVICE_REGISTRY_ABI } from '../../contracts/abi/device-registry.ts';
import { SHARE_REWARDS_ABI } from '../../contracts/abi/share-rewards.ts';
import { deployRewards } from '../../contracts/deploy-rewards.ts';
import { type ChannelConfig, channelId } from '../../protocol/channel.ts';
import { claimBatchDigest } from '../../protocol/claim-batch.ts';
import { deviceBindingDigest } from '../../protocol/device-binding.ts';
import { bytesFromHex, type Hex, hexFromBytes } from '../../protocol/hex.ts';
import { keccak256Text } from '../../protocol/keccak.ts';
import { merkleRoot } from '../../protocol/merkle.ts';
import { tickChain } from '../../protocol/payword.ts';
import { EPOCH_S, growthLeaf } from '../../protocol/rewards.ts';
import { bytes32FromText } from '../../protocol/short-text.ts';
import { type CompactSignature, signDigest } from '../../protocol/signature.ts';
import { signTickVoucher } from '../../protocol/tick-voucher.ts';
import {
  GENESIS_PREV,
  type RegistryDeployment,
  type TrafficProof,
  trafficProofDigest,
} from '../../protocol/traffic-proof.ts';
import { vendorAttestationDigest } from '../../protocol/vendor-attestation.ts';
import type { Account, AnvilWithContracts } from '../support/anvil.ts';
import { channelsContract, FAR_FUTURE, type Scene, tokenContract } from '../support/channel-scene.ts';
import type { GasRow } from './gas-row.ts';

type Bench = {
  readonly anvil: AnvilWithContracts;
  readonly scene: Scene;
  readonly holder: Account;
  readonly payer: Account;
  readonly device: Account;
  readonly relayer: Account;
};

const registryContract = createContract(DEVICE_REGISTRY_ABI);
const rewardsContract = createContract(SHARE_REWARDS_ABI);

/** The device claims by the n-th preimage of a chain of n ticks; the channel is claimed from already. */
export async function measureTicks({ scene, payer, device }: Bench, config: ChannelConfig): Promise<readonly GasRow[]> {
  const rows: GasRow[] = [];
  for (const [i, ticks] of [16, 64, 256].entries()) {
    const words = tickChain(keccak256Text(`gas ${ticks}`), ticks);
    const voucher = {
      channelId: channelId(scene.deployment, config),
      amount: 600_000n + 10_000n * BigInt(i),
      anchor: hexFromBytes(words[0] as Uint8Array),
      tickValue: 10n,
      ticks: BigInt(ticks),
    };
    const { signature } = signTickVoucher(scene.deployment, voucher, payer.secretKey);
    const { amount: base, anchor, tickValue } = voucher;
    const data = channelsContract.claimTicks.encodeInput({
      config: configArgument(config),
      amount: base + 10n * BigInt(ticks),
      base,
      anchor: bytesFromHex(anchor),
      tickValue,
      ticks: voucher.ticks,
      index: voucher.ticks,
      preimage: words[ticks] as Uint8Array,
      signature: signatureArgument(signature),
    });
    const { gasUsed } = await scene.send(device, scene.channels, data);
    rows.push({ operation: `claim ticks, ${ticks}`, gas: Number(gasUsed) });
  }
  return rows;
}

/** A batch of channels that were not claimed from, relayed under the device's signature. */
export async function measureRelayedBatch(bench: Bench, configs: readonly ChannelConfig[]): Promise<GasRow> {
  const { scene, payer, device, relayer } = bench;
  const amount = 100_000n;
  const batch = configs.map((config) => ({ channelId: channelId(scene.deployment, config), amount }));
  const data = channelsContract.claimWithSig.encodeInput({
    claims: configs.map((config) => claimArgument(config, scene.voucher(config, amount, payer), amount)),
    batchSignature: signatureArgument(signDigest(claimBatchDigest(scene.deployment, batch), device.secretKey)),
  });
  const { gasUsed } = await scene.send(relayer, scene.channels, data);
  return { operation: `claim relayed, ${configs.length} in all`, gas: Number(gasUsed) };
}

/** Registry and rewards in the order of a device's life. Time goes on by three weeks; `earn` has units claimed for the device. */
export async function measureRewards(bench: Bench, earn: () => Promise<unknown>): Promise<readonly GasRow[]> {
  const { anvil, scene, holder, device, relayer } = bench;
  const { registry, rewards, firstEpoch, gas } = await deployRewards(anvil.rpcUrl, holder.secretKey, anvil.deployment);
  const deployment: RegistryDeployment = { chainId: anvil.chainId, registry };
  const rows: GasRow[] = [
    { operation: 'deploy DeviceRegistry', gas: Number(gas.registry) },
    { operation: 'deploy ShareRewards', gas: Number(gas.rewards) },
  ];
  const send = async (from: Account, to: Hex, data: Uint8Array, operation?: string) => {
    const { gasUsed } = await scene.send(from, to, data);
    if (operation !== undefined) rows.push({ operation, gas: Number(gasUsed) });
  };
  const vendor = { vendorId: 7n, key: holder.address, quota: 10n, active: true };
  await send(holder, registry, registryContract.setVendor.encodeInput(vendor));
  await send(relayer, registry, registerData(deployment, holder, holder));
  await send(relayer, registry, registerData(deployment, device, holder), 'register device');
  await send(relayer, registry, bindData(deployment, device, holder), 'bind device');
  const gasOf = (operation: string) => rows.find((row) => row.operation === operation)?.gas ?? Number.NaN;
  rows.push({ operation: 'register and bind device', gas: gasOf('register device') + gasOf('bind device') });
  await send(holder, scene.token, tokenContract.transfer.encodeInput({ to: rewards, value: 1_000_000_000n }));
  for (const week of [0n, 1n]) {
    if (week === 1n) await earn();
    await later(anvil, Number(EPOCH_S));
    const claim = rewardsContract.claimUsage.encodeInput({ device: device.address, epochs: [firstEpoch + week] });
    await send(relayer, rewards, claim, week === 1n ? 'claim usage reward' : undefined);
  }
  await send(relayer, registry, slashData(deployment, device), 'slash equivocation, no bond');
  return rows;
}

/** A tree of 2^14 devices: leaf and siblings are all that counts. */
const GROWTH_DEPTH = 14;

/**
 * The growth stream of a network's first root, on a registry of its own, with the holder as publisher and operator. No bond is
 * asked: the prototype had none. Time goes on by eight days.
 */
export async function measureGrowth({ anvil, scene, holder, device, relayer }: Bench): Promise<readonly GasRow[]> {
  const growth = {
    publisher: holder.address,
    auditor: relayer.address,
    basisPoints: 1_000n,
    maxPerEpoch: 500_000n,
    bond: 0n,
  };
  const { registry, rewards, firstEpoch } = await deployRewards(anvil.rpcUrl, holder.secretKey, anvil.deployment, {
    growth,
  });
  const deployment: RegistryDeployment = { chainId: anvil.chainId, registry };
  const vendor = { vendorId: 7n, key: holder.address, quota: 10n, active: true };
  await scene.send(holder, registry, registryContract.setVendor.encodeInput(vendor));
  await scene.send(relayer, registry, registerData(deployment, device, holder));
  await scene.send(relayer, registry, bindData(deployment, device, holder));
  await scene.send(holder, scene.token, tokenContract.transfer.encodeInput({ to: rewards, value: 1_000_000_000n }));
  await later(anvil, Number(EPOCH_S));
  const cumulative = 300_000n;
  const siblings = Array.from({ length: GROWTH_DEPTH }, (_, i) => keccak256Text(`growth ${i}`));
  const leaf = growthLeaf(device.address, cumulative);
  const root = siblings.reduce((hash, sibling) => bytesFromHex(merkleRoot([hash, sibling])), leaf);
  const proposal = { root, total: 400_000n, throughEpoch: firstEpoch };
  const proposed = await scene.send(holder, rewards, rewardsContract.proposeRoot.encodeInput(proposal));
  await later(anvil, 86_400);
  const accepted = await scene.send(relayer, rewards, rewardsContract.acceptRoot.encodeInput(root));
  const claim = rewardsContract.claimGrowth.encodeInput({ device: device.address, cumulative, proof: siblings });
  const claimed = await scene.send(relayer, rewards, claim);
  return [
    { operation: 'propose and accept root', gas: Number(proposed.gasUsed + accepted.gasUsed) },
    { operation: `claim growth, depth ${GROWTH_DEPTH}`, gas: Number(claimed.gasUsed) },
  ];
}

async function later(anvil: AnvilWithContracts, seconds: number): Promise<void> {
  await anvil.request('evm_increaseTime', seconds);
  await anvil.request('evm_mine');
}

/** Under the vendor key of `vendor`. */
function registerData(deployment: RegistryDeployment, { address: device }: Account, vendor: Account): Uint8Array {
  const model = bytes32FromText('SSP-AP-1');
  const attestation = { vendorId: 7n, device, model, notAfter: FAR_FUTURE };
  const signature = signDigest(vendorAttestationDigest(deployment, attestation), vendor.secretKey);
  const args = { ...attestation, model: bytesFromHex(model), vendorSignature: signatureArgument(signature) };
  return registryContract.register.encodeInput(args);
}

function bindData(deployment: RegistryDeployment, device: Account, operator: Account): Uint8Array {
  const binding = { device: device.address, operator: operator.address, nonce: 0n };
  const deviceSignature = signatureArgument(signDigest(deviceBindingDigest(deployment, binding), device.secretKey));
  return registryContract.bind.encodeInput({ ...binding, deviceSignature });
}

function slashData(deployment: RegistryDeployment, device: Account): Uint8Array {
  const proof: TrafficProof = {
    device: device.address,
    epoch: 2959n,
    seq: 4n,
    startS: 1_790_000_000n,
    endS: 1_790_000_300n,
    bytesUp: 1n,
    bytesDown: 2n,
    paid: 3n,
    sessionsRoot: GENESIS_PREV,
    prev: GENESIS_PREV,
    clockState: 1n,
  };
  const other = { ...proof, paid: 4n };
  const signed = (value: TrafficProof): CompactSignature =>
    signDigest(trafficProofDigest(deployment, value), device.secretKey);
  return registryContract.slashEquivocation.encodeInput({
    first: proofArgument(proof),
    firstSignature: signatureArgument(signed(proof)),
    second: proofArgument(other),
    secondSignature: signatureArgument(signed(other)),
  });
}

function proofArgument(proof: TrafficProof) {
  return { ...proof, sessionsRoot: bytesFromHex(proof.sessionsRoot), prev: bytesFromHex(proof.prev) };
}
