/**
 * Sends transactions from the gas key: EIP-1559, one nonce after the other, and waits for the receipt.
 * Sending is serialised, waiting is not, so several guests' opens can share a block. What is sent here must be
 * idempotent on chain: a transaction whose fate is unknown (timeout, lying node) may be sent again by the caller.
 *
 * @see EIP-1559; EIP-2718
 */
import { Transaction } from 'micro-eth-signer';
import type { Address } from '../../../protocol/address.ts';
import { bytesFromHex, type Hex, hexFromBytes, uintFromBytes } from '../../../protocol/hex.ts';
import { keccak256, keccak256Hex } from '../../../protocol/keccak.ts';
import { splitSignature } from '../../../protocol/signature.ts';
import type { Signer } from '../../ports.ts';
import { ChainError, refused, unreachable } from './chain-error.ts';
import { isRecord, type JsonRpc, quantityFrom } from './json-rpc.ts';

export type TransactionsDeps = {
  readonly rpc: JsonRpc;
  readonly chainId: bigint;
  /** Pays the gas. */
  readonly gasKey: Signer;
  /** Highest price of a unit of gas that is paid; above it nothing is sent. */
  readonly maxFeePerGasWei: bigint;
  readonly receiptTimeoutMs: number;
  readonly pollMs: number;
  readonly monotonicMs: () => number;
  /** Rejects with a ChainError when the agent stops. */
  readonly sleep: (ms: number) => Promise<void>;
};

/** `to` absent: the data is a contract's creation code. */
export type Call = { readonly to?: Address; readonly data: Hex };

export type Receipt = { readonly tx: Hex; readonly gasUsed: bigint; readonly contract?: Address };

export type Transactions = {
  /** Sends and waits. @throws ChainError: refused if it reverted, unreachable if its fate is unknown. */
  send(call: Call): Promise<Receipt>;
};

type Priced = Call & {
  readonly nonce: bigint;
  readonly gasLimit: bigint;
  readonly maxFeePerGas: bigint;
  readonly maxPriorityFeePerGas: bigint;
};

type Sent = { readonly tx: Hex; readonly raw: Hex };

/** Estimates are exact for the state they saw; another guest's open in between may cost a little more. */
const GAS_LIMIT_PERCENT = 125n;
/** Largest gas limit of one transaction. @see EIP-7825 */
const MAX_GAS_LIMIT = 16_777_216n;
/** Base fee may double within six full blocks (1.125^6): enough for any wait that receiptTimeoutMs allows. */
const BASE_FEE_FACTOR = 2n;
/** Nodes without eth_maxPriorityFeePerGas take this tip: 0.01 gwei, enough on every L2. */
const DEFAULT_TIP_WEI = 10_000_000n;
/** A node may have dropped the transaction: offer it again after so many polls without a receipt. */
const POLLS_BEFORE_RESEND = 5;
/** What geth, Nethermind, Erigon, Besu, Reth and anvil say; JSON-RPC has no code for these. */
const NONCE_USED = /nonce too low|nonce has already|invalid nonce|replacement transaction|OldNonce/i;
const NO_FUNDS = /insufficient (funds|balance)|InsufficientFunds|enough funds|upfront cost exceeds/i;
/** Attempts to find the right nonce when another process uses the same key. */
const NONCE_ATTEMPTS = 3;

export function createTransactions(deps: TransactionsDeps): Transactions {
  let turn: Promise<unknown> = Promise.resolve();
  let inFlight = 0;
  let nextNonce: bigint | undefined;

  /** While ours are under way a lagging node may not count them; with none under way only the node knows. */
  async function nonceToUse(): Promise<bigint> {
    const value = await deps.rpc.request('eth_getTransactionCount', [deps.gasKey.address, 'pending']);
    const counted = quantityFrom(value, 'eth_getTransactionCount');
    return inFlight > 0 && nextNonce !== undefined && nextNonce > counted ? nextNonce : counted;
  }

  /** Signs with the next nonce and broadcasts; a nonce that someone else used is replaced. */
  async function broadcast(call: Call): Promise<Sent> {
    for (let attempt = 1; ; attempt++) {
      const gasLimit = await estimatedGas(deps, call);
      const fees = await currentFees(deps);
      const nonce = await nonceToUse();
      const sent = signed(deps, { ...call, ...fees, gasLimit, nonce });
      if ((await offer(deps, sent)) === 'taken') {
        nextNonce = nonce + 1n;
        inFlight++;
        return sent;
      }
      nextNonce = undefined;
      if (attempt === NONCE_ATTEMPTS) {
        throw unreachable(`nonce ${nonce} of gas key ${deps.gasKey.address} is used by another sender`);
      }
      // Or the node lags behind what was mined: give it a moment.
      await deps.sleep(deps.pollMs);
    }
  }

  async function receiptOf(sent: Sent): Promise<Receipt> {
    const deadlineMs = deps.monotonicMs() + deps.receiptTimeoutMs;
    let lastProblem = 'not mined';
    for (let polls = 1; deps.monotonicMs() < deadlineMs; polls++) {
      try {
        const receipt = await deps.rpc.request('eth_getTransactionReceipt', [sent.tx]);
        if (receipt !== null) return receiptFrom(receipt, sent.tx);
        if (polls % POLLS_BEFORE_RESEND === 0) await deps.rpc.request('eth_sendRawTransaction', [sent.raw]);
      } catch (error) {
        // Whatever a node says to the second offer, the first may be on its way: only a receipt ends this.
        if (!(error instanceof ChainError) || error instanceof RevertedError) throw error;
        lastProblem = error.message;
      }
      await deps.sleep(deps.pollMs);
    }
    throw unreachable(`no receipt of ${sent.tx} within ${deps.receiptTimeoutMs} ms: ${lastProblem}`);
  }

  return {
    async send(call) {
      const mine = turn.then(() => broadcast(call));
      // The next one's turn comes whether this one was taken or not; its own caller sees the error.
      turn = mine.catch(() => undefined);
      const sent = await mine;
      try {
        return await receiptOf(sent);
      } finally {
        inFlight--;
      }
    },
  };
}

async function estimatedGas(deps: TransactionsDeps, call: Call): Promise<bigint> {
  const value = await deps.rpc.request('eth_estimateGas', [{ from: deps.gasKey.address, ...call }]);
  const limit = (quantityFrom(value, 'eth_estimateGas') * GAS_LIMIT_PERCENT) / 100n;
  if (limit <= MAX_GAS_LIMIT) return limit;
  throw unreachable(`eth_estimateGas: expected at most ${MAX_GAS_LIMIT} gas, got ${limit}`);
}

/** The node's word, up to the configured limit: a tip is paid in full, so a lying node could drain the gas key. */
async function currentFees(deps: TransactionsDeps): Promise<Pick<Priced, 'maxFeePerGas' | 'maxPriorityFeePerGas'>> {
  const block = await deps.rpc.request('eth_getBlockByNumber', ['latest', false]);
  const baseFee = quantityFrom(
    isRecord(block) ? block['baseFeePerGas'] : undefined,
    'baseFeePerGas of the latest block',
  );
  const tip = await deps.rpc.request('eth_maxPriorityFeePerGas', []).then(
    (value) => quantityFrom(value, 'eth_maxPriorityFeePerGas'),
    () => DEFAULT_TIP_WEI,
  );
  const maxFeePerGas = baseFee * BASE_FEE_FACTOR + tip;
  if (baseFee + tip > deps.maxFeePerGasWei) {
    const got = `${baseFee} + ${tip} wei`;
    throw unreachable(`gas costs ${got}, the limit is ${deps.maxFeePerGasWei} wei: waiting for it to fall`);
  }
  return {
    maxFeePerGas: maxFeePerGas < deps.maxFeePerGasWei ? maxFeePerGas : deps.maxFeePerGasWei,
    maxPriorityFeePerGas: tip,
  };
}

function signed(deps: TransactionsDeps, { to, ...priced }: Priced): Sent {
  const unsigned = prepared({ type: 'eip1559', chainId: deps.chainId, to: to ?? '0x', value: 0n, ...priced });
  const { r, s, v } = splitSignature(deps.gasKey.sign(keccak256(unsigned.toBytes({ includeSignature: false }))));
  const signature = { r: uintFromBytes(bytesFromHex(r)), s: uintFromBytes(bytesFromHex(s)), yParity: v - 27 };
  const transaction = new Transaction('eip1559', { ...unsigned.raw, ...signature }, { strict: false });
  const raw = transaction.toBytes();
  return { tx: keccak256Hex(raw), raw: hexFromBytes(raw) };
}

/** Nonce, gas and fees are the node's word: out of range they are its fault, not a bug of ours. */
function prepared(
  fields: Parameters<typeof Transaction.prepare<'eip1559'>>[0],
): InstanceType<typeof Transaction<'eip1559'>> {
  try {
    return Transaction.prepare(fields);
  } catch (error) {
    throw unreachable('the node gave a nonce, gas or fee that no transaction can have', {
      cause: error,
    });
  }
}

/** Hands the transaction to the node. A lost or unclear answer counts as taken: receiptOf finds out. */
async function offer({ rpc, gasKey }: TransactionsDeps, sent: Sent): Promise<'taken' | 'nonce-used'> {
  try {
    await rpc.request('eth_sendRawTransaction', [sent.raw]);
    return 'taken';
  } catch (error) {
    if (!(error instanceof ChainError) || error.code === 'CHAIN_REFUSED') throw error;
    if (NONCE_USED.test(error.message)) return 'nonce-used';
    if (!NO_FUNDS.test(error.message)) return 'taken';
    throw refused(`gas key ${gasKey.address} cannot pay: send it some of the chain's coin (${error.message})`, {
      cause: error,
    });
  }
}

function receiptFrom(value: unknown, tx: Hex): Receipt {
  if (!isRecord(value)) throw unreachable(`receipt of ${tx}: expected an object`);
  if (quantityFrom(value['status'], `status of ${tx}`) !== 1n) {
    throw new RevertedError('CHAIN_REFUSED', `transaction ${tx} was mined and reverted`);
  }
  const gasUsed = quantityFrom(value['gasUsed'], `gasUsed of ${tx}`);
  const contract = value['contractAddress'];
  return typeof contract === 'string' ? { tx, gasUsed, contract: contract.toLowerCase() as Address } : { tx, gasUsed };
}

/** The one refusal that a receipt gives. */
class RevertedError extends ChainError {}
