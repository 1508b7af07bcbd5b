/**
 * What TLS costs the collector: its own processor time a proof, over connections that are kept and over one for each post, with
 * node's TLS 1.3 (a P-256 certificate, no session resumed) and without. No bars: docs/scale.md reckons with the figures.
 */
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { Agent as HttpAgent, request as httpRequest } from 'node:http';
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { SimulatedRouter } from '../../fleet/simulate-router.ts';
import { fastestSigner } from '../../fleet/simulate-signer.ts';
import { CHANNELS, REGISTRY } from '../support/protocol-arbitraries.ts';
import type { Report } from './report.ts';

const MAIN = fileURLToPath(new URL('../../fleet/main.ts', import.meta.url));
const DEPLOYMENT = { ...CHANNELS, ...REGISTRY };
const ROUTERS = 250;
const CONNECTIONS = 32;
/** Of each router in each round: enough for clock ticks of 10 ms. */
const PROOFS_EACH = 4;
/** Of /proc/PID/stat; sysconf(_SC_CLK_TCK) is 100 on every Linux that Node runs on. */
const TICKS_PER_S = 100;
const CERTIFICATE = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '1', '-subj', '/CN=b'];

type Way = { readonly name: string; readonly isTls: boolean; readonly isKept: boolean };
const WAYS: readonly Way[] = [
  { name: 'plain, kept', isTls: false, isKept: true },
  { name: 'TLS, kept', isTls: true, isKept: true },
  { name: 'plain, one a post', isTls: false, isKept: false },
  { name: 'TLS, one a post', isTls: true, isKept: false },
];

export async function benchTls(isQuick: boolean): Promise<Report> {
  const rounds = isQuick ? 2 : 4;
  const directory = mkdtempSync(join(tmpdir(), 'ssp-bench-tls-'));
  try {
    const figures = new Map(WAYS.map(({ name }) => [name, [] as number[]]));
    for (const isTls of [false, true]) {
      const routers = simulatedRouters(isTls ? 'tls' : 'plain');
      const collector = await start(join(directory, isTls ? 'tls' : 'plain'), isTls, routers);
      try {
        const ways = WAYS.filter((way) => way.isTls === isTls);
        // The first round compiles.
        for (let round = 0; round <= rounds; round++) {
          for (const way of ways) {
            const ms = await measured(collector, way, routers);
            if (round > 0) figures.get(way.name)?.push(ms);
          }
        }
      } finally {
        collector.child.kill('SIGTERM');
        await once(collector.child, 'close');
      }
    }
    const notes = WAYS.map(({ name }) => {
      const sorted = [...(figures.get(name) ?? [])].sort((a, b) => a - b);
      const median = sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
      return `${name}: ${median.toFixed(2)} ms of the collector's processor a proof (${sorted.map((ms) => ms.toFixed(2)).join(', ')})`;
    });
    return { bench: 'tls', checks: [], notes };
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

function simulatedRouters(run: string): readonly SimulatedRouter[] {
  const deps = { deployment: DEPLOYMENT, signer: fastestSigner(), random: () => 0.5 };
  const startS = BigInt(Math.floor(Date.now() / 1000)) - 86_400n;
  return Array.from({ length: ROUTERS }, (_, i) => new SimulatedRouter(deps, run, i, startS));
}

type Collector = { readonly child: ReturnType<typeof spawn>; readonly url: string };

async function start(directory: string, isTls: boolean, routers: readonly SimulatedRouter[]): Promise<Collector> {
  const [certFile, keyFile] = [`${directory}.crt`, `${directory}.pem`];
  execFileSync('openssl', ['req', '-x509', ...CERTIFICATE, '-keyout', keyFile, '-out', certFile], { stdio: 'ignore' });
  const config = {
    ...DEPLOYMENT,
    chainId: `${DEPLOYMENT.chainId}`,
    port: 0,
    directory,
    keyFile: `${directory}.key`,
    devices: routers.map(({ address }) => ({ address })),
    ...(isTls ? { tls: { certFile, keyFile } } : {}),
  };
  writeFileSync(`${directory}.json`, JSON.stringify(config));
  const child = spawn(process.execPath, [MAIN, '--config', `${directory}.json`], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const lines = createInterface(child.stdout as NodeJS.ReadableStream);
  const [line] = (await once(lines, 'line')) as [string];
  return { child, url: (JSON.parse(line) as { listening: string }).listening };
}

/** Each router posts some proofs. @returns milliseconds of the collector's processor a proof */
async function measured({ child, url }: Collector, way: Way, routers: readonly SimulatedRouter[]): Promise<number> {
  const nowS = BigInt(Math.floor(Date.now() / 1000));
  const bodies = routers.map((router) =>
    Array.from({ length: PROOFS_EACH }, () => router.act('honest', nowS).map(({ body }) => body)).flat(),
  );
  const options = { keepAlive: way.isKept, maxSockets: CONNECTIONS };
  const agent = way.isTls
    ? new HttpsAgent({ ...options, rejectUnauthorized: false, maxCachedSessions: 0 })
    : new HttpAgent(options);
  const before = cpuMs(child.pid ?? 0);
  // Those of one router one after another, as a router sends them.
  await Promise.all(
    bodies.map(async (own) => {
      for (const body of own) await post(`${url}/v1/proofs`, body, agent, way.isKept);
    }),
  );
  const spent = cpuMs(child.pid ?? 0) - before;
  agent.destroy();
  return spent / bodies.flat().length;
}

async function post(url: string, body: Uint8Array, agent: HttpAgent, isKept: boolean): Promise<void> {
  const send = url.startsWith('https:') ? httpsRequest : httpRequest;
  // An agent with a bound on its sockets uses them again for whoever waits, kept or not, unless it is told so.
  const connection = isKept ? 'keep-alive' : 'close';
  const headers = { connection, 'content-type': 'application/cbor', 'content-length': body.length };
  const text = await new Promise<string>((resolve, reject) => {
    const sent = send(url, { method: 'POST', agent, headers }, (response) => {
      let answer = '';
      response.on('data', (chunk) => {
        answer += chunk;
      });
      response.on('end', () => resolve(answer));
      response.on('error', reject);
    });
    sent.on('error', reject);
    sent.end(body);
  });
  if ((JSON.parse(text) as { verdict?: string }).verdict !== 'valid')
    throw new Error(`not valid: ${text.slice(0, 200)}`);
}

/** User and system time of a process and its threads. @see proc_pid_stat(5), fields 14 and 15 */
function cpuMs(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'latin1')
    .replace(/^.*\) /, '')
    .split(' ');
  return ((Number(fields[11]) + Number(fields[12])) * 1000) / TICKS_PER_S;
}
