/**
 * JSON-RPC 2.0 over HTTP POST to one endpoint: one request, one answer, a deadline, a bounded answer.
 * Sorts what comes back: a result, a refusal of the chain (revert), or no usable answer. Does not retry.
 *
 * @see https://www.jsonrpc.org/specification
 * @see https://ethereum.github.io/execution-apis
 */
import { type Hex, isHexOfLength } from '../../../protocol/hex.ts';
import { ChainError, unreachable } from './chain-error.ts';

export type JsonRpcDeps = {
  readonly url: string;
  readonly fetch: typeof fetch;
  readonly timeoutMs: number;
  /** Aborts whatever is under way when the agent stops. */
  readonly signal?: AbortSignal | undefined;
};

export type JsonRpc = {
  /** The method's result. @throws ChainError */
  request(method: string, params: readonly unknown[]): Promise<unknown>;
};

/** Our largest answer is a transaction receipt (a few KiB); a node that sends more is not ours to buffer. */
const MAX_ANSWER_BYTES = 1_048_576;
/** geth, anvil and most others: "execution reverted". */
const REVERT_CODE = 3;
/** A node that is too busy for us says so in many ways; it is then as good as away. */
const RATE_LIMITED = /rate.?limit|too many requests|request limit|capacity/i;

export function createJsonRpc(deps: JsonRpcDeps): JsonRpc {
  // Endpoints carry API keys in path and query: only the host may appear in messages.
  const host = new URL(deps.url).host;
  let lastId = 0;
  return {
    async request(method, params) {
      const id = ++lastId;
      const what = `${method} at ${host}`;
      const text = await post(deps, JSON.stringify({ jsonrpc: '2.0', id, method, params }), what);
      return resultFromAnswer(text, id, what);
    },
  };
}

/** A 0x-prefixed quantity of a result, or ChainError naming the method. */
export function quantityFrom(value: unknown, what: string): bigint {
  if (typeof value === 'string' && /^0x[0-9a-fA-F]{1,64}$/.test(value)) return BigInt(value);
  throw unreachable(`${what}: expected a hex quantity, got ${shown(value)}`);
}

/** 0x-prefixed bytes of a result, or ChainError naming the method. */
export function dataFrom(value: unknown, what: string): Hex {
  if (isHexData(value)) return value;
  throw unreachable(`${what}: expected hex data, got ${shown(value)}`);
}

export function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

async function post(deps: JsonRpcDeps, body: string, what: string): Promise<string> {
  const timeout = AbortSignal.timeout(deps.timeoutMs);
  const signal = deps.signal === undefined ? timeout : AbortSignal.any([timeout, deps.signal]);
  try {
    const headers = { 'content-type': 'application/json' };
    const response = await deps.fetch(deps.url, { method: 'POST', headers, body, signal, redirect: 'error' });
    const text = await boundedText(response, what);
    // Some nodes answer an RPC error with 4xx and a proper body; without one the status is all there is.
    if (!response.ok && !text.includes('"jsonrpc"')) {
      throw unreachable(`${what}: HTTP status ${response.status}`);
    }
    return text;
  } catch (error) {
    if (error instanceof ChainError) throw error;
    const isTimeout = timeout.aborted && deps.signal?.aborted !== true;
    const detail = isTimeout ? `no answer within ${deps.timeoutMs} ms` : causeText(error);
    throw unreachable(`${what}: ${detail}`, { cause: error });
  }
}

async function boundedText(response: Response, what: string): Promise<string> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of response.body ?? []) {
    size += chunk.length;
    if (size > MAX_ANSWER_BYTES) {
      throw unreachable(`${what}: answer is longer than ${MAX_ANSWER_BYTES} bytes`);
    }
    chunks.push(chunk);
  }
  return new TextDecoder().decode(Buffer.concat(chunks));
}

function resultFromAnswer(text: string, id: number, what: string): unknown {
  let answer: unknown;
  try {
    answer = JSON.parse(text);
  } catch (error) {
    throw unreachable(`${what}: answer is not JSON: ${shown(text)}`, { cause: error });
  }
  if (isRecord(answer) && isRecord(answer['error'])) throw errorFromAnswer(answer['error'], what);
  if (!isRecord(answer) || answer['id'] !== id || !('result' in answer)) {
    throw unreachable(`${what}: expected the result of request ${id}, got ${shown(text)}`);
  }
  return answer['result'];
}

/** Only a revert is the chain's own no; any other error of a node (rate limit, internal, syncing) may pass. */
function errorFromAnswer(error: Readonly<Record<string, unknown>>, what: string): ChainError {
  const message = typeof error['message'] === 'string' ? error['message'].slice(0, 300) : 'unnamed error';
  const revertData = revertDataFrom(error['data']);
  const isRevert = error['code'] === REVERT_CODE || revertData !== undefined || /\brevert/i.test(message);
  return new ChainError(isRevert ? 'CHAIN_REFUSED' : 'CHAIN_UNREACHABLE', `${what}: ${message}`, {
    revertData,
    isNodesWord: !RATE_LIMITED.test(message),
  });
}

/** Nodes put the revert's bytes into error.data, or one level down. */
function revertDataFrom(data: unknown): Hex | undefined {
  if (isHexData(data)) return data;
  return isRecord(data) && isHexData(data['data']) ? data['data'] : undefined;
}

function isHexData(value: unknown): value is Hex {
  return typeof value === 'string' && isHexOfLength(value, Math.max(0, (value.length - 2) / 2));
}

/** fetch hides the reason ("fetch failed") in its cause. */
function causeText(error: unknown): string {
  const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
  return cause instanceof Error ? cause.message : String(cause);
}

function shown(value: unknown): string {
  const text = typeof value === 'string' ? value : (JSON.stringify(value) ?? String(value));
  return text.length > 60 ? `${text.slice(0, 57)}...` : text;
}
