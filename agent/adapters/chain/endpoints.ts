/**
 * Several JSON-RPC endpoints as one: what one cannot answer the next is asked, a transaction is offered to all, and what
 * cannot be taken back is done only when two say the same. Each is asked for its chain id before anything else, and again
 * after it was away. Takes no decision but whom to ask.
 */
import type { Hex } from '../../../protocol/hex.ts';
import { ChainError, refused, unreachable } from './chain-error.ts';
import { dataFrom, isRecord, type JsonRpc, quantityFrom } from './json-rpc.ts';

export type EndpointsDeps = {
  /** In the order in which they are preferred; at least one. */
  readonly endpoints: readonly JsonRpc[];
  readonly chainId: bigint;
  readonly monotonicMs: () => number;
};

export type Endpoints = JsonRpc & {
  /** Data that `method` gives at a block so many confirmations deep (1: the newest), the same from two where there are two. */
  agreed(method: 'eth_call', params: readonly unknown[], confirmations: bigint): Promise<Hex>;
  /** Unix seconds of the newest block; the lower of two where there are two. */
  time(): Promise<bigint>;
};

type Endpoint = {
  readonly rpc: JsonRpc;
  isChecked: boolean;
  failures: number;
  restUntilMs: number;
  head: bigint;
};

/** How many must say the same, where so many are configured. */
const QUORUM = 2;
/** Blocks that an endpoint may be behind another before it counts as stale: half a minute to two minutes. */
const MAX_LAG_BLOCKS = 8n;
/** After a failure an endpoint is left alone for a second, then twice as long each time, up to half a minute. */
const FIRST_REST_MS = 1_000;
const LONGEST_REST_MS = 30_000;

const QUANTITY = /^0x[0-9a-fA-F]{1,64}$/;
const isQuantity = (value: unknown): boolean => typeof value === 'string' && QUANTITY.test(value);
const isBytes = (value: unknown): boolean => typeof value === 'string' && /^0x([0-9a-fA-F]{2})*$/.test(value);
/** What an honest node answers; anything else is a reason to ask the next one. */
const SHAPES: Readonly<Record<string, (value: unknown) => boolean>> = {
  eth_blockNumber: isQuantity,
  eth_call: isBytes,
  eth_chainId: isQuantity,
  eth_estimateGas: isQuantity,
  eth_gasPrice: isQuantity,
  eth_getBalance: isQuantity,
  eth_getBlockByNumber: (value) => isRecord(value) && isQuantity(value['number']) && isQuantity(value['timestamp']),
  eth_getLogs: Array.isArray,
  eth_getTransactionCount: isQuantity,
  eth_getTransactionReceipt: (value) => value === null || (isRecord(value) && isQuantity(value['status'])),
  eth_maxPriorityFeePerGas: isQuantity,
  eth_sendRawTransaction: isBytes,
};

export function createEndpoints(deps: EndpointsDeps): Endpoints {
  return new RpcEndpoints(deps);
}

class RpcEndpoints implements Endpoints {
  readonly #deps: EndpointsDeps;
  readonly #all: readonly Endpoint[];

  constructor(deps: EndpointsDeps) {
    this.#deps = deps;
    this.#all = deps.endpoints.map((rpc) => ({ rpc, isChecked: false, failures: 0, restUntilMs: 0, head: 0n }));
  }

  async request(method: string, params: readonly unknown[]): Promise<unknown> {
    if (method === 'eth_sendRawTransaction') return this.#broadcast(method, params);
    let first: unknown;
    let isUnknown = false;
    for (const endpoint of this.#inOrder()) {
      try {
        const value = await this.#ask(endpoint, method, params);
        // It does not know what is asked for, as one that lags: another may.
        if (value !== null) return value;
        isUnknown = true;
      } catch (error) {
        // A revert, too, may be the word of one that lags or lies.
        if (!(error instanceof ChainError)) throw error;
        first ??= error;
      }
    }
    if (isUnknown) return null;
    throw first;
  }

  async agreed(method: 'eth_call', params: readonly unknown[], confirmations: bigint): Promise<Hex> {
    if (this.#all.length === 1 && confirmations <= 1n) {
      return dataFrom(await this.request(method, [...params, 'latest']), method);
    }
    const heads = await this.#fromAll(async (endpoint) =>
      quantityFrom(await this.#ask(endpoint, 'eth_blockNumber', []), 'eth_blockNumber'),
    );
    const head = this.#lowestOfQuorum(heads, 'the newest block');
    const depth = confirmations - 1n;
    const block = `0x${(head > depth ? head - depth : 0n).toString(16)}`;
    const answers = await this.#fromAll(async (endpoint) =>
      dataFrom(await this.#ask(endpoint, method, [...params, block]), method),
    );
    const found = answers.find((one) => answers.filter((other) => other === one).length >= this.#quorum());
    if (found !== undefined) return found;
    throw unreachable(`${method} at block ${block}: ${answers.length} endpoints answered, no ${QUORUM} the same`);
  }

  async time(): Promise<bigint> {
    const times = await this.#fromAll(async (endpoint) => {
      const block = await this.#ask(endpoint, 'eth_getBlockByNumber', ['latest', false]);
      return quantityFrom(isRecord(block) ? block['timestamp'] : undefined, 'timestamp of the latest block');
    });
    return this.#lowestOfQuorum(times, 'the time');
  }

  /** Highest value that so many endpoints have reached. */
  #lowestOfQuorum(values: readonly bigint[], what: string): bigint {
    const value = [...values].sort((a, b) => (a > b ? -1 : 1))[this.#quorum() - 1];
    if (value !== undefined) return value;
    throw unreachable(`${what}: ${values.length} of ${this.#all.length} endpoints answered, ${this.#quorum()} must`);
  }

  #quorum(): number {
    return Math.min(QUORUM, this.#all.length);
  }

  /** To all at once: a node that keeps it to itself must not keep it from the chain. */
  async #broadcast(method: string, params: readonly unknown[]): Promise<unknown> {
    const answers = await Promise.allSettled(this.#all.map((endpoint) => this.#ask(endpoint, method, params)));
    const taken = answers.find((answer) => answer.status === 'fulfilled');
    if (taken !== undefined) return taken.value;
    const errors = answers.map((answer) => (answer.status === 'rejected' ? (answer.reason as unknown) : undefined));
    throw errors.find((error) => error instanceof ChainError && error.isNodesWord) ?? errors[0];
  }

  /** What those answer that can. @throws the first one's error if none does */
  async #fromAll<T>(read: (endpoint: Endpoint) => Promise<T>): Promise<readonly T[]> {
    const answers = await Promise.allSettled(this.#all.map((endpoint) => read(endpoint)));
    const values = answers.flatMap((answer) => (answer.status === 'fulfilled' ? [answer.value] : []));
    const [first] = answers;
    if (values.length === 0 && first?.status === 'rejected') throw first.reason;
    return values;
  }

  /** Rested ones first, in the owner's order; the others as the last resort. */
  #inOrder(): readonly Endpoint[] {
    const nowMs = this.#deps.monotonicMs();
    const isRested = ({ restUntilMs }: Endpoint) => restUntilMs <= nowMs;
    return [...this.#all.filter(isRested), ...this.#all.filter((endpoint) => !isRested(endpoint))];
  }

  async #ask(endpoint: Endpoint, method: string, params: readonly unknown[]): Promise<unknown> {
    const value = await this.#answer(endpoint, method, params);
    this.#noteHead(endpoint, method, params, value);
    endpoint.failures = 0;
    endpoint.restUntilMs = 0;
    return value;
  }

  async #answer(endpoint: Endpoint, method: string, params: readonly unknown[]): Promise<unknown> {
    try {
      await this.#checkChain(endpoint);
      const value = await endpoint.rpc.request(method, params);
      if (SHAPES[method]?.(value) === false) {
        throw unreachable(`${method}: the node's answer is none: ${JSON.stringify(value)?.slice(0, 60)}`);
      }
      return value;
    } catch (error) {
      if (error instanceof ChainError && error.code === 'CHAIN_UNREACHABLE' && !error.isNodesWord) {
        this.#rest(endpoint);
        // Where it is now nobody knows, so it is no measure for others.
        endpoint.head = 0n;
      }
      throw error;
    }
  }

  /** Wrong chain id: a signature made here could never be worth anything there. */
  async #checkChain(endpoint: Endpoint): Promise<void> {
    if (endpoint.isChecked) return;
    const got = quantityFrom(await endpoint.rpc.request('eth_chainId', []), 'eth_chainId');
    const { chainId } = this.#deps;
    if (got !== chainId) {
      throw refused(`the node is on chain ${got}, configured is ${chainId}: check rpc_url and chain_id`);
    }
    endpoint.isChecked = true;
  }

  #noteHead(endpoint: Endpoint, method: string, params: readonly unknown[], value: unknown): void {
    const isHead = method === 'eth_blockNumber' || (method === 'eth_getBlockByNumber' && params[0] === 'latest');
    if (!isHead) return;
    endpoint.head = quantityFrom(isRecord(value) ? value['number'] : value, method);
    const reached = this.#reachedByOthers(endpoint);
    if (endpoint.head + MAX_LAG_BLOCKS >= reached) return;
    this.#rest(endpoint);
    throw unreachable(`${method}: the node is at block ${endpoint.head}, others at ${reached}: stale`);
  }

  /**
   * The block that a quorum of the others has reached: one that lies far ahead of all does not make the honest ones stale.
   * Of one other alone its word counts: who of the two is right nobody knows, so nothing is done until they agree.
   */
  #reachedByOthers(endpoint: Endpoint): bigint {
    const others = this.#all.filter((other) => other !== endpoint && other.head > 0n).map(({ head }) => head);
    return (
      others
        .sort((a, b) => (a > b ? -1 : 1))
        .slice(0, QUORUM)
        .at(-1) ?? 0n
    );
  }

  #rest(endpoint: Endpoint): void {
    const restMs = Math.min(FIRST_REST_MS * 2 ** Math.min(endpoint.failures, 10), LONGEST_REST_MS);
    endpoint.failures += 1;
    endpoint.restUntilMs = this.#deps.monotonicMs() + restMs;
    // It may come back as another node, behind the same name.
    endpoint.isChecked = false;
  }
}
