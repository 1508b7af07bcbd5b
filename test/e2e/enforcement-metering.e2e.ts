/** Paid bytes, to the byte: what the kernel bills is what passed, and not one byte more passes than was paid for. */
import t from 'tap';
import { OTHER_PORT } from '../lab/addresses.ts';
import { until } from '../lab/wait.ts';
import {
  floodDown,
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
/** Largest packet of the lab, which has no super-packets: what a cut may leave unsold. */
const PACKET = 1_500n;
const scene = await openKernelScene(1);
const { enforcer } = scene;
const guest = scene.guests[0] as KernelGuest;
const { ip4, ip6 } = guest.server;

async function meteredTotal(): Promise<{ readonly up: bigint; readonly down: bigint }> {
  const { up, down4, down6 } = await meteredBytes(enforcer, 1);
  return { up, down: down4 + down6 };
}

/** Runs traffic under a limit; what passed and what was billed. */
async function under(limitBytes: bigint, traffic: () => Promise<unknown>) {
  await enforcer.reconcile(planOf());
  const before = await passedBytes(scene, guest);
  await enforcer.reconcile(planOf(grantOf(guest, limitBytes)));
  await traffic();
  const passed = passedSince(await passedBytes(scene, guest), before);
  return { passed, metered: await meteredTotal(), total: passed.up + passed.down };
}

t.test('without a grant nothing passes, over IPv4 nor IPv6', async (t) => {
  t.equal(await isEchoed(guest, ip4), false);
  t.equal(await isEchoed(guest, ip6), false);
  const { outcome } = await guest.host.hand.call('connect', { address: ip4, port: OTHER_PORT, timeoutMs: 1_000 });
  t.equal(outcome, 'refused', 'and the guest is told at once');
});

t.test('what is metered is what passed, to the byte: UDP and TCP, up and down, IPv4 and IPv6', async (t) => {
  const { passed, metered, total } = await under(1_000n * MIB, async () => {
    for (const address of [ip4, ip6]) {
      t.equal(await isEchoed(guest, address), true);
      await floodUp(guest, address, 3_000_000);
      await floodDown(guest, address, 3_000_000);
      await guest.host.hand.call('download', { flow: `d${address}`, address, port: OTHER_PORT, bytes: 5_000_000 });
      await guest.host.hand.call('upload', { flow: `u${address}`, address, port: OTHER_PORT, bytes: 5_000_000 });
      for (const flow of [`d${address}`, `u${address}`]) {
        await until(flow, 10_000, async () => (await guest.host.hand.call('flow', { flow })).isDone);
      }
    }
  });
  t.same(metered, passed);
  t.ok(total > 26_000_000n, `${total} bytes`);
});

for (const [name, address] of Object.entries({ IPv4: ip4, IPv6: ip6 })) {
  t.test(`a UDP flood does not overshoot its quota, ${name} up`, async (t) => {
    const { passed, metered, total } = await under(4n * MIB, () => floodUp(guest, address, 10_000_000));
    t.same(metered, passed);
    t.ok(total <= 4n * MIB, `overshoot ${total - 4n * MIB}`);
    t.ok(total > 4n * MIB - PACKET, `unsold ${4n * MIB - total}`);
  });

  t.test(`a UDP flood does not overshoot its quota, ${name} down`, async (t) => {
    const { passed, metered, total } = await under(4n * MIB, () => floodDown(guest, address, 10_000_000));
    t.same(metered, passed);
    t.ok(total <= 4n * MIB, `overshoot ${total - 4n * MIB}`);
    t.ok(total > 4n * MIB - PACKET, `unsold ${4n * MIB - total}`);
  });
}

t.test(
  'eight TCP flows in both directions and families do not overshoot, and the kernel says when it cut',
  async (t) => {
    scene.events.length = 0;
    const { passed, metered, total } = await under(8n * MIB, async () => {
      for (let i = 0; i < 8; i++) {
        const address = i % 2 === 0 ? ip4 : ip6;
        const operation = i < 4 ? 'download' : 'upload';
        await guest.host.hand.call(operation, { flow: `f${i}`, address, port: OTHER_PORT, bytes: 8_000_000 });
      }
      await until('the cut', 20_000, () => scene.events.some(({ kind }) => kind === 'depleted'));
    });
    t.same(metered, passed);
    t.ok(total <= 8n * MIB, `overshoot ${total - 8n * MIB}`);
    t.ok(total > 8n * MIB - PACKET, `unsold ${8n * MIB - total}`);
    t.match(scene.events, [{ kind: 'depleted', sessionId: 1 }]);
    for (let i = 0; i < 8; i++) await guest.host.hand.call('abort', { flow: `f${i}` });
  },
);

t.test('a held flow goes on after a top-up, and what it dropped while held costs nothing', async (t) => {
  await enforcer.reconcile(planOf());
  const before = await passedBytes(scene, guest);
  scene.events.length = 0;
  await enforcer.reconcile(planOf(grantOf(guest, 2n * MIB)));
  await guest.host.hand.call('download', { flow: 'held', address: ip4, port: OTHER_PORT, bytes: 6_000_000 });
  await until('the cut', 10_000, () => scene.events.some(({ kind }) => kind === 'depleted'));
  // The server's retransmissions and a flood on top of them count into the old quota.
  await floodUp(guest, ip6, 20_000_000);
  const held = passedSince(await passedBytes(scene, guest), before);
  t.ok(held.up + held.down <= 2n * MIB);
  const usedBytes = (await meteredTotal()).up + (await meteredTotal()).down;
  const counters = new Map((await enforcer.read()).counters.map(({ key, bytes }) => [key, bytes]));
  await enforcer.reconcile(planOf(grantOf(guest, 5n * MIB, { usedBytes, counters })));
  await until('the second cut', 20_000, () => scene.events.filter(({ kind }) => kind === 'depleted').length === 2);
  const after = passedSince(await passedBytes(scene, guest), before);
  t.same(await meteredTotal(), after);
  t.ok(after.up + after.down <= 5n * MIB, `overshoot ${after.up + after.down - 5n * MIB}`);
  t.ok(after.up + after.down > 5n * MIB - PACKET, `lost credit ${5n * MIB - after.up - after.down}`);
  await enforcer.reconcile(planOf(grantOf(guest, 100n * MIB, { usedBytes, counters })));
  const state = await until('the flow to end', 20_000, async () => {
    const now = await guest.host.hand.call('flow', { flow: 'held' });
    return now.isDone ? now : undefined;
  });
  t.match(state, { bytes: 6_000_000, isIntact: true });
});

t.test('topping up a flood a hundred times in place loses no credit and gives no byte', async (t) => {
  const step = 256n * 1024n;
  let limit = step;
  const { passed, metered, total } = await under(limit, async () => {
    const flood = floodUp(guest, ip4, 60_000_000);
    for (let i = 0; i < 100; i++) {
      limit += step;
      await enforcer.reconcile(planOf(grantOf(guest, limit)));
    }
    await flood;
    await floodUp(guest, ip4, 30_000_000);
  });
  t.same(metered, passed);
  t.ok(total <= limit, `overshoot ${total - limit}`);
  t.ok(total > limit - PACKET, `lost credit ${limit - total}`);
});

t.test(
  'a counter of an address that is gone is read for the last time once, and begins at 0 when it is back',
  async (t) => {
    await under(100n * MIB, () => floodDown(guest, ip4, 1_000_000));
    const read = await enforcer.read();
    const counters = new Map(read.counters.map(({ key, bytes }) => [key, bytes]));
    const usedBytes = read.counters.reduce((sum, { bytes }) => sum + bytes, 0n);
    const [key = 'up:'] = [...counters.keys()].filter(
      (name) => name.startsWith('down:') && !name.slice(5).includes(':'),
    );
    const grant = grantOf(guest, 100n * MIB, { usedBytes, counters });
    const without = grant.stations.map((one) => ({
      ...one,
      addresses: one.addresses.filter((ip) => `down:${ip}` !== key),
    }));
    const gone = await enforcer.reconcile(planOf({ ...grant, stations: without }));
    t.match(
      gone.filter(({ isLast }) => isLast === true),
      [{ sessionId: 1, key, bytes: counters.get(key) }],
    );
    t.ok((counters.get(key) ?? 0n) > 0n);
    counters.delete(key);
    t.same(await enforcer.reconcile(planOf({ ...grant, counters, stations: without })), []);
    t.same(await enforcer.reconcile(planOf({ ...grant, counters })), []);
    const again = (await enforcer.read()).counters.find((one) => one.key === key);
    t.equal(again?.bytes, 0n);
  },
);

t.test('a lowered limit stops at once', async (t) => {
  const { total } = await under(50n * MIB, async () => {
    await floodUp(guest, ip4, 2_000_000);
    const { up } = await meteredTotal();
    await enforcer.reconcile(planOf(grantOf(guest, up)));
    await floodUp(guest, ip4, 2_000_000);
  });
  t.equal(total, (await meteredTotal()).up);
  t.ok(total < 3_000_000n);
});

t.test('a speed limit holds in each direction, and changes while flows run', async (t) => {
  const rate = { downBytesPerS: 1_000_000n, upBytesPerS: 500_000n };
  const timed = async (flow: string, operation: 'download' | 'upload', bytes: number): Promise<number> => {
    const startedMs = performance.now();
    await guest.host.hand.call(operation, { flow, address: ip4, port: OTHER_PORT, bytes });
    await until(flow, 20_000, async () => (await guest.host.hand.call('flow', { flow })).isDone);
    return performance.now() - startedMs;
  };
  await enforcer.reconcile(planOf(grantOf(guest, 1_000n * MIB, { rate })));
  // A burst of one second's worth goes through at once.
  t.ok((await timed('slow', 'download', 3_000_000)) > 1_500);
  t.ok((await timed('slow up', 'upload', 1_500_000)) > 1_500);
  await enforcer.reconcile(planOf(grantOf(guest, 1_000n * MIB)));
  t.ok((await timed('fast', 'download', 3_000_000)) < 1_500);
});
