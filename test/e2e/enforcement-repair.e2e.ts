/** What survives: a killed agent, a flushed ruleset, rules changed by others, an nft without its interactive mode. */
import { writeFileSync } from 'node:fs';
import t from 'tap';
import { createNftEnforcer } from '../../agent/adapters/nft/enforcer.ts';
import type { CounterReading, SessionGrant } from '../../agent/core/model.ts';
import { OTHER_PORT } from '../lab/addresses.ts';
import { pause, until } from '../lab/wait.ts';
import {
  floodUp,
  grantOf,
  isEchoed,
  type KernelGuest,
  meteredBytes,
  openKernelScene,
  passedBytes,
  passedSince,
  planOf,
} from './support/kernel-scene.ts';

const MIB = 1n << 20n;
const scene = await openKernelScene(1);
const { router } = scene.world;
const guest = scene.guests[0] as KernelGuest;
const { ip4, ip6 } = guest.server;
let enforcer = scene.enforcer;

/** The grant as a journal of an earlier moment would have it. */
function grantFrom(limitBytes: bigint, readings: readonly CounterReading[]): SessionGrant {
  const counters = new Map(readings.map(({ key, bytes }) => [key, bytes]));
  return grantOf(guest, limitBytes, { counters, usedBytes: readings.reduce((sum, { bytes }) => sum + bytes, 0n) });
}

async function meteredTotal(): Promise<bigint> {
  const { up, down4, down6 } = await meteredBytes(enforcer, 1);
  return up + down4 + down6;
}

t.test('a restarted agent adopts what runs: no packet lost, no byte free, none billed twice', async (t) => {
  const before = await passedBytes(scene, guest);
  await enforcer.reconcile(planOf(grantOf(guest, 400n * MIB)));
  await guest.host.hand.call('download', {
    flow: 'long',
    address: ip4,
    port: OTHER_PORT,
    bytes: 20_000_000,
    bytesPerS: 6_000_000,
  });
  const echoes = guest.host.hand.call('udpSend', {
    address: ip6,
    port: 7,
    size: 200,
    packets: 4_000,
    packetsPerS: 2_000,
    waitMs: 2_000,
  });
  await pause(300);
  // What the journal knew when the agent was killed.
  const { counters } = await enforcer.read();
  for (let i = 0; i < 5; i++) {
    await pause(150);
    // Nothing is said to the kernel when an agent dies.
    enforcer = scene.openEnforcer();
    t.same(await enforcer.reconcile(planOf(grantFrom(400n * MIB, counters))), []);
  }
  const { received } = await echoes;
  t.equal(received.packets, 4_000, 'every echo came back');
  await until('the download', 20_000, async () => (await guest.host.hand.call('flow', { flow: 'long' })).isDone);
  const passed = passedSince(await passedBytes(scene, guest), before);
  t.equal(await meteredTotal(), passed.up + passed.down);
});

t.test('a quota adopted from an earlier run still cuts at its byte', async (t) => {
  const used = await meteredTotal();
  const before = await passedBytes(scene, guest);
  const { counters } = await enforcer.read();
  const limit = used + 2n * MIB;
  await enforcer.reconcile(planOf(grantFrom(limit, counters)));
  enforcer = scene.openEnforcer();
  const flood = floodUp(guest, ip4, 8_000_000);
  await enforcer.reconcile(planOf(grantFrom(limit, counters)));
  await flood;
  const passed = passedSince(await passedBytes(scene, guest), before);
  t.ok(passed.up <= 2n * MIB && passed.up > 2n * MIB - 1_500n, `${passed.up} of ${2n * MIB}`);
});

t.test('a flushed ruleset is noticed at once and restored with its counts, quota included', async (t) => {
  const { counters } = await enforcer.read();
  const used = await meteredTotal();
  const limit = used + 3n * MIB;
  await enforcer.reconcile(planOf(grantFrom(limit, counters)));
  const known = (await enforcer.read()).counters;
  const events: string[] = [];
  enforcer.onEvent(({ kind }) => events.push(kind));
  await router.must(['nft', 'flush', 'ruleset']);
  await until('the notice', 2_000, () => events.includes('disturbed'));
  t.equal(await enforcer.verify(), false);
  await enforcer.reconcile(planOf(grantFrom(limit, counters)));
  t.equal(await enforcer.verify(), true);
  t.same(sorted((await enforcer.read()).counters), sorted(known));
  const rules = await router.must(['nft', 'list', 'chain', 'inet', 'shareagent', 'from_guest']);
  t.notMatch(rules, 'ct state', 'flows that began while the rules were gone are looked at again');
  // The stock ruleset and its NAT are gone too; IPv6 needs none.
  const before = await passedBytes(scene, guest);
  await floodUp(guest, ip6, 8_000_000);
  const { up } = passedSince(await passedBytes(scene, guest), before);
  t.ok(up <= 3n * MIB && up > 3n * MIB - 1_500n, `${up} of ${3n * MIB}`);
});

t.test('each kind of tampering is noticed and repaired around the counters', async (t) => {
  const tampering: readonly (readonly string[])[] = [
    ['flush', 'chain', 'inet', 'shareagent', 'from_guest'],
    ['insert', 'rule', 'inet', 'shareagent', 'from_guest', 'accept'],
    ['add', 'chain', 'inet', 'shareagent', 'mine'],
    ['flush', 'set', 'inet', 'shareagent', 'online'],
    ['delete', 'element', 'inet', 'shareagent', 'down4', `{ ${guest.addresses.ip4} }`],
    ['delete', 'table', 'bridge', 'shareagent'],
    ['delete', 'table', 'inet', 'shareagent'],
  ];
  const { counters } = await enforcer.read();
  const grant = grantFrom(900n * MIB, counters);
  await enforcer.reconcile(planOf(grant));
  const events: string[] = [];
  enforcer.onEvent(({ kind }) => events.push(kind));
  for (const command of tampering) {
    events.length = 0;
    await router.must(['nft', ...command]);
    await until(`the notice of ${command.join(' ')}`, 2_000, () => events.includes('disturbed'));
    await enforcer.reconcile(planOf(grant));
    t.equal(await enforcer.verify(), true, command.join(' '));
    t.equal(await isEchoed(guest, ip6), true);
  }
  const listed = await router.must(['nft', 'list', 'set', 'inet', 'shareagent', 'online']);
  t.match(listed, guest.host.mac);
});

t.test('a table of another form is replaced, and goes on from its counters', async (t) => {
  const used = await meteredTotal();
  await router.must(['nft', 'flush', 'chain', 'inet', 'shareagent', 'unpaid']);
  await router.must(['nft', 'delete', 'set', 'inet', 'shareagent', 'ping_rate']).catch(() => undefined);
  await router.must(['sh', '-c', 'nft flush chain inet shareagent ping; nft delete set inet shareagent ping_rate']);
  const counters = new Map((await enforcer.read()).counters.map(({ key, bytes }) => [key, bytes]));
  enforcer = scene.openEnforcer();
  await enforcer.reconcile(planOf(grantOf(guest, 900n * MIB, { usedBytes: used, counters })));
  t.equal(await enforcer.verify(), true);
  t.equal(await meteredTotal(), used);
  t.equal(await isEchoed(guest, ip6), true);
});

t.test('without interactive mode each change runs nft once, with the same outcome', async (t) => {
  const nftPath = scene.lab.path('nft-without-cli');
  writeFileSync(nftPath, '#!/bin/sh\nfor a; do [ "$a" = -i ] && exit 1; done\nexec nft "$@"\n', { mode: 0o755 });
  const log = { info: () => undefined, warn: () => undefined, error: () => undefined };
  const plain = createNftEnforcer({
    nftPath,
    runtimeDir: scene.lab.path('plain'),
    netns: router.netns,
    log,
  });
  t.teardown(() => plain.close());
  const readings = await plain.reconcile(planOf());
  t.equal(readings.length, 3);
  t.equal(await isEchoed(guest, ip6), false);
  await plain.reconcile(planOf(grantOf(guest, 5n * MIB)));
  t.equal(await plain.verify(), true);
  t.equal(await isEchoed(guest, ip6), true);
  t.equal((await plain.read()).counters.length, 3);
});

t.test('without the netlink addon the same is read through nft', async (t) => {
  const told: string[] = [];
  const log = {
    info: (_details: object, event: string) => told.push(event),
    warn: (_details: object, event: string) => told.push(event),
    error: () => undefined,
  };
  const place = { netns: router.netns, log };
  const byNetlink = createNftEnforcer({ ...place, runtimeDir: scene.lab.path('netlink') });
  const openAddon = (): never => {
    throw new Error('no addon here');
  };
  const byNft = createNftEnforcer({ ...place, runtimeDir: scene.lab.path('nft-only'), openAddon });
  t.teardown(() => Promise.all([byNetlink.close(), byNft.close()]));
  // The first reading of each is nft's in any case.
  await byNetlink.read();
  t.same(told, ['nft-sets-by-netlink']);
  const { counters } = await byNetlink.read();
  t.equal(counters.length, 3);
  t.ok(counters.some(({ bytes }) => bytes > 0n));
  t.same(sorted((await byNft.read()).counters), sorted(counters));
  t.same(told, ['nft-sets-by-netlink', 'nft-netlink-off']);
});

t.test('an nft that is missing is an error that names it, and nothing changes', async (t) => {
  const log = { info: () => undefined, warn: () => undefined, error: () => undefined };
  const gone = createNftEnforcer({ nftPath: '/nonexistent/nft', runtimeDir: scene.lab.path('gone'), log });
  t.teardown(() => gone.close());
  await t.rejects(gone.reconcile(planOf()), { name: 'NftError' });
  t.equal(await isEchoed(guest, ip6), true);
});

function sorted(readings: readonly CounterReading[]): readonly string[] {
  return readings.map(({ key, bytes }) => `${key} ${bytes}`).sort();
}
