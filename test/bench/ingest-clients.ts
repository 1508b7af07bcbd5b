/** The collectors of the benchmark, and who sends to them. */
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { Agent, request } from 'node:http';
import { fileURLToPath } from 'node:url';
import { BULK_MEDIA_TYPE, encodeBulk } from '../../fleet/bulk-body.ts';
import type { Load } from './ingest-load.ts';

const CONNECTIONS = 64;
const SERVER = fileURLToPath(new URL('ingest-server-main.ts', import.meta.url));

type Answers = { cpu: NodeJS.CpuUsage; raw: number; digests: readonly string[] };
type Reply = { readonly status: number; readonly text: string; readonly retryAfterS: number };

export class BenchCollector {
  readonly backend: string;
  readonly #child: ChildProcess;
  readonly #port: number;
  readonly #agent = new Agent({ keepAlive: true, maxSockets: CONNECTIONS });

  private constructor(child: ChildProcess, port: number, backend: string) {
    this.#child = child;
    this.#port = port;
    this.backend = backend;
  }

  static async start(directory: string): Promise<BenchCollector> {
    const child = fork(SERVER, [directory], { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
    const [{ port, backend }] = (await once(child, 'message')) as [{ port: number; backend: string }];
    return new BenchCollector(child, port, backend);
  }

  async ask<Q extends keyof Answers>(question: Q): Promise<Answers[Q]> {
    this.#child.send(question);
    const [answer] = (await once(this.#child, 'message')) as [Answers];
    return answer[question];
  }

  /** @returns proofs a second of processor time and of the clock */
  async measure(
    count: number,
    work: () => Promise<void>,
  ): Promise<{ readonly perCpuS: number; readonly perS: number }> {
    const before = await this.ask('cpu');
    const startedMs = performance.now();
    await work();
    const ms = performance.now() - startedMs;
    const after = await this.ask('cpu');
    const cpuUs = after.user - before.user + (after.system - before.system);
    return { perCpuS: (count * 1e6) / cpuUs, perS: (count * 1e3) / ms };
  }

  /** Posts of `size` proofs each, two under way at a time. @throws if any was not found valid */
  async bulk(load: readonly Load[], size: number): Promise<void> {
    const bodies: Uint8Array[] = [];
    for (let at = 0; at < load.length; at += size)
      bodies.push(encodeBulk(load.slice(at, at + size).map(({ body }) => body)));
    await inParallel(2, bodies, async (body) => {
      const { status, text } = await this.post('/v1/proofs/bulk', BULK_MEDIA_TYPE, body);
      if (status !== 200) throw new Error(`bulk upload: ${status} ${text.slice(0, 200)}`);
      const { proofs } = JSON.parse(text) as { proofs: readonly { verdict?: string }[] };
      const bad = proofs.find(({ verdict }) => verdict !== 'valid');
      if (bad !== undefined) throw new Error(`bulk upload: ${JSON.stringify(bad)}`);
    });
  }

  /**
   * One proof a request over 64 connections that stay. A device's next one follows the receipt of the one before, as a router's
   * does: libuv accepts one connection a turn of its loop, so the last of 64 waits while others are served hundreds of times.
   */
  async singles(load: readonly Load[]): Promise<void> {
    const lanes = Array.from({ length: CONNECTIONS }, (): Load[] => []);
    for (const one of load) lanes[Number.parseInt(one.device.slice(-8), 16) % CONNECTIONS]?.push(one);
    await inParallel(CONNECTIONS, lanes, async (lane) => {
      for (const { body } of lane) {
        const { status, text } = await this.post('/v1/proofs', 'application/cbor', body);
        if (status !== 200 || !text.includes('"valid"')) throw new Error(`upload: ${status} ${text.slice(0, 200)}`);
      }
    });
  }

  /** Every router comes at once, on a connection of its own, and comes back when told to. @returns requests made */
  async reconnect(load: readonly Load[]): Promise<number> {
    let requests = 0;
    await Promise.all(
      load.map(async ({ body }) => {
        for (let attempt = 0; ; attempt++) {
          requests += 1;
          const reply = await this.post('/v1/proofs', 'application/cbor', body, false).catch(() => undefined);
          if (reply?.status === 200) return;
          if (attempt === 60) throw new Error(`a router got no receipt in ${attempt} attempts: ${reply?.text}`);
          const waitS = reply === undefined ? 1 + Math.random() * 3 : reply.retryAfterS;
          await new Promise((resolve) => setTimeout(resolve, waitS * 1000));
        }
      }),
    );
    return requests;
  }

  async stop(): Promise<void> {
    this.#agent.destroy();
    const exited = once(this.#child, 'exit');
    this.#child.send('stop');
    await exited;
  }

  post(path: string, type: string, body: Uint8Array, isKept = true): Promise<Reply> {
    return new Promise((resolve, reject) => {
      const headers = { 'content-type': type, 'content-length': body.length };
      const agent = isKept ? this.#agent : false;
      const outgoing = request(
        { port: this.#port, host: '127.0.0.1', path, method: 'POST', headers, agent },
        (answer) => {
          let text = '';
          answer.setEncoding('utf8').on('data', (chunk: string) => {
            text += chunk;
          });
          answer.on('end', () => {
            resolve({ status: answer.statusCode ?? 0, text, retryAfterS: Number(answer.headers['retry-after'] ?? 5) });
          });
        },
      );
      outgoing.on('error', reject).end(body);
    });
  }
}

async function inParallel<T>(width: number, items: readonly T[], work: (item: T) => Promise<void>): Promise<void> {
  let next = 0;
  const lane = async (): Promise<void> => {
    for (;;) {
      const item = items[next++];
      if (item === undefined) return;
      await work(item);
    }
  };
  await Promise.all(Array.from({ length: width }, lane));
}
