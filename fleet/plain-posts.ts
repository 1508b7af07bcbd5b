/**
 * One proof in a request, as routers send it: nearly all requests there are. They pass Fastify by, whose parsing, hooks and
 * serializing cost more than all that is looked up for a proof. Whatever is not plainly such a request goes to Fastify as
 * before, and with it all refusals of requests that are no uploads.
 */
import type { IncomingMessage, RequestListener, Server, ServerResponse } from 'node:http';
import type { UploadAnswer } from './upload-answer.ts';

const PATH = '/v1/proofs';
const MEDIA_TYPE = 'application/cbor';
const JSON_TYPE = 'application/json; charset=utf-8';
const DIGITS = /^[1-9]\d{0,5}$/;

/** Never throws. */
export type AnswerPost = (body: Uint8Array, ip: string) => Promise<UploadAnswer>;

/** Stands before the one listener that `server` has. `mostBytes`: longer bodies go there too. */
export function takePlainPosts(server: Server, mostBytes: number, answer: AnswerPost): void {
  const others = server.listeners('request') as RequestListener[];
  server.removeAllListeners('request');
  server.on('request', (request, response) => {
    if (!isPlainPost(request, mostBytes)) {
      for (const other of others) other(request, response);
      return;
    }
    // A socket that has closed meanwhile has no address, and nobody waits for the answer.
    const ip = request.socket.remoteAddress;
    if (ip === undefined) return;
    receive(request, (body) => void answer(body, ip).then((said) => write(response, said)));
  });
}

function isPlainPost({ method, url, headers }: IncomingMessage, mostBytes: number): boolean {
  if (method !== 'POST' || url !== PATH || headers['content-type'] !== MEDIA_TYPE) return false;
  const length = headers['content-length'];
  return length !== undefined && DIGITS.test(length) && Number(length) <= mostBytes;
}

/** The parser ends a request at its content-length, so a body is neither longer nor shorter. */
function receive(request: IncomingMessage, done: (body: Uint8Array) => void): void {
  let first: Buffer | undefined;
  let more: Buffer[] | undefined;
  request.on('data', (chunk: Buffer) => {
    if (first === undefined) first = chunk;
    else if (more === undefined) more = [first, chunk];
    else more.push(chunk);
  });
  request.on('end', () => done(more === undefined ? (first ?? Buffer.alloc(0)) : Buffer.concat(more)));
}

function write(response: ServerResponse, { status, retryAfterS, missing, json }: UploadAnswer): void {
  const text = JSON.stringify(json);
  const headers = ['content-type', JSON_TYPE, 'content-length', String(Buffer.byteLength(text))];
  if (retryAfterS !== undefined) headers.push('retry-after', String(retryAfterS));
  if (missing !== undefined) headers.push('ssp-missing', missing);
  response.writeHead(status, headers).end(text);
}
