import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import t, { type Test } from 'tap';
import { proofUploader } from '../../agent/adapters/uploader.ts';
import type { Address } from '../../protocol/address.ts';
import type { ProofUpload } from '../../protocol/traffic-proof-wire.ts';
import { bodyOf, DEPLOYMENT, digestOf, FakeRouter } from './fake-router.ts';
import { asReader } from './reader.ts';
import '../support/own-testdir.ts';

const MAIN = fileURLToPath(new URL('../../fleet/main.ts', import.meta.url));

/** The file starts a dozen processes: what the first ones compile, which end by themselves, the killed ones read. */
const env = { ...process.env };
if (env['NODE_COMPILE_CACHE'] === undefined) {
  const directory = mkdtempSync(join(tmpdir(), 'ssp-collector-code-'));
  env['NODE_COMPILE_CACHE'] = directory;
  t.teardown(() => rmSync(directory, { recursive: true, force: true }));
}

type Started = { readonly child: ChildProcess; readonly listening: string; readonly collector: Address };

function writeConfig(directory: string, routers: readonly FakeRouter[]): string {
  const path = join(directory, 'collector.json');
  const config = {
    port: 0,
    directory: join(directory, 'data'),
    keyFile: join(directory, 'keys', 'collector.key'),
    chainId: DEPLOYMENT.chainId.toString(),
    channels: DEPLOYMENT.channels,
    registry: DEPLOYMENT.registry,
    devices: routers.map(({ key }) => ({ address: key.address })),
  };
  writeFileSync(path, JSON.stringify(config));
  return path;
}

/** Starts a collector as a process of its own and waits for its line of JSON. */
async function start(test: Test, config: string): Promise<Started> {
  const child = spawn(process.execPath, [MAIN, '--config', config], { env, stdio: ['ignore', 'pipe', 'inherit'] });
  test.teardown(() => child.kill('SIGKILL'));
  const [line] = (await once(createInterface(child.stdout as NodeJS.ReadableStream), 'line')) as [string];
  return { child, ...(JSON.parse(line) as { listening: string; collector: Address }) };
}

async function kill(child: ChildProcess, signal: NodeJS.Signals): Promise<void> {
  const closed = once(child, 'close');
  child.kill(signal);
  await closed;
}

/** The collector's rows for a device: digest to verdict, and how often each digest occurs. */
async function listed(listening: string, collector: Address, router: FakeRouter) {
  const headers = asReader(router.key, router.key.address, collector, BigInt(Math.floor(Date.now() / 1000)) + 60n);
  const response = await fetch(`${listening}/v1/proofs?device=${router.key.address}&limit=1000`, { headers });
  const { proofs } = (await response.json()) as { proofs: { digest: string; verdict: string }[] };
  return proofs;
}

async function failureOf(args: readonly string[]): Promise<{ code: number; said: string }> {
  const child = spawn(process.execPath, [MAIN, ...args], { env, stdio: ['ignore', 'ignore', 'pipe'] });
  let said = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    said += text;
  });
  const [code] = (await once(child, 'close')) as [number];
  return { code, said };
}

t.test('a wrong configuration is named and nothing is made', async (t) => {
  const directory = t.testdir({ 'bad.json': '{"port":70000}' });
  t.match(await failureOf([]), { code: 2, said: /^usage:/ });
  t.match(await failureOf(['--config', join(directory, 'bad.json')]), { code: 2, said: /bad\.json: \w+: expected / });
  t.notOk(existsSync(join(directory, 'data')));
});

t.test('three kills under load lose no acknowledged proof and count none twice', async (t) => {
  // Interval ends are near the real clock: the process judges by its own.
  const startS = BigInt(Math.floor(Date.now() / 1000)) - 86_400n;
  const routers = ['a', 'b', 'c', 'd'].map((name) => new FakeRouter(name, startS));
  const config = writeConfig(t.testdir(), routers);
  const acknowledged = new Map<string, string>();
  const waiting = new Map<FakeRouter, ProofUpload>();

  for (let round = 0; round < 3; round++) {
    const { child, listening, collector } = await start(t, config);
    const uploader = proofUploader({ collectorUrl: listening, collector, deployment: DEPLOYMENT });
    const until = acknowledged.size + 8 + 3 * round;
    const drive = async (router: FakeRouter): Promise<void> => {
      for (;;) {
        const upload = waiting.get(router) ?? router.next([]);
        waiting.set(router, upload);
        const answer = await uploader.upload(bodyOf(upload));
        if (!answer.ok) {
          // On a busy machine an answer may take longer than a router waits: only the end of the process ends this.
          if (child.signalCode !== null || child.exitCode !== null) return;
          continue;
        }
        waiting.delete(router);
        acknowledged.set(digestOf(upload), answer.receipt.verdict);
        if (acknowledged.size === until) child.kill('SIGKILL');
      }
    };
    const closed = once(child, 'close');
    await Promise.all(routers.map(drive));
    await closed;
  }

  const { child, collector, listening } = await start(t, config);
  const rows = (await Promise.all(routers.map((router) => listed(listening, collector, router)))).flat();
  const kept = new Map(rows.map(({ digest, verdict }) => [digest, verdict]));
  t.equal(rows.length, kept.size, 'no proof is there twice');
  const lost = [...acknowledged].filter(([digest, verdict]) => kept.get(digest) !== verdict);
  t.strictSame(lost, []);
  t.ok([...kept.values()].every((verdict) => verdict === 'valid'));
  await kill(child, 'SIGKILL');
});

t.test('the collector stops when told, and keeps its key', async (t) => {
  const config = writeConfig(t.testdir(), []);
  const first = await start(t, config);
  await kill(first.child, 'SIGTERM');
  t.equal(first.child.exitCode, 0);
  const second = await start(t, config);
  t.equal(second.collector, first.collector);
  await kill(second.child, 'SIGINT');
  t.equal(second.child.exitCode, 0);
});

t.test('a rebuild makes the same list anew from the segments', async (t) => {
  const router = new FakeRouter('a', BigInt(Math.floor(Date.now() / 1000)) - 86_400n);
  const directory = t.testdir();
  const config = writeConfig(directory, [router]);
  const first = await start(t, config);
  const [one, two, three] = [1, 2, 3].map(() => router.next([{ guest: 1, up: 1n, down: 2n, paid: 1n }]));
  const headers = { 'content-type': 'application/cbor' };
  for (const upload of [one, three, two]) {
    const body = Buffer.from(bodyOf(upload as ProofUpload));
    t.equal((await fetch(`${first.listening}/v1/proofs`, { method: 'POST', headers, body })).status, 200);
  }
  const before = await listed(first.listening, first.collector, router);
  t.strictSame(
    before.map(({ verdict }) => verdict),
    ['valid', 'valid', 'valid'],
  );
  await kill(first.child, 'SIGTERM');
  writeFileSync(join(directory, 'data', 'store.db'), 'no database');
  const child = spawn(process.execPath, [MAIN, '--config', config, '--rebuild'], {
    env,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const [line] = (await once(createInterface(child.stdout), 'line')) as [string];
  // Three uploads, and the gap that became valid. No segment is full yet.
  t.strictSame(JSON.parse(line), { frames: 4, segments: 0 });
  if (child.exitCode === null) await once(child, 'close');
  t.equal(child.exitCode, 0);
  const again = await start(t, config);
  t.strictSame(await listed(again.listening, again.collector, router), before);
  await kill(again.child, 'SIGTERM');
});
