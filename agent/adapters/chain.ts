/**
 * The settlement chain over one JSON-RPC endpoint: opens and closes channels with the router's gas key, reads them back.
 * Everything is simulated before it is sent, idempotent, and bounded in time; a refusal is a value. Takes no decision:
 * whether to try again, and when, is the core's.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Address } from '../../protocol/address.ts';
import {
  type ChannelConfig,
  type ChannelsDeployment,
  channelId,
  closeDigest,
  depositNonce,
} from '../../protocol/channel.ts';
import type { SignedAuthorization } from '../../protocol/funding.ts';
import type { Hex } from '../../protocol/hex.ts';
import { MAX_UINT64, type TokenAmount } from '../../protocol/units.ts';
import type { SignedVoucher } from '../../protocol/voucher.ts';
import type { Chain, ChainResult, Signer } from '../ports.ts';
import { ChainError, failureFromError, refused, unreachable } from './chain/chain-error.ts';
import {
  CLOSED_TOPIC,
  closeData,
  closeWithSignatureData,
  OPENED_TOPIC,
  openData,
  reasonFromRevert,
  TOPPED_UP_TOPIC,
} from './chain/channels-contract.ts';
import { type ChannelsReader, createChannelsReader } from './chain/channels-reader.ts';
import { createJsonRpc, type JsonRpc } from './chain/json-rpc.ts';
import { createTransactions, type Transactions } from './chain/transactions.ts';

export type ChainDeps = {
  readonly rpcUrl: string;
  readonly chainId: bigint;
  readonly channels: Address;
  readonly token: Address;
  /** Pays the gas. If it is neither payee nor device of a channel, `device` signs the close. */
  readonly gasKey: Signer;
  readonly device?: Signer;
  readonly fetch?: typeof fetch;
  /** Stops everything under way. */
  readonly signal?: AbortSignal;
  /** One request. Default 10 s. */
  readonly requestTimeoutMs?: number;
  /** From sending to being mined; after it the fate counts as unknown. Default 90 s. */
  readonly receiptTimeoutMs?: number;
  /** Between two looks for a receipt. Default 1 s. */
  readonly pollMs?: number;
  /** Nothing is sent while gas costs more. Default 100 gwei. */
  readonly maxFeePerGasWei?: bigint;
};

type Context = {
  readonly deployment: ChannelsDeployment;
  readonly gasKey: Signer;
  readonly device: Signer | undefined;
  readonly rpc: JsonRpc;
  readonly reader: ChannelsReader;
  readonly transactions: Transactions;
};

/** Deposits of one channel that are tried when looking for the number behind an authorisation's nonce. */
const MAX_DEPOSITS = 64n;
const DEFAULT_MAX_FEE_WEI = 100_000_000_000n;

export function createChain(deps: ChainDeps): Chain {
  const { chainId, channels, token, gasKey, device, signal } = deps;
  const timeoutMs = deps.requestTimeoutMs ?? 10_000;
  const rpc = createJsonRpc({ url: deps.rpcUrl, fetch: deps.fetch ?? fetch, timeoutMs, signal });
  const reader = createChannelsReader({ rpc, chainId, channels, token });
  const transactions = createTransactions({
    rpc,
    chainId,
    gasKey,
    maxFeePerGasWei: deps.maxFeePerGasWei ?? DEFAULT_MAX_FEE_WEI,
    receiptTimeoutMs: deps.receiptTimeoutMs ?? 90_000,
    pollMs: deps.pollMs ?? 1_000,
    monotonicMs: () => performance.now(),
    sleep: (ms) => sleep(ms, undefined, { signal }).catch((cause) => Promise.reject(unreachable('stopped', { cause }))),
  });
  const context = { deployment: { chainId, channels }, gasKey, device, rpc, reader, transactions };

  async function attempt<T>(work: () => Promise<T>): Promise<ChainResult<T>> {
    try {
      await reader.checkDeployment();
      return { ok: true, ...(await work()) };
    } catch (error) {
      return failureFromError(error);
    }
  }

  return {
    relayOpen: (config, authorization) => attempt(async () => ({ tx: await open(context, config, authorization) })),
    channel: (id) => attempt(async () => ({ channel: await reader.channel(id) })),
    close: (config, voucher, amount) => attempt(async () => ({ tx: await close(context, config, voucher, amount) })),
    balanceOf: (owner) => attempt(async () => ({ units: await reader.balanceOf(owner) })),
  };
}

async function open(context: Context, config: ChannelConfig, authorization: SignedAuthorization): Promise<Hex> {
  const { deployment, reader } = context;
  const id = channelId(deployment, config);
  const n = depositNumber(deployment, id, authorization);
  const isDone = async () => (await reader.isUsed(authorization)) && (await isOpen(reader, id));
  if (await isDone()) return reader.findTx(id, [OPENED_TOPIC, TOPPED_UP_TOPIC]);
  try {
    return await execute(context, openData(config, authorization, n));
  } catch (error) {
    // An earlier transaction of ours, or the payer's own relayer, may have been mined since: then it is done.
    if (error instanceof ChainError && (await isDone())) return reader.findTx(id, [OPENED_TOPIC, TOPPED_UP_TOPIC]);
    throw error;
  }
}

async function close(
  context: Context,
  config: ChannelConfig,
  voucher: SignedVoucher,
  amount: TokenAmount,
): Promise<Hex> {
  const { reader } = context;
  const id = channelId(context.deployment, config);
  const isDone = async () => (await reader.channel(id)).isClosed;
  if (await isDone()) return reader.findTx(id, [CLOSED_TOPIC]);
  try {
    return await execute(context, signedCloseData(context, id, config, voucher, amount));
  } catch (error) {
    // An earlier transaction of ours, or a reclaim, may have been mined since: then it is done.
    if (error instanceof ChainError && (await isDone())) return reader.findTx(id, [CLOSED_TOPIC]);
    throw error;
  }
}

async function isOpen(reader: ChannelsReader, id: Hex): Promise<boolean> {
  const { deposit, isClosed } = await reader.channel(id);
  return deposit > 0n && !isClosed;
}

/** Simulates, so that a refusal costs no gas and says why; then sends and waits. */
async function execute({ rpc, transactions, deployment, gasKey }: Context, data: Hex): Promise<Hex> {
  const call = { to: deployment.channels, data };
  try {
    await rpc.request('eth_call', [{ from: gasKey.address, ...call }, 'latest']);
    return (await transactions.send(call)).tx;
  } catch (error) {
    throw withReason(error);
  }
}

/** @throws ChainError if the authorisation is not for this channel; the contract would refuse it, too. */
function depositNumber(deployment: ChannelsDeployment, id: Hex, authorization: SignedAuthorization): bigint {
  const { to, value, nonce } = authorization;
  if (to !== deployment.channels) throw refused(`authorization pays ${to}, must pay ${deployment.channels}`);
  if (value > MAX_UINT64) throw refused(`authorization pays ${value} units, at most ${MAX_UINT64} fit a channel`);
  for (let n = 0n; n < MAX_DEPOSITS; n++) if (depositNonce(id, n) === nonce) return n;
  throw refused(`authorization nonce ${nonce} belongs to another channel than ${id}`);
}

function signedCloseData(
  { deployment, gasKey, device }: Context,
  id: Hex,
  config: ChannelConfig,
  voucher: SignedVoucher,
  amount: TokenAmount,
): Hex {
  const mayClose = ({ address }: Signer) => address === config.payee || address === config.device;
  if (mayClose(gasKey)) return closeData(config, voucher, amount);
  if (device !== undefined && mayClose(device)) {
    return closeWithSignatureData(config, voucher, amount, device.sign(closeDigest(deployment, id, amount)));
  }
  throw refused(`channel ${id} can be closed by ${config.payee} or ${config.device}, and this router is neither`);
}

/** The same error with the contract's own words for why it refused. */
function withReason(error: unknown): unknown {
  if (!(error instanceof ChainError) || error.revertData === undefined) return error;
  const reason = reasonFromRevert(error.revertData);
  return reason === undefined ? error : new ChainError(error.code, `the contract refuses: ${reason}`, { cause: error });
}
