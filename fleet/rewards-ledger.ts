/**
 * What the chain says about an epoch: who was paid what for traffic (Claimed events), what was paid out as rewards
 * (UsageReward events), and what the contracts themselves answer. Logs are read, nothing else is believed; see rewards-check.ts.
 */
import type { Address } from '../protocol/address.ts';
import { ZERO_ADDRESS } from '../protocol/address.ts';
import { bytesFromHex, type Hex, uintFromBytes } from '../protocol/hex.ts';
import { type ClaimedLog, EPOCH_S, type RewardTerms } from '../protocol/rewards.ts';
import type { TokenAmount } from '../protocol/units.ts';
import {
  addressOfWord,
  callData,
  eventTopic,
  quantity,
  quantityOf,
  type RewardsRpc,
  RewardsRpcError,
  view,
  viewWord,
} from './rewards-rpc.ts';

export type RewardsDeployment = { readonly channels: Address; readonly registry: Address; readonly terms: RewardTerms };

export type RewardPaid = { readonly device: Address; readonly operator: Address; readonly units: TokenAmount };

/** What the contracts answer about one device. */
export type ContractWord = { readonly claimed: TokenAmount; readonly reward: TokenAmount; readonly isPaid: boolean };

export type EpochLedger = {
  readonly epoch: bigint;
  readonly fromBlock: bigint;
  readonly toBlock: bigint;
  readonly logs: readonly ClaimedLog[];
  readonly paid: readonly RewardPaid[];
  readonly claimedInEpoch: TokenAmount;
  readonly contract: ReadonlyMap<Address, ContractWord>;
};

export type ReadOptions = {
  /** Told while logs are read. */
  readonly onProgress?: (done: bigint, all: bigint) => void;
  /** Blocks asked for at once; halved when the node refuses. Default 5000. */
  readonly blocksAtOnce?: bigint;
};

type RawLog = { readonly topics: readonly Hex[]; readonly words: readonly bigint[] };

const CLAIMED = eventTopic('Claimed(bytes32,address,uint64,uint64)');
const USAGE_REWARD = eventTopic('UsageReward(address,uint256,address,uint256)');
const CALLS_AT_ONCE = 16;

/** What a ShareRewards deployment has fixed. @throws RewardsRpcError if there is none at `rewards` */
export async function readDeployment(rpc: RewardsRpc, rewards: Address): Promise<RewardsDeployment> {
  const [channels, registry, firstEpoch, growthBasisPoints] = await Promise.all(
    ['channels()', 'registry()', 'firstEpoch()', 'growthBasisPoints()'].map((name) =>
      viewWord(rpc, rewards, callData(name)),
    ),
  );
  const hub = addressOfWord(channels as bigint);
  // From the hub itself: that is where the fee is taken.
  const feeBasisPoints = await viewWord(rpc, hub, callData('feeBasisPoints()'));
  return {
    channels: hub,
    registry: addressOfWord(registry as bigint),
    terms: { firstEpoch: firstEpoch as bigint, growthBasisPoints: growthBasisPoints as bigint, feeBasisPoints },
  };
}

/**
 * Everything about an epoch that is over.
 *
 * @throws RewardsRpcError if the chain is not past the epoch yet: its claims may still grow
 */
export async function readEpoch(
  rpc: RewardsRpc,
  rewards: Address,
  { channels }: Pick<RewardsDeployment, 'channels'>,
  epoch: bigint,
  options: ReadOptions = {},
): Promise<EpochLedger> {
  const latest = await requireOver(rpc, epoch);
  const endS = (epoch + 1n) * EPOCH_S;
  const fromBlock = await firstBlockAt(rpc, epoch * EPOCH_S, latest);
  const afterEnd = await firstBlockAt(rpc, endS, latest);
  const claimed =
    afterEnd === fromBlock ? [] : await readLogs(rpc, channels, [CLAIMED], fromBlock, afterEnd - 1n, options);
  const timestampS = epoch * EPOCH_S;
  const logs = claimed.map(({ topics, words }) => ({
    device: addressOfWord(uintFromBytes(bytesFromHex(topics[2] as Hex))),
    delta: words[0] as bigint,
    timestampS,
  }));
  // Rewards of the epoch are paid after its end, to whoever asks, at any time.
  const epochTopic: Hex = `0x${epoch.toString(16).padStart(64, '0')}`;
  const paid = await readLogs(rpc, rewards, [USAGE_REWARD, null, epochTopic], afterEnd, latest, options);
  return {
    epoch,
    fromBlock,
    toBlock: afterEnd - 1n,
    logs,
    paid: paid.map(({ topics, words }) => ({
      device: addressOfWord(BigInt(topics[1] as Hex)),
      operator: addressOfWord(BigInt(topics[3] as Hex)),
      units: words[0] as bigint,
    })),
    claimedInEpoch: await viewWord(rpc, channels, callData('claimedInEpoch(uint256)', epoch)),
    contract: await readContractWords(rpc, rewards, channels, epoch, new Set(logs.map(({ device }) => device))),
  };
}

/** @returns the newest block's number @throws RewardsRpcError if the chain is not past the epoch yet */
export async function requireOver(rpc: RewardsRpc, epoch: bigint): Promise<bigint> {
  const latest = await quantity(rpc, 'eth_blockNumber');
  const endS = (epoch + 1n) * EPOCH_S;
  const newestS = await blockTime(rpc, latest);
  if (newestS >= endS) return latest;
  throw new RewardsRpcError(
    `epoch ${epoch} ends at ${endS} (Unix time), the newest block is of ${newestS}: it is not over`,
  );
}

/** First block whose time is `timeS` or later; latest + 1 if there is none. Block times never fall. */
export async function firstBlockAt(rpc: RewardsRpc, timeS: bigint, latest: bigint): Promise<bigint> {
  let low = 0n;
  let high = latest + 1n;
  while (low < high) {
    const middle = (low + high) / 2n;
    if ((await blockTime(rpc, middle)) < timeS) low = middle + 1n;
    else high = middle;
  }
  return low;
}

async function blockTime(rpc: RewardsRpc, number: bigint): Promise<bigint> {
  const block = await rpc.request('eth_getBlockByNumber', [hexOf(number), false]);
  if (typeof block !== 'object' || block === null) {
    throw new RewardsRpcError(`the node does not know block ${number}; an archive node may be needed`);
  }
  return quantityOf((block as { timestamp?: unknown }).timestamp, 'block timestamp');
}

/** In pieces: nodes answer for so many blocks, or so many logs, at once. */
async function readLogs(
  rpc: RewardsRpc,
  address: Address,
  topics: readonly (Hex | null)[],
  fromBlock: bigint,
  toBlock: bigint,
  { onProgress, blocksAtOnce = 5000n }: ReadOptions,
): Promise<readonly RawLog[]> {
  const logs: RawLog[] = [];
  let size = blocksAtOnce;
  for (let from = fromBlock; from <= toBlock; ) {
    const to = from + size - 1n < toBlock ? from + size - 1n : toBlock;
    const filter = { address, topics, fromBlock: hexOf(from), toBlock: hexOf(to) };
    try {
      logs.push(...rawLogs(await rpc.request('eth_getLogs', [filter]), address, topics[0] as Hex));
    } catch (error) {
      if (!(error instanceof RewardsRpcError) || size === 1n) throw error;
      size /= 2n;
      continue;
    }
    from = to + 1n;
    onProgress?.(from - fromBlock, toBlock - fromBlock + 1n);
  }
  return logs;
}

/** The first names the event; UsageReward has one more than Claimed. */
const TOPICS_OF_CLAIMED = 3;
const TOPICS_OF_REWARD = 4;
const WORD_PATTERN = /^0x[0-9a-f]{64}$/i;
const DATA_PATTERN = /^0x(?:[0-9a-f]{64})+$/i;

function rawLogs(answer: unknown, address: Address, topic: Hex): readonly RawLog[] {
  if (!Array.isArray(answer)) throw new RewardsRpcError('eth_getLogs: the answer is no list');
  return answer.map((log: { address?: string; topics?: unknown; data?: unknown; removed?: boolean } | null) => {
    const { topics, data } = log ?? {};
    const isOurs = log?.address?.toLowerCase() === address && log.removed !== true;
    if (
      !isOurs ||
      !isTopics(topics, topic === USAGE_REWARD ? TOPICS_OF_REWARD : TOPICS_OF_CLAIMED) ||
      topics[0] !== topic
    ) {
      throw new RewardsRpcError(`eth_getLogs: a log of ${String(log?.address).slice(0, 42)} that was not asked for`);
    }
    if (typeof data !== 'string' || !DATA_PATTERN.test(data)) {
      throw new RewardsRpcError(`eth_getLogs: the data of a log is ${String(data).slice(0, 20)}, expected whole words`);
    }
    const bytes = bytesFromHex(data);
    const words = Array.from({ length: bytes.length / 32 }, (_, i) =>
      uintFromBytes(bytes.subarray(i * 32, i * 32 + 32)),
    );
    return { topics, words };
  });
}

function isTopics(topics: unknown, least: number): topics is readonly Hex[] {
  return Array.isArray(topics) && topics.length >= least && topics.every((topic) => WORD_PATTERN.test(`${topic}`));
}

async function readContractWords(
  rpc: RewardsRpc,
  rewards: Address,
  channels: Address,
  epoch: bigint,
  devices: ReadonlySet<Address>,
): Promise<ReadonlyMap<Address, ContractWord>> {
  const named = [...devices].filter((device) => device !== ZERO_ADDRESS);
  const words = new Map<Address, ContractWord>();
  const next = named.values();
  const work = async (): Promise<void> => {
    for (const device of next) {
      const [claimed, reward, isPaid] = await Promise.all([
        view(rpc, channels, callData('claimedFor(uint256,address)', epoch, device)),
        view(rpc, rewards, callData('rewardOf(address,uint256)', device, epoch)),
        view(rpc, rewards, callData('isClaimed(address,uint256)', device, epoch)),
      ]);
      words.set(device, { claimed: claimed[0] as bigint, reward: reward[0] as bigint, isPaid: isPaid[0] === 1n });
    }
  };
  await Promise.all(Array.from({ length: CALLS_AT_ONCE }, work));
  return words;
}

function hexOf(value: bigint): Hex {
  return `0x${value.toString(16)}`;
}
