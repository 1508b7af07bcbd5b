/** What the chain knows about our channels: reads only, each one checked for what an honest node would answer. */
import type { Address } from '../../../protocol/address.ts';
import type { SignedAuthorization } from '../../../protocol/funding.ts';
import type { Hex } from '../../../protocol/hex.ts';
import type { TokenAmount } from '../../../protocol/units.ts';
import type { ChainChannel } from '../../ports.ts';
import { ChainError, refused } from './chain-error.ts';
import {
  authorizationQuery,
  balanceFromResult,
  balanceQuery,
  channelFromResult,
  channelQuery,
  isUsedFromResult,
  tokenFromResult,
  tokenQuery,
} from './channels-contract.ts';
import type { Endpoints } from './endpoints.ts';
import { dataFrom, isRecord, quantityFrom } from './json-rpc.ts';

export type ChannelsReaderDeps = {
  readonly rpc: Endpoints;
  readonly channels: Address;
  readonly token: Address;
  /** Blocks, the newest included, that must stand on what counts as true. */
  readonly confirmations: bigint;
};

export type ChannelsReader = {
  /** Is our contract there, and for our token? Asked once. @throws ChainError */
  checkDeployment(): Promise<void>;
  /** As two endpoints know it, where there are two, so many confirmations deep. */
  channel(id: Hex): Promise<ChainChannel>;
  balanceOf(owner: Address): Promise<TokenAmount>;
  /** EIP-3009: was this authorisation used, or cancelled? */
  isUsed(authorization: SignedAuthorization): Promise<boolean>;
  /** The newest transaction that logged one of the topics for the channel; UNKNOWN_TX if it is too old or none. */
  findTx(id: Hex, topics: readonly Hex[]): Promise<Hex>;
};

/** Named as the transaction of an operation that was done before and is too old to be found in the logs. */
export const UNKNOWN_TX: Hex = `0x${'00'.repeat(32)}`;

/** Blocks searched for an earlier transaction: what public nodes allow in one eth_getLogs. */
const LOG_BLOCKS = 2_000n;

export function createChannelsReader(deps: ChannelsReaderDeps): ChannelsReader {
  const { rpc, channels, token, confirmations } = deps;
  let isChecked = false;

  function query(to: Address, data: Hex): Promise<Hex> {
    return rpc.agreed('eth_call', [{ to, data }], 1n);
  }

  function confirmed(to: Address, data: Hex): Promise<Hex> {
    return rpc.agreed('eth_call', [{ to, data }], confirmations);
  }

  async function checkDeployment(): Promise<void> {
    if (isChecked) return;
    const answer = await query(channels, tokenQuery());
    if (answer === '0x') {
      throw refused(`the chain has no contract at ${channels}: check the address of ShareChannels`);
    }
    const found = tokenFromResult(answer);
    if (found !== token) throw refused(`ShareChannels at ${channels} is for token ${found}, configured is ${token}`);
    isChecked = true;
  }

  async function findLogs(id: Hex, topics: readonly Hex[]): Promise<unknown> {
    const latest = quantityFrom(await rpc.request('eth_blockNumber', []), 'eth_blockNumber');
    const fromBlock = `0x${(latest > LOG_BLOCKS ? latest - LOG_BLOCKS : 0n).toString(16)}`;
    return rpc.request('eth_getLogs', [{ address: channels, fromBlock, topics: [topics, id] }]);
  }

  return {
    checkDeployment,
    channel: async (id) => channelFromResult(await confirmed(channels, channelQuery(id))),
    balanceOf: async (owner) => balanceFromResult(await query(token, balanceQuery(owner))),
    isUsed: async (authorization) => isUsedFromResult(await query(token, authorizationQuery(authorization))),
    async findTx(id, topics) {
      try {
        const logs = await findLogs(id, topics);
        const last: unknown = Array.isArray(logs) ? logs.at(-1) : undefined;
        return isRecord(last) ? dataFrom(last['transactionHash'], 'eth_getLogs') : UNKNOWN_TX;
      } catch (error) {
        // The operation itself is known to be done; only its name is missing.
        if (error instanceof ChainError) return UNKNOWN_TX;
        throw error;
      }
    },
  };
}
