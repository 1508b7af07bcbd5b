/** What a guest must not reach, paid or not: other guests, the private network, the router's own services. */
import t, { type Test } from 'tap';
import {
  LAN_HOST_IP4,
  LAN_HOST_IP6,
  ROUTER_GUEST_IP4,
  ROUTER_GUEST_IP6,
  ROUTER_LAN_IP4,
  ROUTER_LAN_IP6,
  ROUTER_WAN_IP4,
  ROUTER_WAN_IP6,
} from '../lab/addresses.ts';
import type { Guest } from '../lab/guest.ts';
import { Hand } from '../lab/hand.ts';
import { openTestScene } from '../lab/test-scene.ts';

const SERVICES = [22, 443, 8443, 9100];
const scene = await openTestScene();
const { lab, guest, other, world } = scene;
await Promise.all([guest.join(), other.join()]);
const [router, lan] = await Promise.all([Hand.start(lab, world.router), Hand.start(lab, world.lan)]);
for (const port of SERVICES) await router.call('listen', { port });
for (const hand of [lan, other.hand]) await hand.call('listen', { port: 7_000 });

async function openPorts(from: Guest, addresses: readonly string[], ports: readonly number[]): Promise<string[]> {
  const targets = addresses.flatMap((address) => ports.map((port) => ({ address, port })));
  const outcomes = await Promise.all(
    targets.map(async (target) => ({ target, ...(await from.hand.call('connect', { ...target, timeoutMs: 1_500 })) })),
  );
  return outcomes.flatMap(({ target, outcome }) => (outcome === 'open' ? [`${target.address} ${target.port}`] : []));
}

async function checkAll(t: Test, from: Guest): Promise<void> {
  const everyRouter = [
    ROUTER_GUEST_IP4,
    ROUTER_GUEST_IP6,
    ROUTER_LAN_IP4,
    ROUTER_LAN_IP6,
    ROUTER_WAN_IP4,
    ROUTER_WAN_IP6,
  ];
  t.same(await openPorts(from, everyRouter, SERVICES), [], 'services of the router');
  t.same(await openPorts(from, [LAN_HOST_IP4, LAN_HOST_IP6], [7_000]), [], 'the private network');
  const { ip4, ip6 } = other.addresses;
  t.same(await openPorts(from, [ip4, ip6], [7_000]), [], 'another guest');
}

t.test('the services are there: the router reaches itself, the private host and the guest', async (t) => {
  const { outcome } = await router.call('connect', { address: LAN_HOST_IP4, port: 7_000, timeoutMs: 1_000 });
  t.equal(outcome, 'open');
  t.equal((await router.call('connect', { address: ROUTER_GUEST_IP4, port: 22, timeoutMs: 1_000 })).outcome, 'open');
});

t.test('an unpaid guest reaches no service, no private host and no other guest', (t) => checkAll(t, guest));

t.test('a paid guest reaches them no more than an unpaid one', async (t) => {
  await guest.buy(5n);
  t.equal(await guest.reaches(4), true);
  await checkAll(t, guest);
});

t.test('a guest that bounces off the router reaches no other guest', async (t) => {
  // The neighbour's address as a host route by way of the router: past any isolation of the bridge.
  const { ip4, ip6 } = other.addresses;
  await guest.host.host.script([
    `ip route add ${ip4}/32 via ${ROUTER_GUEST_IP4}`,
    `ip -6 route add ${ip6}/128 via ${ROUTER_GUEST_IP6}`,
  ]);
  t.same(await openPorts(guest, [ip4, ip6], [7_000]), []);
});
