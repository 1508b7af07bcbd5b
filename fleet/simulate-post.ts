/** Uploads of many routers over a bounded number of kept connections. Refusals "for now" are obeyed, as a router would. */
import { Agent as HttpAgent, request as httpRequest, type RequestOptions } from 'node:http';
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https';
import { setTimeout as sleep } from 'node:timers/promises';
import { decodeReceipt } from '../protocol/receipt-wire.ts';
import type { SignedProofReceipt } from '../protocol/verdict.ts';

export type Posted =
  | { readonly ok: true; readonly receipt: SignedProofReceipt; readonly ms: number; readonly retries: number }
  | { readonly ok: false; readonly message: string; readonly retries: number };

export type Poster = {
  /** Never rejects. */
  readonly post: (body: Uint8Array) => Promise<Posted>;
  /** A GET's answer as JSON. @throws Error if there is none */
  readonly get: (path: string, authorization: string) => Promise<unknown>;
  readonly close: () => void;
};

type Answer = { readonly status: number; readonly text: string; readonly retryAfterS: number };

const MAX_TRIES = 20;
const TIMEOUT_MS = 60_000;

/** `gone`: aborted once the collector is known to have ended; nobody waits for it any longer then. */
export function poster(collectorUrl: string, connections: number, gone?: AbortSignal): Poster {
  const base = new URL(collectorUrl);
  const isTls = base.protocol === 'https:';
  const agent = new (isTls ? HttpsAgent : HttpAgent)({ keepAlive: true, maxSockets: connections, timeout: TIMEOUT_MS });
  const send = isTls ? httpsRequest : httpRequest;
  const exchange = (path: string, body?: Uint8Array, authorization = ''): Promise<Answer> =>
    new Promise((resolve, reject) => {
      const headers =
        body === undefined ? { authorization } : { 'content-type': 'application/cbor', 'content-length': body.length };
      const options: RequestOptions = {
        agent,
        headers,
        method: body === undefined ? 'GET' : 'POST',
        timeout: TIMEOUT_MS,
      };
      const request = send(new URL(base.pathname.replace(/\/+$/, '') + path, base), options, (response) => {
        const chunks: Buffer[] = [];
        response.on('data', (chunk: Buffer) => chunks.push(chunk));
        response.on('error', reject);
        response.on('end', () => {
          const retryAfterS = Number(response.headers['retry-after'] ?? 1);
          resolve({ status: response.statusCode ?? 0, text: Buffer.concat(chunks).toString(), retryAfterS });
        });
      });
      request.on('timeout', () => request.destroy(new Error(`no answer within ${TIMEOUT_MS / 1000} s`)));
      request.on('error', reject);
      request.end(body);
    });
  return {
    post: (body) => postUntilTaken((path) => exchange(path, body), gone),
    get: async (path, authorization) => JSON.parse((await exchange(path, undefined, authorization)).text),
    close: () => agent.destroy(),
  };
}

async function postUntilTaken(exchange: (path: string) => Promise<Answer>, gone?: AbortSignal): Promise<Posted> {
  let message = '';
  for (let retries = 0; retries < MAX_TRIES; retries++) {
    const startedMs = performance.now();
    let waitS = 1;
    try {
      const { status, text, retryAfterS } = await exchange('/v1/proofs');
      if (status === 200) {
        const read = receiptIn(text);
        return read.ok ? { ...read, ms: performance.now() - startedMs, retries } : { ...read, retries };
      }
      message = `status ${status}: ${text.slice(0, 120)}`;
      if (status !== 429 && status !== 503) return { ok: false, message, retries };
      waitS = retryAfterS;
    } catch (error) {
      // A connection that the collector closed as the request went out: sent again, it is the same proof.
      message = error instanceof Error ? error.message : String(error);
    }
    if (gone?.aborted) return { ok: false, message: `the collector has ended: ${message}`, retries };
    // Jitter, or all who were refused come back at once.
    await sleep(1000 * waitS * (0.5 + Math.random()));
  }
  return { ok: false, message: `given up after ${MAX_TRIES} tries: ${message}`, retries: MAX_TRIES };
}

function receiptIn(text: string): { ok: true; receipt: SignedProofReceipt } | { ok: false; message: string } {
  try {
    const decoded = decodeReceipt(JSON.parse(text));
    if (decoded.ok) return { ok: true, receipt: decoded.value };
    return { ok: false, message: `no receipt: ${decoded.path}: expected ${decoded.expected}, got ${decoded.got}` };
  } catch {
    return { ok: false, message: `no JSON: ${text.slice(0, 80)}` };
  }
}
