/**
 * Sends transactions from the gas key: one nonce after the other, each durable in the log before it is offered to a node,
 * and looks after them until nothing can roll them back. Whatever happens to process or node, the same signed bytes go out
 * again; a purpose that is under way is resumed, never signed anew under another nonce.
 *
 * Signing and looking are serialised, waiting is not, so several guests' opens can share a block. What was offered once may
 * have been taken, whatever a node says to it: bytes are given up only when their nonce is used and nobody has their receipt.
 */
import type { Hex } from '../../../protocol/hex.ts';
import type { SentTransaction, TransactionLog } from '../../ports.ts';
import { ChainError, refused, unreachable } from './chain-error.ts';
import { quantityFrom } from './json-rpc.ts';
import { type Receipt, receiptFrom } from './receipt.ts';
import { bumped, type Call, type SigningDeps, signedCall } from './signing.ts';
import { memoryTransactionLog } from './transaction-log.ts';

export type TransactionsDeps = SigningDeps & {
  readonly receiptTimeoutMs: number;
  readonly pollMs: number;
  readonly monotonicMs: () => number;
  /** Rejects with a ChainError when the agent stops. */
  readonly sleep: (ms: number) => Promise<void>;
  /** Default: memory, for tools that live shorter than their transactions. */
  readonly log?: TransactionLog;
  /** Blocks from the one that holds it on, that one included, until it counts as mined. Default 1. */
  readonly confirmations?: bigint;
  /** Not mined for so long: the same once more with higher fees. Default 30 s. */
  readonly stuckMs?: number;
};

export type Transactions = {
  /**
   * Sends and waits until it is confirmed; goes on with what is under way for the same purpose. The call must be idempotent
   * on chain: when another transaction has taken its nonce, it is signed anew under the next.
   * @throws ChainError: refused if it reverted, unreachable if its fate is unknown.
   */
  send(call: Call, purpose?: string): Promise<Receipt>;
  /** The same for a call that must not be mined twice: it is signed once, and whether to ask again is the owner's matter. */
  sendOnce(call: Call, purpose: string): Promise<Receipt>;
  /** Looks once at all that may still be rolled back, lost or stuck, and offers again what is. @throws ChainError */
  tend(): Promise<void>;
};

/** A node may have dropped the transaction: offer it again after so many polls without a receipt. */
const POLLS_BEFORE_RESEND = 5;
/** What geth, Nethermind, Erigon, Besu, Reth and anvil say; JSON-RPC has no code for it. */
const NO_FUNDS = /insufficient (funds|balance)|InsufficientFunds|enough funds|upfront cost exceeds/i;
/** Nonces that are tried for one call when another process uses the same key. */
const NONCE_ATTEMPTS = 3;
/** Ethereum finalises after 64 blocks. */
const FINAL_BLOCKS = 64n;
/** Looks in a row that find the nonce used but none of our receipts, until it counts as somebody else's: nodes lag. */
const LOST_LOOKS = 3;

export function createTransactions(deps: TransactionsDeps): Transactions {
  return new GasKeyTransactions(deps);
}

class GasKeyTransactions implements Transactions {
  readonly #deps: TransactionsDeps;
  readonly #log: TransactionLog;
  readonly #offeredMs = new Map<Hex, number>();
  readonly #waitingSinceMs = new Map<bigint, number>();
  readonly #lostLooks = new Map<bigint, number>();
  #turn: Promise<unknown> = Promise.resolve();
  #unnamed = 0;

  constructor(deps: TransactionsDeps) {
    this.#deps = deps;
    this.#log = deps.log ?? memoryTransactionLog();
  }

  async send(call: Call, purpose = `call:${++this.#unnamed}`): Promise<Receipt> {
    for (let attempt = 1; ; attempt++) {
      try {
        return await this.sendOnce(call, purpose);
      } catch (error) {
        if (!(error instanceof LostError) || attempt === NONCE_ATTEMPTS) throw error;
      }
    }
  }

  async sendOnce(call: Call, purpose: string): Promise<Receipt> {
    const { monotonicMs, receiptTimeoutMs, pollMs, sleep, confirmations = 1n } = this.#deps;
    const nonce = await this.#inTurn(() => this.#begin(call, purpose));
    const hash = this.#group(nonce).at(-1)?.hash;
    const deadlineMs = monotonicMs() + receiptTimeoutMs;
    let lastProblem = 'not mined';
    while (monotonicMs() < deadlineMs) {
      try {
        const found = await this.#inTurn(() => this.#advance(nonce, confirmations));
        if (found !== undefined) return found;
      } catch (error) {
        // Whatever a node says to another offer, the first may be on its way: only a receipt ends this.
        if (!(error instanceof ChainError) || error instanceof FateError) throw error;
        lastProblem = error.message;
      }
      await sleep(pollMs);
    }
    throw unreachable(`no receipt of ${hash} within ${receiptTimeoutMs} ms: ${lastProblem}`);
  }

  async tend(): Promise<void> {
    let problem: unknown;
    for (const nonce of this.#liveNonces()) {
      try {
        await this.#inTurn(() => this.#advance(nonce, FINAL_BLOCKS));
      } catch (error) {
        if (!(error instanceof ChainError)) throw error;
        if (!(error instanceof FateError)) problem = error;
      }
    }
    if (problem !== undefined) throw problem;
    await this.#inTurn(() => this.#fillGap());
  }

  /** One after the other; whoever comes next has its turn whether this one went well or not. */
  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const mine = this.#turn.then(work);
    this.#turn = mine.catch(() => undefined);
    return mine;
  }

  /** The nonce under which the purpose is under way, or a fresh one with the transaction stored and offered. */
  async #begin(call: Call, purpose: string): Promise<bigint> {
    const known = this.#log
      .live()
      .find((tx) => tx.purpose === purpose && (tx.state === 'sent' || tx.state === 'mined'));
    if (known !== undefined) return known.nonce;
    const nonce = await this.#freeNonce();
    const signed = await signedCall(this.#deps, call, nonce);
    const transaction: SentTransaction = { ...signed, nonce, purpose, state: 'sent' };
    await this.#store(transaction);
    const refusal = await this.#offer(transaction);
    if (refusal === undefined) return nonce;
    // The node has certainly not taken it, so its bytes are of no use any more.
    await this.#store({ ...transaction, state: 'final' });
    throw refusal;
  }

  /** The lowest that neither the node nor the log knows: a gap that a lost transaction left is filled first. */
  async #freeNonce(): Promise<bigint> {
    const taken = new Set(this.#log.live().map(({ nonce }) => nonce));
    let nonce = await this.#count('pending');
    while (taken.has(nonce)) nonce++;
    return nonce;
  }

  /** One look at the transactions of a nonce. The receipt once it is `depth` blocks deep; offers again what is missing. */
  async #advance(nonce: bigint, depth: bigint): Promise<Receipt | undefined> {
    for (const transaction of this.#group(nonce)) {
      const answer = await this.#deps.rpc.request('eth_getTransactionReceipt', [transaction.hash]);
      if (answer !== null) return this.#onMined(transaction, answer, depth);
    }
    await this.#onUnmined(nonce);
    return undefined;
  }

  async #onMined(transaction: SentTransaction, answer: unknown, depth: bigint): Promise<Receipt | undefined> {
    const { nonce, hash } = transaction;
    const { receipt, block, isSuccess } = receiptFrom(answer, hash);
    this.#waitingSinceMs.delete(nonce);
    this.#lostLooks.delete(nonce);
    const state = isSuccess ? ('mined' as const) : ('reverted' as const);
    const mined: SentTransaction = { ...transaction, state, block, feeWei: receipt.feeWei };
    if (transaction.state !== state || transaction.block !== block) {
      await this.#store(mined);
      const others = this.#group(nonce).filter((other) => other.hash !== hash && other.state !== 'replaced');
      for (const other of others) await this.#store({ ...other, state: 'replaced' });
    }
    if (depth > 1n) {
      const head = quantityFrom(await this.#deps.rpc.request('eth_blockNumber', []), 'eth_blockNumber');
      if (head - block + 1n < depth) return undefined;
      if (depth >= FINAL_BLOCKS) await this.#forget(mined);
    }
    if (!isSuccess) throw new FateError('CHAIN_REFUSED', `transaction ${hash} was mined and reverted`);
    return receipt;
  }

  async #forget(mined: SentTransaction): Promise<void> {
    const others = this.#group(mined.nonce).filter(({ hash }) => hash !== mined.hash);
    for (const { feeWei: _, ...other } of others) await this.#store({ ...other, state: 'final' });
    await this.#store({ ...mined, state: 'final' });
  }

  /** Lost, slow, stuck, or mined in a block that is no more. */
  async #onUnmined(nonce: bigint): Promise<void> {
    const { monotonicMs, pollMs, stuckMs = 30_000 } = this.#deps;
    const nowMs = monotonicMs();
    const sinceMs = this.#waitingSinceMs.get(nonce) ?? nowMs;
    this.#waitingSinceMs.set(nonce, sinceMs);
    for (const { block: _, feeWei: __, ...rolledBack } of this.#group(nonce).filter(({ state }) => state !== 'sent')) {
      await this.#store({ ...rolledBack, state: 'sent' });
    }
    const newest = this.#group(nonce).at(-1);
    if (newest === undefined) throw lost(nonce);
    const offeredMs = this.#offeredMs.get(newest.hash) ?? Number.NEGATIVE_INFINITY;
    if (nowMs - offeredMs < pollMs * POLLS_BEFORE_RESEND) return;
    if (nowMs - sinceMs >= stuckMs) await this.#bump(newest);
    await this.#offerUpTo(nonce);
  }

  /** All of ours that the chain waits for, lowest first: one that is missing keeps those above it waiting. */
  async #offerUpTo(nonce: bigint): Promise<void> {
    const mined = await this.#count('latest');
    if (mined > nonce) return this.#onNonceUsed(nonce);
    for (const waiting of this.#liveNonces().filter((one) => one >= mined && one <= nonce)) {
      const newest = this.#group(waiting).at(-1);
      if (newest !== undefined) await this.#offer(newest);
    }
  }

  async #onNonceUsed(nonce: bigint): Promise<void> {
    const looks = (this.#lostLooks.get(nonce) ?? 0) + 1;
    this.#lostLooks.set(nonce, looks);
    if (looks < LOST_LOOKS) return;
    this.#lostLooks.delete(nonce);
    for (const { feeWei: _, ...gone } of this.#group(nonce)) await this.#store({ ...gone, state: 'final' });
    throw lost(nonce);
  }

  /** Same nonce, same call, higher fees; stored before it is offered like any other. */
  async #bump(stuck: SentTransaction): Promise<void> {
    const signed = await bumped(this.#deps, stuck.raw);
    if (signed === undefined) return;
    this.#waitingSinceMs.set(stuck.nonce, this.#deps.monotonicMs());
    await this.#store({ ...signed, nonce: stuck.nonce, purpose: stuck.purpose, state: 'sent' });
  }

  /** A nonce that nobody holds below one of ours keeps ours waiting for ever: an empty transaction takes it. */
  async #fillGap(): Promise<void> {
    const waiting = this.#log.live().filter(({ state }) => state === 'sent');
    if (waiting.length === 0) return;
    const pending = await this.#count('pending');
    const isTaken = this.#log.live().some(({ nonce }) => nonce === pending);
    if (isTaken || !waiting.some(({ nonce }) => nonce > pending)) return;
    await this.#begin({ to: this.#deps.gasKey.address, data: '0x' }, `gap:${pending}`);
  }

  /**
   * Why it cannot be sent at all. A lost or unclear answer counts as taken, and so does "nonce too low", which is what a
   * node says of a transaction that it has mined to a proxy that asks twice: the receipt tells.
   */
  async #offer({ raw, hash }: SentTransaction): Promise<ChainError | undefined> {
    this.#offeredMs.set(hash, this.#deps.monotonicMs());
    try {
      await this.#deps.rpc.request('eth_sendRawTransaction', [raw]);
      return undefined;
    } catch (error) {
      if (!(error instanceof ChainError)) throw error;
      if (error.code === 'CHAIN_REFUSED') return error;
      if (!NO_FUNDS.test(error.message)) return undefined;
      const who = this.#deps.gasKey.address;
      return refused(`gas key ${who} cannot pay: send it some of the chain's coin (${error.message})`, {
        cause: error,
      });
    }
  }

  /** @throws ChainError unreachable: what is not durable is not sent */
  async #store(transaction: SentTransaction): Promise<void> {
    if (transaction.state === 'final') this.#offeredMs.delete(transaction.hash);
    try {
      await this.#log.store(transaction);
    } catch (cause) {
      throw unreachable(`transaction for ${transaction.purpose} cannot be stored, so it is not sent`, { cause });
    }
  }

  async #count(tag: 'latest' | 'pending'): Promise<bigint> {
    const value = await this.#deps.rpc.request('eth_getTransactionCount', [this.#deps.gasKey.address, tag]);
    return quantityFrom(value, 'eth_getTransactionCount');
  }

  #group(nonce: bigint): readonly SentTransaction[] {
    return this.#log.live().filter((transaction) => transaction.nonce === nonce);
  }

  #liveNonces(): readonly bigint[] {
    return [...new Set(this.#log.live().map(({ nonce }) => nonce))].sort((a, b) => (a < b ? -1 : 1));
  }
}

function lost(nonce: bigint): LostError {
  return new LostError('CHAIN_UNREACHABLE', `nonce ${nonce} was used by another transaction: look, and try again`);
}

/** The transaction's fate is sealed: reverted, or its nonce gone to another. */
class FateError extends ChainError {}

class LostError extends FateError {}
