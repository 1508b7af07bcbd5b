/**
 * The few JSON-RPC calls that recomputing rewards takes. Whoever checks rewards chooses the node: what it says is believed
 * here, so a check that matters is made against one's own, or against two.
 */
import type { Address } from '../protocol/address.ts';
import { bytesFromHex, bytesFromUint, concatBytes, type Hex, hexFromBytes, uintFromBytes } from '../protocol/hex.ts';
import { keccak256Text } from '../protocol/keccak.ts';

export type RewardsRpc = {
  /** The result member. @throws RewardsRpcError */
  readonly request: (method: string, params: readonly unknown[]) => Promise<unknown>;
};

/** The node cannot be reached, refuses, or answers with what is no answer. */
export class RewardsRpcError extends Error {
  override readonly name = 'RewardsRpcError';
}

const TIMEOUT_MS = 30_000;
const WORD_BYTES = 32;

export function rewardsRpc(url: string, fetcher: typeof fetch = fetch): RewardsRpc {
  return {
    request: async (method, params) => {
      const answer = await exchange(url, fetcher, { jsonrpc: '2.0', id: 1, method, params });
      if (typeof answer !== 'object' || answer === null)
        throw new RewardsRpcError(`${method}: the answer is no object`);
      const { result, error } = answer as { result?: unknown; error?: { message?: unknown } };
      if (error !== undefined) throw new RewardsRpcError(`${method}: ${String(error.message).slice(0, 200)}`);
      return result;
    },
  };
}

/** @throws RewardsRpcError unless the node answers `0x` and hex digits. */
export async function quantity(rpc: RewardsRpc, method: string, params: readonly unknown[] = []): Promise<bigint> {
  return quantityOf(await rpc.request(method, params), method);
}

export function quantityOf(value: unknown, what: string): bigint {
  if (typeof value === 'string' && /^0x[0-9a-f]{1,64}$/i.test(value)) return BigInt(value);
  throw new RewardsRpcError(`${what}: expected a hex quantity, got ${String(value).slice(0, 40)}`);
}

/** Call data of `signature` ("rewardOf(address,uint256)"): every argument is one word. */
export function callData(signature: string, ...args: readonly (bigint | Address)[]): Hex {
  const words = args.map((arg) => (typeof arg === 'bigint' ? bytesFromUint(arg, WORD_BYTES) : wordOf(arg)));
  return hexFromBytes(concatBytes(keccak256Text(signature).subarray(0, 4), ...words));
}

/** The words of a view call's result. @throws RewardsRpcError also if no contract is there */
export async function view(rpc: RewardsRpc, to: Address, data: Hex, block = 'latest'): Promise<readonly bigint[]> {
  const result = await rpc.request('eth_call', [{ to, data }, block]);
  if (typeof result !== 'string' || !/^0x(?:[0-9a-f]{64})+$/i.test(result)) {
    throw new RewardsRpcError(
      `no such contract at ${to}: it answers ${String(result).slice(0, 20)} to ${data.slice(0, 10)}`,
    );
  }
  const bytes = bytesFromHex(result);
  return Array.from({ length: bytes.length / WORD_BYTES }, (_, i) =>
    uintFromBytes(bytes.subarray(i * WORD_BYTES, (i + 1) * WORD_BYTES)),
  );
}

/** The one word of a view call's result. */
export async function viewWord(rpc: RewardsRpc, to: Address, data: Hex, block?: string): Promise<bigint> {
  return (await view(rpc, to, data, block))[0] as bigint;
}

export function addressOfWord(word: bigint): Address {
  return hexFromBytes(bytesFromUint(word, WORD_BYTES).subarray(12));
}

export function wordOf(address: Address): Uint8Array {
  return concatBytes(new Uint8Array(12), bytesFromHex(address));
}

export function eventTopic(signature: string): Hex {
  return hexFromBytes(keccak256Text(signature));
}

async function exchange(url: string, fetcher: typeof fetch, body: object): Promise<unknown> {
  try {
    const response = await fetcher(url, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
      signal: AbortSignal.timeout(TIMEOUT_MS),
    });
    return await response.json();
  } catch (cause) {
    throw new RewardsRpcError(`no answer from the node: ${cause instanceof Error ? cause.message : cause}`, { cause });
  }
}
