/**
 * Deploys the test token and ShareChannels, and keeps a record of addresses per chain. For development chains and the
 * demo; on a real chain the token exists already (`token`).
 */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { Transaction } from 'micro-eth-signer';
import { deployContract } from 'micro-eth-signer/abi.js';
import { type Address, parseAddress } from '../protocol/address.ts';
import type { Hex } from '../protocol/hex.ts';
import { addressFromSecretKey } from '../protocol/signature.ts';
import { LEGACY_SSP_TOKEN_ABI } from './abi/legacy-ssp-token.ts';
import { SHARE_CHANNELS_ABI } from './abi/share-channels.ts';
import { SSP_TOKEN_ABI } from './abi/ssp-token.ts';
import legacyTokenArtifact from './artifacts/LegacySspToken.json' with { type: 'json' };
import channelsArtifact from './artifacts/ShareChannels.json' with { type: 'json' };
import tokenArtifact from './artifacts/SspToken.json' with { type: 'json' };

/** The whole supply of SSP: 10^10 tokens of 4 decimals. */
export const SSP_SUPPLY_UNITS = 100_000_000_000_000n;
/** phi of the reward formula: 10 % of what is withdrawn is burned. */
export const DEFAULT_FEE_BASIS_POINTS = 1_000n;

export type DeployOptions = {
  /** Holds the whole supply of a new token. Default: the deployer. */
  readonly holder?: Address;
  /** An existing token; without it a new SspToken is made. */
  readonly token?: Address;
  readonly feeBasisPoints?: bigint;
  /** JSON file that keeps the addresses of each chain; updated if given. */
  readonly recordPath?: string;
};

export type Deployment = {
  readonly chainId: bigint;
  readonly token: Address;
  readonly channels: Address;
  readonly feeBasisPoints: bigint;
  readonly gas: { readonly token: bigint; readonly channels: bigint };
};

type Created = { readonly address: Address; readonly gasUsed: bigint };
type Receipt = { readonly status: Hex; readonly gasUsed: Hex; readonly contractAddress: Address | null };

const REQUEST_TIMEOUT_MS = 10_000;
const MINING_TIMEOUT_MS = 120_000;
const POLL_MS = 50;

/** @throws Error if the node cannot be reached or refuses. */
export async function deployContracts(
  rpcUrl: string,
  secretKey: Uint8Array,
  options: DeployOptions = {},
): Promise<Deployment> {
  const chainId = BigInt(await request<Hex>(rpcUrl, 'eth_chainId'));
  const feeBasisPoints = options.feeBasisPoints ?? DEFAULT_FEE_BASIS_POINTS;
  const holder = options.holder ?? addressFromSecretKey(secretKey);
  const token =
    options.token === undefined
      ? await create(rpcUrl, secretKey, tokenCreation(holder))
      : { address: options.token, gasUsed: 0n };
  const args = { token_: token.address, feeBasisPoints_: feeBasisPoints };
  const creation = deployContract(SHARE_CHANNELS_ABI, channelsArtifact.bytecode, args);
  const channels = await create(rpcUrl, secretKey, creation);
  const gas = { token: token.gasUsed, channels: channels.gasUsed };
  const deployment = { chainId, token: token.address, channels: channels.address, feeBasisPoints, gas };
  if (options.recordPath !== undefined) {
    const addresses = { token: token.address, channels: channels.address, feeBasisPoints: feeBasisPoints.toString() };
    recordAddresses(options.recordPath, chainId, addresses);
  }
  return deployment;
}

/** A token shaped like the real SSP, without any way to pay by signature; its supply belongs to `holder`. */
export async function deployLegacyToken(rpcUrl: string, secretKey: Uint8Array, holder: Address): Promise<Address> {
  const args = { holder, supply: SSP_SUPPLY_UNITS };
  const creation = deployContract(LEGACY_SSP_TOKEN_ABI, legacyTokenArtifact.bytecode, args);
  return (await create(rpcUrl, secretKey, creation)).address;
}

function tokenCreation(holder: Address): string {
  return deployContract(SSP_TOKEN_ABI, tokenArtifact.bytecode, { holder, supply: SSP_SUPPLY_UNITS });
}

/** Sends creation code and waits until it is mined. */
export async function create(rpcUrl: string, secretKey: Uint8Array, data: string): Promise<Created> {
  const from = addressFromSecretKey(secretKey);
  const block = await request<{ baseFeePerGas: Hex }>(rpcUrl, 'eth_getBlockByNumber', 'latest', false);
  const tip = BigInt(await request<Hex>(rpcUrl, 'eth_maxPriorityFeePerGas'));
  const unsigned = Transaction.prepare({
    type: 'eip1559',
    chainId: BigInt(await request<Hex>(rpcUrl, 'eth_chainId')),
    nonce: BigInt(await request<Hex>(rpcUrl, 'eth_getTransactionCount', from, 'pending')),
    to: '0x',
    value: 0n,
    data,
    gasLimit: BigInt(await request<Hex>(rpcUrl, 'eth_estimateGas', { from, data })),
    maxFeePerGas: 2n * BigInt(block.baseFeePerGas) + tip,
    maxPriorityFeePerGas: tip,
  });
  const tx = await request<Hex>(rpcUrl, 'eth_sendRawTransaction', unsigned.signBy(secretKey, false).toHex());
  for (let waitedMs = 0; waitedMs < MINING_TIMEOUT_MS; waitedMs += POLL_MS) {
    const receipt = await request<Receipt | null>(rpcUrl, 'eth_getTransactionReceipt', tx);
    if (receipt !== null) return createdFrom(receipt, tx);
    await sleep(POLL_MS);
  }
  throw new Error(`deploy: ${tx} was not mined within ${MINING_TIMEOUT_MS} ms`);
}

function createdFrom(receipt: Receipt, tx: Hex): Created {
  const address = parseAddress(receipt.contractAddress);
  if (receipt.status !== '0x1' || address === undefined) throw new Error(`deploy: ${tx} was mined and created nothing`);
  return { address, gasUsed: BigInt(receipt.gasUsed) };
}

/** A developer's node is trusted to answer in kind; the agent's own client is agent/adapters/chain/json-rpc.ts. */
export async function request<T>(rpcUrl: string, method: string, ...params: readonly unknown[]): Promise<T> {
  const body = JSON.stringify({ jsonrpc: '2.0', id: 1, method, params });
  const headers = { 'content-type': 'application/json' };
  const signal = AbortSignal.timeout(REQUEST_TIMEOUT_MS);
  const response = await fetch(rpcUrl, { method: 'POST', headers, body, signal });
  const answer = (await response.json()) as { result: T; error?: { message: string } };
  if (answer.error !== undefined) throw new Error(`deploy: ${method}: ${answer.error.message}`);
  return answer.result;
}

/** Puts addresses beside those known of the chain: {"31337": {"token": "0x..", "channels": "0x..", "feeBasisPoints": "1000"}} */
export function recordAddresses(path: string, chainId: bigint, addresses: Readonly<Record<string, string>>): void {
  const known = existsSync(path) ? (JSON.parse(readFileSync(path, 'utf8')) as Record<string, object>) : {};
  const entry = { ...known[chainId.toString()], ...addresses };
  writeFileSync(path, `${JSON.stringify({ ...known, [chainId.toString()]: entry }, null, 2)}\n`);
}
