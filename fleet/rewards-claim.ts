/**
 * Sends `claimUsage` for a device from any account: the reward goes to the device's operator whoever pays the gas.
 * Simulated first, so that a refusal costs nothing.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { Transaction } from 'micro-eth-signer';
import type { Address } from '../protocol/address.ts';
import { bytesFromUint, concatBytes, type Hex, hexFromBytes } from '../protocol/hex.ts';
import { keccak256Text } from '../protocol/keccak.ts';
import { addressFromSecretKey } from '../protocol/signature.ts';
import { quantity, quantityOf, type RewardsRpc, RewardsRpcError, wordOf } from './rewards-rpc.ts';

export type ClaimSent = { readonly tx: Hex; readonly gasUsed: bigint };

const MINING_TIMEOUT_MS = 120_000;
const POLL_MS = 200;

/** claimUsage(device, epochs) as call data. */
export function claimUsageData(device: Address, epochs: readonly bigint[]): Hex {
  const word = (value: bigint): Uint8Array => bytesFromUint(value, 32);
  const selector = keccak256Text('claimUsage(address,uint256[])').subarray(0, 4);
  return hexFromBytes(
    concatBytes(selector, wordOf(device), word(64n), word(BigInt(epochs.length)), ...epochs.map(word)),
  );
}

/** @throws RewardsRpcError if the contract refuses, or the transaction is not mined within two minutes */
export async function sendClaim(
  rpc: RewardsRpc,
  rewards: Address,
  claim: { readonly device: Address; readonly epochs: readonly bigint[] },
  secretKey: Uint8Array,
): Promise<ClaimSent> {
  const from = addressFromSecretKey(secretKey);
  const data = claimUsageData(claim.device, claim.epochs);
  const gas = await quantity(rpc, 'eth_estimateGas', [{ from, to: rewards, data }]);
  const block = (await rpc.request('eth_getBlockByNumber', ['latest', false])) as { baseFeePerGas?: unknown };
  const tip = await quantity(rpc, 'eth_maxPriorityFeePerGas');
  const unsigned = Transaction.prepare({
    type: 'eip1559',
    chainId: await quantity(rpc, 'eth_chainId'),
    nonce: await quantity(rpc, 'eth_getTransactionCount', [from, 'pending']),
    to: rewards,
    value: 0n,
    data,
    gasLimit: (gas * 125n) / 100n,
    maxFeePerGas: 2n * quantityOf(block.baseFeePerGas, 'base fee') + tip,
    maxPriorityFeePerGas: tip,
  });
  const tx = (await rpc.request('eth_sendRawTransaction', [unsigned.signBy(secretKey, false).toHex()])) as Hex;
  for (let waitedMs = 0; waitedMs < MINING_TIMEOUT_MS; waitedMs += POLL_MS) {
    const receipt = (await rpc.request('eth_getTransactionReceipt', [tx])) as { status: Hex; gasUsed: Hex } | null;
    if (receipt !== null) {
      if (receipt.status !== '0x1') throw new RewardsRpcError(`${tx} was mined and reverted`);
      return { tx, gasUsed: quantityOf(receipt.gasUsed, 'gas used') };
    }
    await sleep(POLL_MS);
  }
  throw new RewardsRpcError(
    `${tx} was not mined within ${MINING_TIMEOUT_MS / 1000} s; look for it before sending again`,
  );
}
