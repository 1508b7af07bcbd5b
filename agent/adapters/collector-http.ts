/**
 * Requests to the collector, over whichever way it can be reached: its own address first, then the other addresses it was
 * given, then its own from another local address (a second uplink). A way that worked is kept for a while, so that a dead
 * first one does not cost its timeout each time.
 */
import { request as httpRequest, type IncomingMessage } from 'node:http';
import { request as httpsRequest } from 'node:https';
import type { Address } from '../../protocol/address.ts';
import type { CollectorRequestLine } from '../../protocol/collector-requests.ts';

export type CollectorWays = {
  /** "https://collector.example" or with a path. */
  readonly collectorUrl: string;
  /** The same collector by other names or addresses. */
  readonly backupUrls?: readonly string[];
  /** Source address of a second uplink. */
  readonly backupAddress?: string | undefined;
};

export type CollectorRequest = {
  readonly line: CollectorRequestLine;
  /** Stands in the path where the line says ":device". */
  readonly device?: Address;
  readonly contentType?: string;
  /** Value of the header of that name. */
  readonly authorization?: string;
  readonly body?: Uint8Array;
  readonly timeoutMs: number;
};

export type CollectorReply = ({ readonly ok: true } & Reply) | { readonly ok: false; readonly message: string };

type Reply = {
  readonly status: number;
  readonly text: string;
  /** The header ssp-missing: "3-5,9". */
  readonly missing?: string;
  /** The header ssp-until: Unix seconds by the collector's clock until when a signed request may hold. */
  readonly until?: string;
};

type Way = { readonly base: string; readonly localAddress?: string };

/** A receipt is about 400 bytes; an error page may be longer, but not unbounded. */
const MAX_ANSWER_BYTES = 16 * 1024;
/** After this the first way is tried again: it is the one that the owner wants used. */
const KEEP_WAY_MS = 600_000;
/** Of a refusal, so much is worth a line in the log. */
const MAX_QUOTED_CHARACTERS = 200;

export class CollectorHttp {
  readonly #ways: readonly Way[];
  readonly #monotonicMs: () => number;
  #way = 0;
  #keptUntilMs = 0;

  constructor({ collectorUrl, backupUrls = [], backupAddress }: CollectorWays, monotonicMs = () => performance.now()) {
    const bases = [collectorUrl, ...backupUrls].map((url) => url.replace(/\/+$/, ''));
    const [first = ''] = bases;
    this.#ways = [
      ...bases.map((base) => ({ base })),
      ...(backupAddress === undefined ? [] : [{ base: first, localAddress: backupAddress }]),
    ];
    this.#monotonicMs = monotonicMs;
  }

  /**
   * The first answer that `isGood` takes; else why the last way failed. What is sent must be idempotent: a way may fail after
   * the collector took it.
   */
  async send<T>(
    request: CollectorRequest,
    read: (reply: Reply) => T | { readonly ok: false; readonly message: string },
  ): Promise<T | { readonly ok: false; readonly message: string }> {
    if (this.#monotonicMs() >= this.#keptUntilMs) this.#way = 0;
    let failure: { readonly ok: false; readonly message: string } | undefined;
    for (let tried = 0; tried < this.#ways.length; tried++) {
      const index = (this.#way + tried) % this.#ways.length;
      const way = this.#ways[index] as Way;
      const reply = await sendBy(way, request);
      const answer = reply.ok ? read(reply) : reply;
      if (!isFailure(answer)) {
        if (index !== this.#way) this.#keptUntilMs = this.#monotonicMs() + KEEP_WAY_MS;
        this.#way = index;
        return answer;
      }
      failure ??= answer;
    }
    return failure ?? { ok: false, message: 'no way to the collector is configured' };
  }
}

/** Printable only: it ends up in a log and on the owner's terminal. */
export function quoted(text: string): string {
  return JSON.stringify(text.slice(0, MAX_QUOTED_CHARACTERS).replace(/[^\x20-\x7e]/g, '?'));
}

function isFailure(answer: unknown): answer is { readonly ok: false; readonly message: string } {
  return typeof answer === 'object' && answer !== null && 'ok' in answer && answer.ok === false;
}

async function sendBy(way: Way, request: CollectorRequest): Promise<CollectorReply> {
  const [method = '', path = ''] = request.line.split(' ');
  const url = `${way.base}${path.replace(':device', request.device ?? '')}`;
  try {
    const { status, chunks, missing, until } = await exchange(way, url, { ...request, method });
    const text = await boundedText(chunks);
    if (text === undefined) {
      return { ok: false, message: `the collector's answer is longer than ${MAX_ANSWER_BYTES} bytes` };
    }
    return {
      ok: true,
      status,
      text,
      ...(missing === undefined ? {} : { missing }),
      ...(until === undefined ? {} : { until }),
    };
  } catch (error) {
    return { ok: false, message: `the collector at ${url} cannot be reached: ${reasonOf(error)}` };
  }
}

type Streamed = Omit<Reply, 'text' | 'missing' | 'until'> & {
  readonly chunks: AsyncIterable<Uint8Array>;
  readonly missing: string | undefined;
  readonly until: string | undefined;
};

/** By node:http: the first fetch would load undici, 3 MiB that a router keeps for good, and cannot choose the local address. */
async function exchange(
  { localAddress }: Way,
  url: string,
  { method, body, timeoutMs, ...request }: CollectorRequest & { readonly method: string },
): Promise<Streamed> {
  const signal = AbortSignal.timeout(timeoutMs);
  const send = url.startsWith('https:') ? httpsRequest : httpRequest;
  // A redirect is not followed: it comes from a captive portal upstream of the router, and that is no collector.
  const response = await new Promise<IncomingMessage>((resolve, reject) => {
    const from = localAddress === undefined ? {} : { localAddress };
    send(url, { method, headers: headersOf(request), ...from, signal }, resolve)
      .on('error', reject)
      .end(body);
  });
  const { 'ssp-missing': missing, 'ssp-until': until } = response.headers;
  return {
    status: response.statusCode ?? 0,
    chunks: response,
    missing: typeof missing === 'string' ? missing : undefined,
    until: typeof until === 'string' ? until : undefined,
  };
}

function headersOf({
  contentType,
  authorization,
}: Pick<CollectorRequest, 'contentType' | 'authorization'>): Record<string, string> {
  return {
    accept: 'application/json',
    ...(contentType === undefined ? {} : { 'content-type': contentType }),
    ...(authorization === undefined ? {} : { authorization }),
  };
}

/** The body as text, or undefined once it is longer than MAX_ANSWER_BYTES. Leaving the loop cancels the stream. */
async function boundedText(chunks: AsyncIterable<Uint8Array>): Promise<string | undefined> {
  const kept: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of chunks) {
    length += chunk.length;
    if (length > MAX_ANSWER_BYTES) return undefined;
    kept.push(chunk);
  }
  return Buffer.concat(kept).toString('utf8');
}

/** Of an abort, why; of several addresses of one name that all fail, which have no text of their own, each. */
function reasonOf(error: unknown): string {
  if (error instanceof AggregateError) return error.errors.map(reasonOf).join(', ');
  if (!(error instanceof Error)) return String(error);
  return error.cause instanceof Error ? `${error.message} (${error.cause.message})` : error.message;
}
