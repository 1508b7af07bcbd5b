/**
 * The settlement chain over one or more JSON-RPC endpoints: opens channels, claims and closes them with the router's gas
 * key, reads them back.
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
import { bytesFromHex, type Hex } from '../../protocol/hex.ts';
import { keccak256Hex } from '../../protocol/keccak.ts';
import { MAX_UINT64, type TokenAmount } from '../../protocol/units.ts';
import type { SignedVoucher } from '../../protocol/voucher.ts';
import type {
  Chain,
  ChainClaim,
  ChainCosts,
  ChainResult,
  ChainTx,
  SentTransaction,
  Signer,
  TransactionLog,
} from '../ports.ts';
import { ChainError, failureFromError, refused, unreachable } from './chain/chain-error.ts';
import {
  CLOSED_TOPIC,
  claimData,
  closeData,
  closeWithSignatureData,
  OPENED_TOPIC,
  openData,
  reasonFromRevert,
  TOPPED_UP_TOPIC,
} from './chain/channels-contract.ts';
import { type ChannelsReader, createChannelsReader } from './chain/channels-reader.ts';
import { createEndpoints, type Endpoints } from './chain/endpoints.ts';
import { createJsonRpc, quantityFrom } from './chain/json-rpc.ts';
import { gasPriceWei } from './chain/signing.ts';
import { memoryTransactionLog } from './chain/transaction-log.ts';
import { createTransactions, type Transactions } from './chain/transactions.ts';

export type ChainDeps = {
  readonly rpcUrl: string;
  /** Asked when the first cannot answer; and then nothing final is believed that two do not say. */
  readonly rpcBackups?: readonly string[];
  readonly chainId: bigint;
  readonly channels: Address;
  readonly token: Address;
  /** Pays the gas. If it is neither payee nor device of a channel, `device` signs the close. */
  readonly gasKey: Signer;
  readonly device?: Signer;
  /** Where transactions are durable before they are sent. Default: memory. */
  readonly log?: TransactionLog;
  /** Blocks, the newest included, that must stand on what counts as true. Default 1. */
  readonly confirmations?: bigint;
  readonly fetch?: typeof fetch;
  /** Stops everything under way. */
  readonly signal?: AbortSignal;
  /** One request. Default 10 s. */
  readonly requestTimeoutMs?: number;
  /** From sending to being mined; after it the fate counts as unknown. Default 90 s. */
  readonly receiptTimeoutMs?: number;
  /** Between two looks for a receipt. Default 1 s. */
  readonly pollMs?: number;
  /** Not mined for so long: sent once more with higher fees. Default 30 s. */
  readonly stuckMs?: number;
  /** Nothing is sent while gas costs more. Default 100 gwei. */
  readonly maxFeePerGasWei?: bigint;
};

type Context = {
  readonly deployment: ChannelsDeployment;
  readonly gasKey: Signer;
  readonly device: Signer | undefined;
  readonly rpc: Endpoints;
  readonly reader: ChannelsReader;
  readonly log: TransactionLog;
  readonly transactions: Transactions;
};

/** Deposits of one channel that are tried when looking for the number behind an authorisation's nonce. */
const MAX_DEPOSITS = 64n;
const DEFAULT_MAX_FEE_WEI = 100_000_000_000n;

export function createChain(deps: ChainDeps): Chain {
  const { chainId, channels, token, gasKey, device, signal, confirmations = 1n, log = memoryTransactionLog() } = deps;
  const rpc = endpointsFor(deps);
  const reader = createChannelsReader({ rpc, channels, token, confirmations });
  const transactions = createTransactions({
    rpc,
    chainId,
    gasKey,
    log,
    confirmations,
    maxFeePerGasWei: deps.maxFeePerGasWei ?? DEFAULT_MAX_FEE_WEI,
    receiptTimeoutMs: deps.receiptTimeoutMs ?? 90_000,
    pollMs: deps.pollMs ?? 1_000,
    stuckMs: deps.stuckMs ?? 30_000,
    monotonicMs: () => performance.now(),
    sleep: (ms) => sleep(ms, undefined, { signal }).catch((cause) => Promise.reject(unreachable('stopped', { cause }))),
  });
  const context: Context = { deployment: { chainId, channels }, gasKey, device, rpc, reader, transactions, log };

  async function attempt<T>(work: () => Promise<T>): Promise<ChainResult<T>> {
    try {
      await reader.checkDeployment();
      return { ok: true, ...(await work()) };
    } catch (error) {
      return failureFromError(error);
    }
  }

  return {
    relayOpen: (config, authorization) => attempt(() => open(context, config, authorization)),
    channel: (id) => attempt(async () => ({ channel: await reader.channel(id) })),
    claim: (claims) => attempt(async () => claim(context, claims)),
    close: (config, voucher, amount) => attempt(() => close(context, config, voucher, amount)),
    balanceOf: (owner) => attempt(async () => ({ units: await reader.balanceOf(owner) })),
    costs: () => attempt(() => costs(context)),
    time: () => attempt(async () => ({ unixS: await rpc.time() })),
    tend: () => attempt(async () => ({ isIdle: await tend(context) })),
  };
}

function endpointsFor({ rpcUrl, rpcBackups = [], chainId, signal, ...deps }: ChainDeps): Endpoints {
  const timeoutMs = deps.requestTimeoutMs ?? 10_000;
  const endpoints = [rpcUrl, ...rpcBackups].map((url) =>
    createJsonRpc({ url, fetch: deps.fetch ?? fetch, timeoutMs, signal }),
  );
  return createEndpoints({ endpoints, chainId, monotonicMs: () => performance.now() });
}

async function open(context: Context, config: ChannelConfig, authorization: SignedAuthorization): Promise<ChainTx> {
  const { deployment, reader } = context;
  const id = channelId(deployment, config);
  const n = depositNumber(deployment, id, authorization);
  const purpose = `open:${id}:${n}`;
  const isDone = async () => (await reader.isUsed(authorization)) && (await isOpen(reader, id));
  const found = async () => ({
    tx: await reader.findTx(id, [OPENED_TOPIC, TOPPED_UP_TOPIC]),
    feeWei: feeOf(context, purpose),
  });
  if (await isDone()) return found();
  try {
    return await execute(context, openData(config, authorization, n), purpose);
  } catch (error) {
    // An earlier transaction of ours, or the payer's own relayer, may have been mined since: then it is done.
    if (error instanceof ChainError && (await isDone())) return found();
    throw error;
  }
}

/** One batch at a time: the next one sees what this one has claimed, and pays no gas for it again. */
function claim(context: Context, claims: readonly ChainClaim[]): Promise<ChainTx> {
  const data = claimData(claims);
  const purpose = `claim:${keccak256Hex(bytesFromHex(data))}`;
  const isOther = (tx: SentTransaction) => tx.purpose.startsWith('claim:') && tx.purpose !== purpose;
  const other = context.log.live().find((tx) => isOther(tx) && tx.state === 'sent');
  if (other !== undefined) throw unreachable(`an earlier batch of claims is still under way in ${other.hash}`);
  return execute(context, data, purpose);
}

async function close(
  context: Context,
  config: ChannelConfig,
  voucher: SignedVoucher,
  amount: TokenAmount,
): Promise<ChainTx> {
  const { reader } = context;
  const id = channelId(context.deployment, config);
  const purpose = `close:${id}`;
  const isDone = async () => (await reader.channel(id)).isClosed;
  const found = async () => ({ tx: await reader.findTx(id, [CLOSED_TOPIC]), feeWei: feeOf(context, purpose) });
  if (await isDone()) return found();
  try {
    const sent = await execute(context, signedCloseData(context, id, config, voucher, amount), purpose);
    // One endpoint's receipt is not enough to forget the channel on.
    if (await isDone()) return sent;
  } catch (error) {
    // An earlier transaction of ours, or a reclaim, may have been mined since: then it is done.
    if (error instanceof ChainError && (await isDone())) return found();
    throw error;
  }
  throw unreachable(`the close of ${id} was mined by one endpoint's word, but the channel is not closed yet`);
}

/** What gas costs now, and what the gas key has to pay it with. */
async function costs({ rpc, gasKey }: Context): Promise<ChainCosts> {
  const balance = await rpc.request('eth_getBalance', [gasKey.address, 'latest']);
  return { balanceWei: quantityFrom(balance, 'eth_getBalance'), gasPriceWei: await gasPriceWei({ rpc }) };
}

async function tend({ transactions, log }: Context): Promise<boolean> {
  await transactions.tend();
  return log.live().length === 0;
}

/** What the log still knows to have been paid for a purpose; 0 if another paid, or it is long ago. */
function feeOf({ log }: Context, purpose: string): bigint {
  const own = log.live().filter((tx) => tx.purpose === purpose && tx.state !== 'replaced');
  return own.reduce((sum, { feeWei = 0n }) => sum + feeWei, 0n);
}

async function isOpen(reader: ChannelsReader, id: Hex): Promise<boolean> {
  const { deposit, isClosed } = await reader.channel(id);
  return deposit > 0n && !isClosed;
}

/** Simulates, so that a refusal costs no gas and says why; then sends and waits. */
async function execute(context: Context, data: Hex, purpose: string): Promise<ChainTx> {
  const { rpc, transactions, deployment, gasKey } = context;
  const call = { to: deployment.channels, data };
  try {
    await rpc.request('eth_call', [{ from: gasKey.address, ...call }, 'latest']);
    const { tx, feeWei } = await transactions.send(call, purpose);
    return { tx, feeWei };
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
