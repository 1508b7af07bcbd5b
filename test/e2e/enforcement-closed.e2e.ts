/** What stays closed whatever was paid: copied identities, other ports of the bridge, other guests, strange sources. */
import t from 'tap';
import type { DeviceName, IpAddress, Mac } from '../../agent/core/model.ts';
import { GUEST_DEVICE, HTTP_PORT, OTHER_PORT, ROUTER_GUEST_IP4, ROUTER_GUEST_IP6 } from '../lab/addresses.ts';
import { leaseIp4 } from '../lab/guest-link.ts';
import { until } from '../lab/wait.ts';
import {
  floodUp,
  grantOf,
  isEchoed,
  type KernelGuest,
  meteredBytes,
  openKernelScene,
  passedBytes,
  planOf,
} from './support/kernel-scene.ts';
import { neighbourMac, sendArp, type Tags } from './support/raw-arp.ts';

const MIB = 1n << 20n;
const scene = await openKernelScene(2);
const { enforcer } = scene;
const [payer, thief] = scene.guests as readonly [KernelGuest, KernelGuest];

t.test('a station that copies the payer’s MAC and address gets nothing from another port', async (t) => {
  await enforcer.reconcile(planOf(grantOf(payer, 50n * MIB)));
  t.equal(await isEchoed(payer, payer.server.ip4), true);
  const before = await meteredBytes(enforcer, 1);
  await thief.host.host.script([
    'ip link set eth0 down',
    `ip link set eth0 address ${payer.host.mac}`,
    'ip link set eth0 up',
    `ip addr replace ${payer.addresses.ip4}/24 dev eth0`,
    `ip -6 addr replace ${payer.addresses.ip6}/64 dev eth0 nodad`,
    `ip route replace default via ${ROUTER_GUEST_IP4}`,
    `ip -6 route replace default via ${ROUTER_GUEST_IP6} dev eth0`,
  ]);
  const sent = await passedBytes(scene, thief);
  for (const address of [thief.server.ip4, thief.server.ip6]) {
    t.equal(await isEchoed(thief, address), false);
    await floodUp(thief, address, 100_000);
  }
  t.equal((await passedBytes(scene, thief)).up, sent.up);
  t.same(await meteredBytes(enforcer, 1), before, 'the payer is not billed');
  t.equal(await isEchoed(payer, payer.server.ip4), true, 'and still served: its port was not stolen');
});

t.test(
  'another station that takes the payer’s address alone gets nothing, and takes nothing from the payer',
  async (t) => {
    await thief.host.host.script([
      'ip link set eth0 down',
      `ip link set eth0 address ${thief.host.mac}`,
      'ip link set eth0 up',
    ]);
    await thief.host.host.script([
      `ip addr replace ${payer.addresses.ip4}/24 dev eth0`,
      `ip -6 addr replace ${payer.addresses.ip6}/64 dev eth0 nodad`,
      `ip route replace default via ${ROUTER_GUEST_IP4}`,
      `ip -6 route replace default via ${ROUTER_GUEST_IP6} dev eth0`,
    ]);
    const before = await meteredBytes(enforcer, 1);
    const sent = await passedBytes(scene, thief);
    for (const address of [thief.server.ip4, thief.server.ip6]) await floodUp(thief, address, 100_000);
    t.equal((await passedBytes(scene, thief)).up, sent.up);
    t.equal((await meteredBytes(enforcer, 1)).up, before.up);
    // Its claims to the addresses, by ARP and neighbour solicitation, did not reach the router's neighbour table.
    for (const address of [payer.server.ip4, payer.server.ip6]) t.equal(await isEchoed(payer, address), true);
    // An address without a session is not watched over; the thief must not keep it.
    const { ip4, ip6 } = payer.addresses;
    await thief.host.host.script([`ip addr del ${ip4}/24 dev eth0`, `ip -6 addr del ${ip6}/64 dev eth0`]);
  },
);

t.test('an ARP packet claims nobody’s address, not even under tags of VLAN 0 that the kernel takes off', async (t) => {
  const { router } = scene.world;
  const { mac, host } = thief.host;
  const claim = (claimed: string, tags: Tags) => sendArp(host, { mac, claimed, asked: ROUTER_GUEST_IP4, tags });
  const { ip4 } = payer.addresses;
  for (const tags of ['', '81000000', '8100e000', '88a80000', '8100000081000000', '88a8000081000000'] as const) {
    await router.must(['ip', 'neigh', 'flush', 'to', ip4]);
    await claim(ip4, tags);
    // The router handles one frame after the other: it knows of this one only once it has handled the claim.
    const free = '192.168.77.251';
    await router.run(['ip', 'neigh', 'del', free, 'dev', GUEST_DEVICE]);
    await until('the router to learn a free address', 5_000, async () => {
      await claim(free, '81000000');
      return await neighbourMac(router, free);
    });
    t.not(await neighbourMac(router, ip4), mac, `tags ${tags === '' ? 'none' : tags}`);
  }
  t.equal(await isEchoed(payer, payer.server.ip4), true);
});

t.test('a payer’s packets from an address that is not bound are dropped, and reported until it is', async (t) => {
  const { host } = payer.host;
  await host.script(['ip -6 addr add 2001:db8:77:1::abcd/64 dev eth0 nodad']);
  t.equal(await isEchoed(payer, payer.server.ip6, '2001:db8:77:1::abcd'), false);
  const { unbound } = await enforcer.read();
  t.same(unbound, [{ mac: payer.host.mac, address: '2001:db8:77:1::abcd' }]);
  const grant = grantOf(payer, 50n * MIB);
  const [station] = grant.stations;
  const stations =
    station === undefined
      ? []
      : [{ ...station, addresses: [...station.addresses, '2001:db8:77:1::abcd' as IpAddress] }];
  await enforcer.reconcile(planOf({ ...grant, stations }));
  t.equal(await isEchoed(payer, payer.server.ip6, '2001:db8:77:1::abcd'), true);
  t.same((await enforcer.read()).unbound, []);
  await host.script(['ip -6 addr del 2001:db8:77:1::abcd/64 dev eth0']);
});

t.test('a guest that sends from a thousand addresses fills nothing up', async (t) => {
  await payer.host.host.script([
    'ip -6 route add local 2001:db8:77:1:ffff::/80 dev lo',
    'sysctl -qw net.ipv6.ip_nonlocal_bind=1',
  ]);
  const from = Array.from({ length: 1_000 }, (_, i) => `2001:db8:77:1:ffff::${(i + 1).toString(16)}`);
  const { up } = await meteredBytes(enforcer, 1);
  await payer.host.hand.call('udpSend', {
    address: payer.server.ip6,
    port: 9,
    size: 20,
    packets: 2_000,
    packetsPerS: 20_000,
    waitMs: 0,
    from,
  });
  const { unbound } = await enforcer.read();
  t.ok(unbound.length > 0 && unbound.length <= 60, `${unbound.length} remembered`);
  t.equal((await meteredBytes(enforcer, 1)).up, up);
});

t.test(
  'a removed session’s flows are reset, whichever side speaks next, and its last readings come back',
  async (t) => {
    const { hand } = payer.host;
    const { ip4 } = payer.server;
    await enforcer.reconcile(planOf(grantOf(payer, 500n * MIB)));
    await hand.call('download', {
      flow: 'down',
      address: ip4,
      port: OTHER_PORT,
      bytes: 40_000_000,
      bytesPerS: 2_000_000,
    });
    await hand.call('upload', { flow: 'up', address: payer.server.ip6, port: OTHER_PORT, bytes: 400_000_000 });
    await until('some of it', 5_000, async () => (await hand.call('flow', { flow: 'down' })).bytes > 300_000);
    const readings = await enforcer.reconcile(planOf());
    const { error } = await until('the reset of what the guest sends', 5_000, async () => {
      const state = await hand.call('flow', { flow: 'up' });
      return state.error === undefined ? undefined : state;
    });
    t.match(error, /ECONNRESET|EPIPE/);
    const server = await until('the server that sends to let go', 8_000, async () => {
      const text = await scene.world.internet.must(['ss', '-Htn', 'state', 'established', 'src', ip4]);
      return text.trim() === '' ? 'gone' : undefined;
    });
    t.equal(server, 'gone');
    const down = readings.find(({ key }) => key === `down:${payer.addresses.ip4}`);
    t.ok((down?.bytes ?? 0n) > 300_000n);
    const keys = [`down:${payer.addresses.ip4}`, `down:${payer.addresses.ip6}`, `up:${payer.host.mac}`];
    t.same(readings.map(({ key }) => key).sort(), keys);
    await hand.call('abort', { flow: 'down' });
  },
);

t.test('port 80 leads to the portal without credit and out with it', async (t) => {
  await scene.world.router.must(['true']);
  const get = () =>
    payer.host.hand.call('http', { url: `http://${payer.server.ip4}:${HTTP_PORT}/`, timeoutMs: 1_500 }).then(
      ({ body }) => body,
      (error: Error) => error.message,
    );
  await enforcer.reconcile(planOf(grantOf(payer, 50n * MIB, { isOnline: false })));
  t.match(await get(), /ECONNREFUSED|ECONNRESET/, 'nobody listens on the portal’s port here');
  await enforcer.reconcile(planOf(grantOf(payer, 50n * MIB)));
  t.match(await get(), 'the internet');
});

t.test('a whole walled garden is shared and bounded, and open to those who have not paid', async (t) => {
  await enforcer.reconcile(planOf());
  await scene.world.router.must(['nft', 'add', 'element', 'inet', 'shareagent', 'garden4', `{ ${payer.server.ip4} }`]);
  t.equal(await isEchoed(payer, payer.server.ip4), true);
  t.equal(await isEchoed(payer, payer.server.ip6), false);
  const before = await passedBytes(scene, payer);
  await floodUp(payer, payer.server.ip4, 20_000_000);
  t.ok((await passedBytes(scene, payer)).up - before.up < 6_000_000n);
  await scene.world.router.must(['nft', 'flush', 'set', 'inet', 'shareagent', 'garden4']);
});

t.test('names that the kernel would accept as rules reach it as names or not at all', async (t) => {
  const hostile = ['a;accept', 'x"y', '-h', '$(id)'];
  for (const name of hostile) await scene.world.router.run(['ip', 'link', 'add', name, 'type', 'dummy']);
  const grant = grantOf(payer, 50n * MIB);
  const [station] = grant.stations;
  const stations = [
    { ...(station as NonNullable<typeof station>), port: 'guest0"; accept; #' as DeviceName },
    { mac: '02:00:00:00:00:01 accept' as Mac, addresses: ['203.0.113.5; accept' as IpAddress] },
  ];
  await t.rejects(enforcer.reconcile(planOf({ ...grant, stations })), { name: 'NftError' });
  await t.resolves(enforcer.reconcile(planOf()));
  t.equal(await enforcer.verify(), true);
  const rules = await scene.world.router.must(['nft', 'list', 'table', 'inet', 'shareagent']);
  t.notMatch(rules, /203\.0\.113\.5|02:00:00:00:00:01/);
  t.equal(await isEchoed(payer, payer.server.ip4), false);
});

t.test(
  'a renewed lease works while nothing was paid: addresses, names and pings of the router stay open',
  async (t) => {
    const lease = await leaseIp4(scene.lab, payer.host);
    t.equal(lease.ip4, payer.addresses.ip4);
    const { addresses } = await payer.host.hand.call('resolve', { name: 'portal.lan', server: '9.9.9.9', family: 4 });
    t.same(addresses, [ROUTER_GUEST_IP4], 'whichever name server the guest asks');
    for (const address of [ROUTER_GUEST_IP4, ROUTER_GUEST_IP6]) {
      t.equal((await payer.host.host.run(['ping', '-c', '3', '-i', '0.3', '-W', '3', address])).code, 0);
    }
  },
);
