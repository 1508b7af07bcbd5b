/** What every operation on the chain shares: simulate, send, wait, and say why not in the contract's own words. */
import type { Address } from '../../../protocol/address.ts';
import type { ChannelsDeployment } from '../../../protocol/channel.ts';
import type { Hex } from '../../../protocol/hex.ts';
import type { ChainTx, SentTransaction, Signer, TransactionLog } from '../../ports.ts';
import { ChainError, unreachable } from './chain-error.ts';
import { reasonFromRevert } from './channels-contract.ts';
import type { ChannelsReader } from './channels-reader.ts';
import type { Endpoints } from './endpoints.ts';
import type { Call } from './signing.ts';
import type { Transactions } from './transactions.ts';

export type ChainContext = {
  readonly deployment: ChannelsDeployment;
  readonly token: Address;
  readonly gasKey: Signer;
  readonly device: Signer | undefined;
  readonly rpc: Endpoints;
  readonly reader: ChannelsReader;
  readonly log: TransactionLog;
  readonly transactions: Transactions;
  /** Until the next look at the chain. @throws ChainError when the agent stops */
  readonly pause: () => Promise<void>;
  /** How often to look before giving up for now. */
  readonly looks: number;
};

/**
 * Simulates, so that a refusal costs no gas and says why; then sends and waits. `to`: default ShareChannels. A node may judge by
 * what still waits in its pool, and somebody's transaction there may do the same: only a block says what is final, so it is waited for.
 */
export async function execute(
  context: ChainContext,
  data: Hex,
  purpose: string,
  to: Address = context.deployment.channels,
): Promise<ChainTx> {
  const call = { to, data };
  return await inItsWords(async () => {
    let foreseen: unknown;
    for (let look = 0; look < context.looks; look++) {
      await simulate(context, call);
      try {
        const { tx, feeWei } = await context.transactions.send(call, purpose);
        return { tx, feeWei };
      } catch (error) {
        if (!(error instanceof ChainError) || error.revertData === undefined) throw error;
        foreseen = error;
      }
      await context.pause();
    }
    throw unreachable('refused only after what waits in the pool of the node, which no block has taken', {
      cause: foreseen,
    });
  });
}

/**
 * The same for what is not idempotent on chain: while a transaction for this purpose may still be rolled back (64 blocks),
 * that one is waited for and no other sent.
 */
export async function executeOnce(
  context: ChainContext,
  data: Hex,
  purpose: string,
  to: Address = context.deployment.channels,
): Promise<ChainTx> {
  const { transactions, log } = context;
  const call = { to, data };
  const isKnown = ({ state, ...tx }: SentTransaction) =>
    tx.purpose === purpose && (state === 'sent' || state === 'mined');
  return await inItsWords(async () => {
    if (!log.live().some(isKnown)) await simulate(context, call);
    const { tx, feeWei } = await transactions.sendOnce(call, purpose);
    return { tx, feeWei };
  });
}

/** What the log still knows to have been paid for a purpose; 0 if another paid, or it is long ago. */
export function feeOf({ log }: ChainContext, purpose: string): bigint {
  const own = log.live().filter((tx) => tx.purpose === purpose && tx.state !== 'replaced');
  return own.reduce((sum, { feeWei = 0n }) => sum + feeWei, 0n);
}

async function simulate({ rpc, gasKey }: ChainContext, call: Call & { readonly to: Address }): Promise<void> {
  await rpc.request('eth_call', [{ from: gasKey.address, ...call }, 'latest']);
}

/** Rejects with the contract's own words for why it refused. */
async function inItsWords<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw withReason(error);
  }
}

function withReason(error: unknown): unknown {
  if (!(error instanceof ChainError) || error.revertData === undefined) return error;
  const reason = reasonFromRevert(error.revertData);
  return reason === undefined ? error : new ChainError(error.code, `the contract refuses: ${reason}`, { cause: error });
}
