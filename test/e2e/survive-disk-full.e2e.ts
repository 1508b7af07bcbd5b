/**
 * A full disk on both sides, a real one: the collector says so and acknowledges nothing that it has not kept; the router takes no
 * money that it cannot write down, and its paid guest keeps surfing. Both go on without a restart once there is room, and have all
 * that they acknowledged, also after a kill.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import t from 'tap';
import type { Address } from '../../protocol/address.ts';
import { bodyOf, DEPLOYMENT, FakeRouter } from '../fleet/fake-router.ts';
import { asReader } from '../fleet/reader.ts';
import { elevate } from '../lab/elevate.ts';
import { PortalRefusal } from '../lab/portal-client.ts';
import { openTestScene } from '../lab/test-scene.ts';
import { until } from '../lab/wait.ts';
import { SmallDisk } from './support/small-disk.ts';

const programAt = (path: string) => fileURLToPath(new URL(path, import.meta.url));
const AGENT = programAt('../../agent/cli/shareagent.ts');
const COLLECTOR = programAt('../../fleet/main.ts');
const MEBIBYTES = 8;
const STEP_UNITS = 10n;
const USAGE = [{ guest: 1, up: 1_000n, down: 9_000n, paid: 10n }];

type Answer = {
  readonly verdict?: string;
  readonly proof?: string;
  readonly error?: { readonly code: string };
};

elevate();
// While the scene is built.
const collecting = collectOnFullDisk();
collecting.catch(() => undefined);
const disk = new SmallDisk();
const enter = `${disk.root}.enter`;
const scene = await openTestScene({
  // On the disk, once there is one: it is mounted in the router's namespaces, which the scene makes.
  command: [
    'sh',
    '-c',
    'file="$1"; shift; [ -s "$file" ] && exec nsenter --mount="$(cat "$file")" "$@"; exec "$@"',
    'sh',
    enter,
    process.execPath,
    AGENT,
  ],
  options: { storage: { database: `${disk.root}/ledger.db` } },
});
const { agent, guest, other, world, chain } = scene;
t.teardown(() => disk.remove());

/** The same voucher until it is taken or refused. */
async function pay(units: bigint) {
  return await guest.portal.addUnits(units, await guest.portal.view());
}

t.test(
  'the router takes no money that it cannot write down; what is paid serves, and all is there afterwards',
  async (t) => {
    await agent.kill();
    t.comment(await disk.mount(MEBIBYTES, (argv) => world.router.start('disk', argv, { hasPipes: true }).child));
    writeFileSync(enter, disk.namespace);
    await agent.start();
    await Promise.all([guest.join(), other.join()]);
    let acknowledged = (await guest.buy(20n)).creditUnits;
    disk.fill();
    const refused = await until('a voucher to be refused', 10_000, async () => {
      try {
        acknowledged = (await pay(STEP_UNITS)).creditUnits;
      } catch (error) {
        if (error instanceof PortalRefusal) return error;
        throw error;
      }
      return undefined;
    });
    t.match(refused, { status: 503, problem: { reason: 'storage-failed', detail: /nothing was charged/ } });
    t.equal((await guest.portal.view()).creditUnits, acknowledged, 'no credit that is not stored');
    const told = await other.buy(1n).catch((error: unknown) => error);
    t.match(told, { status: 503, problem: { reason: 'not-selling' } });
    t.equal(await chain.balanceOf(other.passCode.address), 200_000n, 'nor is anybody’s money sent');
    t.match((await agent.status()).notSelling, /journal cannot be written.*disk is full/);
    t.match(await guest.download(4, 1_000_000), { isIntact: true }, 'who has paid surfs');
    disk.empty();
    acknowledged = (await until('the voucher to be taken', 20_000, () => pay(STEP_UNITS).catch(() => undefined)))
      .creditUnits;
    const bought = await until('the other one to buy', 20_000, () => other.buy(1n).catch(() => undefined));
    t.equal(agent.endedBy, undefined, 'without a restart');
    await agent.kill();
    await agent.start();
    t.equal((await guest.portal.view()).creditUnits, acknowledged);
    t.equal((await other.portal.view()).creditUnits, bought.creditUnits);
  },
);

t.test('the collector acknowledges nothing that it has not kept, says so, and goes on', async (t) => {
  const { kind, refusals, missing, verdicts } = await collecting;
  t.comment(kind);
  t.ok(refusals.length > 3);
  t.strictSame([...new Set(refusals)], ['507 disk-full']);
  t.strictSame(missing, [], 'acknowledged before, and gone after a kill');
  t.strictSame([...new Set(verdicts)], ['valid'], 'what was refused is taken');
});

async function collectOnFullDisk() {
  const small = new SmallDisk();
  const kind = await small.mount(MEBIBYTES);
  const router = new FakeRouter('router', BigInt(Math.floor(Date.now() / 1000)) - 86_400n);
  writeFileSync(small.seen('collector.json'), JSON.stringify(configOf(small.root, router)));
  let collector = await startCollector(small);
  const acknowledged = new Set<string>();
  const refusals: string[] = [];
  const refused: Uint8Array[] = [];
  const send = async (body: Uint8Array) => {
    const headers = { 'content-type': 'application/cbor' };
    const response = await fetch(`${collector.listening}/v1/proofs`, {
      method: 'POST',
      headers,
      body: Buffer.from(body),
    });
    const { verdict, proof, error } = (await response.json()) as Answer;
    if (proof === undefined) refusals.push(`${response.status} ${error?.code}`);
    else acknowledged.add(proof);
    return verdict;
  };
  // Between its two listeners nobody answers.
  const answered = (body: Uint8Array) => until('an answer', 10_000, () => send(body).then((verdict) => ({ verdict })));
  for (let i = 0; i < 3; i++) await answered(bodyOf(router.next(USAGE)));
  small.fill();
  while (refusals.length < 5) {
    const body = bodyOf(router.next(USAGE));
    if ((await answered(body)).verdict === undefined) refused.push(body);
  }
  small.empty();
  const verdicts: string[] = [];
  for (const body of refused) verdicts.push(await until('it to be taken', 20_000, () => send(body)));
  await collector.end();
  collector = await startCollector(small);
  const headers = asReader(
    router.key,
    router.key.address,
    collector.collector,
    BigInt(Math.floor(Date.now() / 1000)) + 60n,
  );
  const listing = await fetch(`${collector.listening}/v1/proofs?device=${router.key.address}&limit=1000`, { headers });
  const { proofs } = (await listing.json()) as { readonly proofs: readonly { readonly digest: string }[] };
  const kept = new Set(proofs.map(({ digest }) => digest));
  await collector.end();
  await small.remove();
  return { kind, refusals, verdicts, missing: [...acknowledged].filter((digest) => !kept.has(digest)) };
}

function configOf(root: string, { key }: FakeRouter): object {
  const { chainId, channels, registry } = DEPLOYMENT;
  const places = { directory: `${root}/data`, keyFile: `${root}/collector.key` };
  return { port: 0, ...places, chainId: `${chainId}`, channels, registry, devices: [{ address: key.address }] };
}

async function startCollector({ namespace, root }: SmallDisk) {
  const program = [process.execPath, COLLECTOR, '--config', `${root}/collector.json`];
  const child = spawn('nsenter', [`--mount=${namespace}`, 'setpriv', '--pdeathsig', 'KILL', ...program], {
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  const ended = once(child, 'exit');
  const [line] = (await once(createInterface(child.stdout), 'line')) as [string];
  const end = async () => {
    child.kill('SIGKILL');
    await ended;
  };
  return { ...(JSON.parse(line) as { readonly listening: string; readonly collector: Address }), end };
}
