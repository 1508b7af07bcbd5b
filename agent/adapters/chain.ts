/**
 * The settlement chain over one or more JSON-RPC endpoints: opens channels, claims and closes them with the router's gas
 * key, reads them back.
 * Everything is simulated before it is sent, idempotent, and bounded in time; a refusal is a value. Takes no decision:
 * whether to try again, and when, is the core's.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Address } from '../../protocol/address.ts';
import { bytesFromHex, type Hex } from '../../protocol/hex.ts';
import { keccak256Hex } from '../../protocol/keccak.ts';
import type { TokenAmount } from '../../protocol/units.ts';
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
import type { RewardsChain } from '../rewards-port.ts';
import { failureFromError, unreachable } from './chain/chain-error.ts';
import { claimData } from './chain/channels-contract.ts';
import { createChannelsReader } from './chain/channels-reader.ts';
import { close } from './chain/closing.ts';
import { type ChainContext, execute, executeOnce, feeOf } from './chain/context.ts';
import { createEndpoints, type Endpoints } from './chain/endpoints.ts';
import {
  earnedFromResult,
  earnedQuery,
  feeFromResult,
  feeQuery,
  transferData,
  withdrawData,
} from './chain/funding-calls.ts';
import { createJsonRpc, dataFrom, quantityFrom } from './chain/json-rpc.ts';
import { open } from './chain/opening.ts';
import { claimRewards, rewardWeek } from './chain/rewards-contract.ts';
import { gasPriceWei } from './chain/signing.ts';
import { claimTicks, type TickClaimDeps } from './chain/tick-claim.ts';
import { memoryTransactionLog } from './chain/transaction-log.ts';
import { createTransactions } from './chain/transactions.ts';

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

type Earned = { readonly units: TokenAmount; readonly feeUnits: TokenAmount };

const DEFAULT_MAX_FEE_WEI = 100_000_000_000n;

export function createChain(deps: ChainDeps): Chain & RewardsChain {
  const { chainId, channels, token, gasKey, device, signal, confirmations = 1n, log = memoryTransactionLog() } = deps;
  const rpc = endpointsFor(deps);
  const reader = createChannelsReader({ rpc, channels, token, confirmations });
  const receiptTimeoutMs = deps.receiptTimeoutMs ?? 90_000;
  const pollMs = deps.pollMs ?? 1_000;
  const rest = (ms: number) =>
    sleep(ms, undefined, { signal }).catch((cause) => Promise.reject(unreachable('stopped', { cause })));
  const transactions = createTransactions({
    rpc,
    chainId,
    gasKey,
    log,
    confirmations,
    maxFeePerGasWei: deps.maxFeePerGasWei ?? DEFAULT_MAX_FEE_WEI,
    receiptTimeoutMs,
    pollMs,
    stuckMs: deps.stuckMs ?? 30_000,
    monotonicMs: () => performance.now(),
    sleep: rest,
  });
  const deployment = { chainId, channels };
  const patience = { pause: () => rest(pollMs), looks: Math.ceil(receiptTimeoutMs / pollMs) };
  const context: ChainContext = { deployment, token, gasKey, device, rpc, reader, transactions, log, ...patience };

  async function answered<T>(work: () => Promise<T>): Promise<ChainResult<T>> {
    try {
      return { ok: true, ...(await work()) };
    } catch (error) {
      return failureFromError(error);
    }
  }
  const attempt = <T>(work: () => Promise<T>): Promise<ChainResult<T>> =>
    answered(async () => {
      await reader.checkDeployment();
      return await work();
    });

  return {
    relayOpen: (config, deposit) => answered(() => open(context, config, deposit)),
    channel: (id) => attempt(async () => ({ channel: await reader.channel(id) })),
    claim: (claims) => attempt(async () => claim(context, claims)),
    claimTicks: (one) => attempt(() => claimTicks(tickClaimDeps(context), one)),
    close: (config, voucher, amount) => attempt(() => close(context, config, voucher, amount)),
    balanceOf: (owner) => attempt(async () => ({ units: await reader.balanceOf(owner) })),
    earned: (payee) => attempt(() => earned(context, payee)),
    transfer: (to, units, name) => attempt(() => executeOnce(context, transferData(to, units), `send:${name}`, token)),
    withdraw: (payee, name) => attempt(() => executeOnce(context, withdrawData(payee), `withdraw:${name}`)),
    rewardWeeks: (rewards, device, epochs) =>
      attempt(async () => ({
        weeks: await Promise.all(epochs.map((epoch) => rewardWeek(context, rewards, device, epoch))),
      })),
    claimRewards: (...request) => attempt(() => claimRewards(context, ...request)),
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

/** One batch at a time: the next one sees what this one has claimed, and pays no gas for it again. */
function claim(context: ChainContext, claims: readonly ChainClaim[]): Promise<ChainTx> {
  const data = claimData(claims);
  const purpose = `claim:${keccak256Hex(bytesFromHex(data))}`;
  const isOther = (tx: SentTransaction) => tx.purpose.startsWith('claim:') && tx.purpose !== purpose;
  const other = context.log.live().find((tx) => isOther(tx) && tx.state === 'sent');
  if (other !== undefined) throw unreachable(`an earlier batch of claims is still under way in ${other.hash}`);
  return execute(context, data, purpose);
}

function tickClaimDeps(context: ChainContext): TickClaimDeps {
  const { deployment, reader } = context;
  const send = (data: Hex, purpose: string) => execute(context, data, purpose);
  return { deployment, reader, execute: send, feeOf: (purpose) => feeOf(context, purpose) };
}

/** What gas costs now, and what the gas key has to pay it with. */
async function costs({ rpc, gasKey }: ChainContext): Promise<ChainCosts> {
  const balance = await rpc.request('eth_getBalance', [gasKey.address, 'latest']);
  return { balanceWei: quantityFrom(balance, 'eth_getBalance'), gasPriceWei: await gasPriceWei({ rpc }) };
}

async function earned({ rpc, deployment }: ChainContext, payee: Address): Promise<Earned> {
  const ask = async (data: Hex) =>
    dataFrom(await rpc.request('eth_call', [{ to: deployment.channels, data }, 'latest']), 'eth_call');
  const units = earnedFromResult(await ask(earnedQuery(payee)));
  return { units, feeUnits: feeFromResult(await ask(feeQuery()), units) };
}

async function tend({ transactions, log }: ChainContext): Promise<boolean> {
  await transactions.tend();
  return log.live().length === 0;
}
