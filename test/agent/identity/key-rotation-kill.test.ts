/**
 * kill -9 of a process that changes the device key, at each of its steps, with a real journal and a real collector over HTTP:
 * when the agent starts next the chain of proofs goes on, by one key, and no number of it is ever two keys' for the collector.
 */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import t, { type Test } from 'tap';
import { IdentityFiles } from '../../../agent/adapters/identity-files.ts';
import { nodeSigner } from '../../../agent/adapters/node-signer.ts';
import { completeBeforeStart, rotateKey } from '../../../agent/cli/rotate-key.ts';
import { bindTo } from '../../../agent/identity/identity.ts';
import { ROTATION_STEPS } from '../../../agent/identity/key-rotation.ts';
import type { Address } from '../../../protocol/address.ts';
import { COLLECTOR } from '../../fleet/open-collector.ts';
import { attested, type Key, openDesk } from '../../fleet/registry-desk.ts';
import { REGISTRY, testKey } from '../../support/protocol-arbitraries.ts';
import { RotationRouter } from './rotation-router.ts';
import '../../support/own-testdir.ts';

const MAIN = fileURLToPath(new URL('rotation-main.ts', import.meta.url));
const COMPILED = join(t.testdir(), 'compiled');
const OWNER = testKey('operator').address;

const desk = await openDesk(t, t.testdirName);
t.teardown(desk.close);
const collectorUrl = await desk.app.listen({ host: '127.0.0.1', port: 0 });

/** A router with a proof that the collector has acknowledged. */
async function started(test: Test, key: Key): Promise<RotationRouter> {
  desk.enrol(key, attested(key));
  const router = new RotationRouter(test.testdir(), { key, collector: COLLECTOR, collectorUrl });
  new IdentityFiles(router.keyPath).storeBinding(bindTo(REGISTRY, nodeSigner(router.config.storage), OWNER, undefined));
  test.equal(await router.prove(), 'valid');
  return router;
}

async function killedAt(step: string, { configPath }: RotationRouter): Promise<void> {
  const { NODE_OPTIONS: _, ...inherited } = process.env;
  // The next one need not compile again what this one has: half of what it costs.
  const env = { ...inherited, NODE_COMPILE_CACHE: COMPILED };
  const child = fork(MAIN, [configPath, step], { env, stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
  const [, signal] = await once(child, 'exit');
  if (signal !== 'SIGKILL') throw new Error(`ended by ${signal} before ${step}`);
}

/** Numbers that count, each with whose they are, oldest first. */
function counted(old: Address, keys: readonly Address[]) {
  return keys
    .flatMap((key) => desk.store.verdicts(key, 0n, 10).map((row) => ({ key, ...row })))
    .filter(({ verdict }) => verdict === 'valid')
    .map(({ seq, key }) => `${seq} ${key === old ? 'old' : 'new'}`)
    .toSorted();
}

const BEFORE_START = {
  signal: new AbortController().signal,
  sleep: () => Promise.resolve(),
  printError: () => undefined,
};

for (const [i, step] of ROTATION_STEPS.entries()) {
  t.test(`killed at "${step}", the chain goes on by one key`, async (t) => {
    const old = testKey(`router ${step}`);
    const router = await started(t, old);
    await killedAt(step, router);
    t.ok(router.addressIn(), 'there is a key');
    await completeBeforeStart(router.config, BEFORE_START);
    const isChanged = step !== 'next-key';
    t.equal(router.addressIn() !== old.address, isChanged, isChanged ? 'the new key is in place' : 'whole as before');
    // What a copy of the other key would sign in its place.
    const rival = isChanged ? router.seal('.old') : undefined;
    // Whoever comes first.
    if (rival !== undefined && i % 2 === 0) t.equal(await router.send(rival), 'revoked');
    t.equal(await router.prove(), 'valid');
    if (rival !== undefined && i % 2 === 1) t.equal(await router.send(rival), 'revoked');
    const now = router.addressIn() ?? '0x';
    const keys = isChanged ? [old.address, now] : [now];
    const by = isChanged ? 'new' : 'old';
    t.strictSame(counted(old.address, keys), ['0 old', `1 ${by}`]);
    for (const key of keys) t.strictSame(desk.store.equivocations(key, 10), [], 'nothing to slash');
    t.match(new IdentityFiles(router.keyPath).binding(), { device: now, operator: OWNER }, 'it is bound');
    if (isChanged) return;
    const made = router.addressIn('.next');
    t.match((await rotateKey(router.config, true)).document, { successor: made }, 'no third key is made');
    t.strictSame([router.addressIn(), router.addressIn('.old')], [made, undefined]);
    t.equal(await router.prove(), 'valid', 'and on it goes');
  });
}
