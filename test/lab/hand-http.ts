/** HTTP from inside a namespace: whole requests, and flows that run in the background and can be watched. */
import { type ClientRequest, request as httpRequest, type IncomingMessage } from 'node:http';
import type { FlowState, HandOperations, HttpAnswer } from './hand-protocol.ts';
import { isPayload, PAYLOAD_BLOCK } from './payload.ts';

const DEFAULT_TIMEOUT_MS = 5_000;
const MAX_BODY_BYTES = 4 << 20;

type Flow = {
  request: ClientRequest;
  bytes: number;
  isDone: boolean;
  isIntact: boolean;
  lastMs: number;
  error?: string;
};

const flows = new Map<string, Flow>();

export function request(input: HandOperations['http']['input']): Promise<HttpAnswer> {
  const url = new URL(input.url);
  return new Promise((resolve, reject) => {
    const client = httpRequest({
      host: input.address ?? url.hostname.replace(/^\[|\]$/g, ''),
      port: url.port === '' ? 80 : Number(url.port),
      path: `${url.pathname}${url.search}`,
      method: input.method ?? 'GET',
      headers: {
        host: url.host,
        ...(input.body === undefined ? {} : { 'content-length': Buffer.byteLength(input.body) }),
        ...input.headers,
      },
      agent: false,
    });
    const timer = setTimeout(
      () => client.destroy(new Error(`no answer within ${input.timeoutMs ?? DEFAULT_TIMEOUT_MS} ms`)),
      input.timeoutMs ?? DEFAULT_TIMEOUT_MS,
    );
    client.on('error', (error) => {
      clearTimeout(timer);
      reject(error);
    });
    client.once('response', (response) => {
      collect(response).then((body) => {
        clearTimeout(timer);
        resolve({ status: response.statusCode ?? 0, headers: plainHeaders(response), body });
      }, reject);
    });
    client.end(input.body);
  });
}

export async function startDownload(input: HandOperations['download']['input']): Promise<object> {
  const rate = input.bytesPerS === undefined ? '' : `?bytesPerS=${input.bytesPerS}`;
  const flow = start(input.flow, input.address, input.port, { path: `/bytes/${input.bytes}${rate}`, method: 'GET' });
  flow.request.once('response', (response) => {
    response.on('data', (chunk: Buffer) => {
      if (!isPayload(chunk, flow.bytes)) flow.isIntact = false;
      flow.bytes += chunk.length;
      flow.lastMs = performance.now();
    });
    response.once('end', () => {
      flow.isDone = flow.bytes === input.bytes;
    });
    response.on('error', (error) => fail(flow, error));
  });
  flow.request.end();
  return await Promise.resolve({});
}

export async function startUpload(input: HandOperations['upload']['input']): Promise<object> {
  const flow = start(input.flow, input.address, input.port, {
    path: '/sink',
    method: 'PUT',
    headers: { 'content-length': input.bytes },
  });
  flow.request.once('response', (response) => {
    collect(response).then(
      (body) => {
        flow.isIntact = body === String(input.bytes);
        flow.isDone = true;
      },
      (error: Error) => fail(flow, error),
    );
  });
  const send = (): void => {
    while (flow.bytes < input.bytes) {
      const chunk = PAYLOAD_BLOCK.subarray(0, Math.min(PAYLOAD_BLOCK.length, input.bytes - flow.bytes));
      flow.bytes += chunk.length;
      flow.lastMs = performance.now();
      if (!flow.request.write(chunk)) {
        flow.request.once('drain', send);
        return;
      }
    }
    flow.request.end();
  };
  send();
  return await Promise.resolve({});
}

export function flowState(name: string): FlowState {
  const flow = flows.get(name);
  if (flow === undefined) throw new Error(`there is no flow ${name}`);
  const { bytes, isDone, isIntact, error } = flow;
  const idleMs = Math.round(performance.now() - flow.lastMs);
  return { bytes, isDone, isIntact, idleMs, ...(error === undefined ? {} : { error }) };
}

export function abortFlow(name: string): object {
  flows.get(name)?.request.destroy();
  return {};
}

function start(
  name: string,
  address: string,
  port: number,
  options: { readonly path: string; readonly method: string; readonly headers?: Readonly<Record<string, number>> },
): Flow {
  const client = httpRequest({ host: address, port, agent: false, ...options });
  const flow: Flow = { request: client, bytes: 0, isDone: false, isIntact: true, lastMs: performance.now() };
  client.on('error', (error) => fail(flow, error));
  flows.set(name, flow);
  return flow;
}

function fail(flow: Flow, error: NodeJS.ErrnoException): void {
  flow.error ??= error.code ?? error.message;
}

async function collect(response: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of response as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > MAX_BODY_BYTES) throw new Error(`answer is longer than ${MAX_BODY_BYTES} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

function plainHeaders(response: IncomingMessage): Record<string, string> {
  return Object.fromEntries(
    Object.entries(response.headers).map(([name, value]) => [
      name,
      Array.isArray(value) ? value.join(', ') : (value ?? ''),
    ]),
  );
}
