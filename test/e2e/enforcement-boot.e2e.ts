/** Before the agent and after it: the static deny table lets nobody through, and a dead agent leaves what was paid for. */
import { fileURLToPath } from 'node:url';
import t from 'tap';
import { OTHER_PORT } from '../lab/addresses.ts';
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
/** Largest packet of the lab: what a cut may leave unsold. */
const PACKET = 1_500n;
const DENY_TABLES = ['inet', 'bridge'].map((family) =>
  fileURLToPath(new URL(`../../openwrt/files/usr/share/shareagent/deny-${family}.json`, import.meta.url)),
);
const scene = await openKernelScene(2);
const { router } = scene.world;
const [payer, other] = scene.guests as readonly [KernelGuest, KernelGuest];

/** Tries everything: what of it passed the router, either way. */
async function passedWhileTrying(guest: KernelGuest): Promise<{ readonly up: bigint; readonly down: bigint }> {
  const before = await passedBytes(scene, guest);
  for (const address of [guest.server.ip4, guest.server.ip6]) {
    await isEchoed(guest, address);
    await floodUp(guest, address, 200_000);
    await guest.host.hand.call('connect', { address, port: OTHER_PORT, timeoutMs: 500 });
  }
  return passedSince(await passedBytes(scene, guest), before);
}

t.test('the static table lets no guest out before an agent runs: IPv4, IPv6, TCP, UDP', async (t) => {
  // The scene opens with an enforcer; a router that boots has none, and none of its tables.
  await scene.enforcer.close();
  await router.must(['nft', 'delete', 'table', 'inet', 'shareagent']);
  await router.must(['nft', 'delete', 'table', 'bridge', 'shareagent']);
  t.equal(await isEchoed(payer, payer.server.ip4), true, 'without it guests get out: the next checks mean something');
  t.equal(await isEchoed(payer, payer.server.ip6), true);
  for (const table of DENY_TABLES) await router.must(['nft', '-j', '-f', table]);
  for (const guest of [payer, other]) {
    const { up } = await passedWhileTrying(guest);
    t.equal(up, 0n, `guest ${guest.host.index}`);
    const { outcome } = await guest.host.hand.call('connect', {
      address: guest.server.ip4,
      port: OTHER_PORT,
      timeoutMs: 1_000,
    });
    t.equal(outcome, 'refused', 'and is told at once');
  }
});

t.test('an agent that starts on top of the static table takes it over as it stands and sells', async (t) => {
  await router.must(['nft', 'add', 'element', 'inet', 'shareagent', 'garden4', '{ 203.0.113.77 }']);
  const enforcer = scene.openEnforcer();
  t.same(await enforcer.reconcile(planOf(grantOf(payer, 4n * MIB))), []);
  t.equal(await enforcer.verify(), true);
  for (const address of [payer.server.ip4, payer.server.ip6]) {
    t.equal(await isEchoed(payer, address), true);
    const { outcome } = await payer.host.hand.call('connect', { address, port: OTHER_PORT, timeoutMs: 1_000 });
    t.equal(outcome, 'open');
  }
  t.equal((await passedWhileTrying(other)).up, 0n, 'nobody else gets out');
  const { up, down4, down6 } = await meteredBytes(enforcer, 1);
  t.ok(up > 0n && down4 > 0n && down6 > 0n);
  const garden = await router.must(['nft', 'list', 'set', 'inet', 'shareagent', 'garden4']);
  t.match(garden, '203.0.113.77', 'adopted, not made anew: what dnsmasq put into it is still there');
});

t.test('when the agent dies a paid guest goes on to its last byte and no further, others get nothing', async (t) => {
  const enforcer = scene.openEnforcer();
  await enforcer.reconcile(planOf());
  const before = await passedBytes(scene, payer);
  await enforcer.reconcile(planOf(grantOf(payer, 4n * MIB)));
  await enforcer.close();
  for (const address of [payer.server.ip4, payer.server.ip6]) t.equal(await isEchoed(payer, address), true);
  await floodUp(payer, payer.server.ip6, 8_000_000);
  const { up, down } = passedSince(await passedBytes(scene, payer), before);
  t.ok(up + down <= 4n * MIB, `overshoot ${up + down - 4n * MIB}`);
  t.ok(up + down > 4n * MIB - PACKET, `unsold ${4n * MIB - up - down}`);
  t.same(await passedWhileTrying(payer), { up: 0n, down: 0n }, 'nothing more, either way');
  t.equal((await passedWhileTrying(other)).up, 0n);
});
