/** A guest that changes MAC, IP, or has 50 IPv6 addresses; and one that pretends to be another. */
import t from 'tap';
import { GUEST_NET6, UDP_SINK_PORT } from '../lab/addresses.ts';
import { knockEverywhere } from '../lab/demo-arrival.ts';
import { Guest } from '../lab/guest.ts';
import { passedAndMetered } from '../lab/passed.ts';
import { openTestScene } from '../lab/test-scene.ts';
import { until } from '../lab/wait.ts';
import { readBeyond, sumOf } from '../lab/wire.ts';

const NEW_MAC = '02:bb:00:00:77:77';
const scene = await openTestScene({ options: { session: { sample_ms: '200', absent: '5s' } } });
const { guest, other, world, bus, chain } = scene;
await Promise.all([guest.join(), other.join()]);
await guest.buy(20n);

function fiftyOf(guestNumber: number): readonly string[] {
  return Array.from(
    { length: 50 },
    (_, i) => `${GUEST_NET6.replace('::/64', '')}:5${guestNumber}::${(i + 1).toString(16)}`,
  );
}

async function addAddresses(host: Guest, addresses: readonly string[]): Promise<void> {
  await host.host.host.script(
    addresses.map((address) => `ip -6 addr add ${address}/64 dev eth0 nodad preferred_lft 0`),
  );
}

/** One datagram or more from each address, in turn. */
async function spray(host: Guest, from: readonly string[], packets: number): Promise<void> {
  const { ip6: address } = host.server;
  const datagram = { address, port: UDP_SINK_PORT, size: 400, packetsPerS: 2_000, waitMs: 50 };
  await host.hand.call('udpSend', { ...datagram, packets, from });
}

t.test('an unpaid guest with 50 IPv6 addresses gets nothing out', async (t) => {
  const addresses = fiftyOf(1);
  await addAddresses(other, addresses);
  await spray(other, addresses, 500);
  t.equal(sumOf(await readBeyond(world.internet, other.host.index)), 0n);
  await other.host.host.script(addresses.map((address) => `ip -6 addr del ${address}/64 dev eth0`));
});

t.test('a paid guest with 50 IPv6 addresses is served and metered on every one of them', async (t) => {
  const addresses = fiftyOf(0);
  await addAddresses(guest, addresses);
  await until('all 50 addresses to be served', 45_000, async () => {
    await world.internetHand.call('served', {});
    await spray(guest, addresses, 50);
    return (await world.internetHand.call('served', {})).udpPackets === 50;
  });
  const { metered, passed } = await passedAndMetered(scene, guest);
  t.equal(metered, passed);
});

t.test('a paid guest that takes another IPv4 address is served on it', async (t) => {
  const { host } = guest.host;
  await host.script([
    `ip addr del ${guest.addresses.ip4}/24 dev eth0`,
    'ip addr add 192.168.77.77/24 dev eth0',
    'ip route replace default via 192.168.77.1',
  ]);
  await until('service on the new address', 15_000, () => guest.reaches(4));
  t.match(await guest.download(4, 500_000), { isIntact: true });
  const { metered, passed } = await passedAndMetered(scene, guest);
  t.equal(metered, passed);
});

t.test('who takes a paid guest’s IPv4 address gets nothing', async (t) => {
  const before = sumOf(await readBeyond(world.internet, other.host.index));
  await other.host.host.script([
    `ip addr del ${other.addresses.ip4}/24 dev eth0`,
    'ip addr add 192.168.77.77/24 dev eth0',
    'ip route replace default via 192.168.77.1',
  ]);
  await knockEverywhere(other);
  t.equal(sumOf(await readBeyond(world.internet, other.host.index)) - before, 0n);
  await other.host.host.script(['ip addr del 192.168.77.77/24 dev eth0']);
});

t.test('who takes a paid guest’s MAC and address gets nothing, and disturbs nobody', async (t) => {
  const before = sumOf(await readBeyond(world.internet, other.host.index));
  const flow = await guest.startDownload(6, 3_000_000, 1_000_000);
  await bus.stationJoined(other.host, guest.mac);
  await other.host.host.script([
    'ip link set eth0 down',
    `ip link set eth0 address ${guest.mac}`,
    'ip link set eth0 up',
    'ip addr add 192.168.77.77/24 dev eth0',
    'ip route replace default via 192.168.77.1',
    `ip -6 addr add ${guest.addresses.ip6}/64 dev eth0 nodad`,
    'ip -6 route replace default via 2001:db8:77:1::1',
  ]);
  await knockEverywhere(other);
  t.equal(sumOf(await readBeyond(world.internet, other.host.index)) - before, 0n);
  t.match(await guest.finish(flow, 15_000), { isIntact: true, bytes: 3_000_000 });
  await bus.stationLeft(other.host, guest.mac);
  const { metered, passed } = await passedAndMetered(scene, guest);
  t.equal(metered, passed);
});

t.test('a guest that comes back with another MAC has lost no credit: the rest is on its pass code', async (t) => {
  const { host } = guest.host;
  const view = await guest.portal.view();
  const held = await chain.balanceOf(guest.passCode.address);
  await guest.leaveAir();
  await host.script(['ip link set eth0 down', `ip link set eth0 address ${NEW_MAC}`, 'ip link set eth0 up']);
  await until('the old session to be settled', 30_000, async () => {
    const channel = (await scene.agent.channels()).find(({ id }) => id === view.channelId);
    return channel?.phase === 'settled' || channel === undefined;
  });
  const back = (await chain.balanceOf(guest.passCode.address)) - held;
  const { claimed, isClosed } = await chain.channel(view.channelId ?? '0x');
  t.equal(isClosed, true);
  t.equal(back, view.depositUnits - claimed);
  const again = new Guest(world, { ...guest.host, mac: NEW_MAC }, bus, guest.passCode);
  await again.join();
  t.equal(await again.reaches(4), false);
  await again.buy(2n);
  t.match(await again.download(4, 500_000), { isIntact: true });
});
