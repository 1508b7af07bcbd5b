import t from 'tap';
import {
  LAN_HOST_IP4,
  OTHER_PORT,
  PORTAL_NAME,
  ROUTER_GUEST_IP4,
  serverOfGuest,
  UDP_ECHO_PORT,
} from '../lab/addresses.ts';
import { elevate } from '../lab/elevate.ts';
import { connectToNetwork } from '../lab/guest-link.ts';
import { Lab } from '../lab/lab.ts';
import { settled, until } from '../lab/wait.ts';
import { readBeyond, readInterfaceBytes, readWire } from '../lab/wire.ts';
import { buildWorld, type GuestHost } from '../lab/world.ts';

elevate();
const lab = new Lab();
t.teardown(() => lab.close());
const world = await buildWorld(lab, {
  guests: 2,
  portalPort: 8080,
  captiveUrl: 'http://portal.lan/captive-portal/api',
});
const guest = world.guests[0] as GuestHost;
const server = serverOfGuest(0);
const addresses = await connectToNetwork(lab, guest);

t.test('a guest gets an IPv4 lease with option 114 and an IPv6 address', (t) => {
  t.match(addresses.ip4, /^192\.168\.77\.\d+$/);
  t.match(addresses.ip6, /^2001:db8:77:1:/);
  t.equal(addresses.captiveUrl, 'http://portal.lan/captive-portal/api');
  t.match(world.dnsmasq.takeEvents(), [{ kind: 'add', mac: guest.mac, ip: addresses.ip4 }]);
  t.end();
});

t.test('the router answers for the portal’s name and forwards other names', async (t) => {
  const resolve = (name: string, family: 4 | 6) => guest.hand.call('resolve', { name, server: addresses.dns, family });
  t.same((await resolve(PORTAL_NAME, 4)).addresses, [ROUTER_GUEST_IP4]);
  t.same((await resolve('www.example.com', 6)).addresses, [server.ip6]);
});

t.test('a guest reaches the internet through the stock ruleset over IPv4 and IPv6', async (t) => {
  for (const address of [server.ip4, server.ip6]) {
    const flow = `down ${address}`;
    await guest.hand.call('download', { flow, address, port: OTHER_PORT, bytes: 3_000_000 });
    const state = await until('the download', 10_000, async () => {
      const now = await guest.hand.call('flow', { flow });
      return now.isDone ? now : undefined;
    });
    t.match(state, { bytes: 3_000_000, isIntact: true });
    const { received } = await guest.hand.call('udpSend', {
      address,
      port: UDP_ECHO_PORT,
      size: 900,
      packets: 50,
      packetsPerS: 5_000,
      waitMs: 3_000,
    });
    t.equal(received.packets, 50);
  }
});

t.test('counters on the guest and on the internet see the same bytes, to the byte', async (t) => {
  const both = await settled('the counters', 300, 5_000, async () => ({
    wire: await readWire(guest.host),
    beyond: await readBeyond(world.internet, 0),
  }));
  t.ok(both.wire.down4 > 3_000_000n && both.wire.down6 > 3_000_000n);
  t.same(both.beyond, both.wire);
  const { rx } = await readInterfaceBytes(guest.host, 'eth0');
  t.ok(rx > both.wire.down4 + both.wire.down6);
});

t.test('a stock router keeps guests out of the private network', async (t) => {
  const { outcome } = await guest.hand.call('connect', { address: LAN_HOST_IP4, port: 80, timeoutMs: 1_000 });
  t.equal(outcome, 'refused');
});
