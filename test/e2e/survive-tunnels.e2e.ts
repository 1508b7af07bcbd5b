/** DNS and ICMP tunnels (iodine, ptunnel): they work through a stock router, and bring an unpaid guest nothing here. */
import { existsSync } from 'node:fs';
import t from 'tap';
import { OTHER_PORT, ROUTER_GUEST_IP4, UPSTREAM_IP4 } from '../lab/addresses.ts';
import type { Running } from '../lab/host.ts';
import { openTestScene } from '../lab/test-scene.ts';
import { pause } from '../lab/wait.ts';

const TUNNEL_ZONE = 'tunnel.example.net';
const INSIDE = '10.99.0.1';
const LOCAL_PORT = 8_000;
const WANTED_BYTES = 200_000;
/** What DNS without credit lets through by design is 12 kbit/s; a tunnel's own overhead eats most of it. */
const MOST_DNS_BYTES = 9_000;
const TRY_MS = 6_000;

const scene = await openTestScene();
const { lab, guest, world, agent } = scene;
await guest.join();
const { internet } = world;
const isIodineHere = existsSync('/usr/sbin/iodined') && existsSync('/dev/net/tun');
const isPtunnelHere = existsSync('/usr/sbin/ptunnel');

function startIodine(): Running {
  const argv = ['iodine', '-f', '-P', 'lab', '-r', '-I', '1', ROUTER_GUEST_IP4, TUNNEL_ZONE];
  return guest.host.host.start('iodine', argv, { logFile: lab.path('iodine.log') });
}

function startPtunnel(): Running {
  const argv = [
    'ptunnel',
    '-p',
    // The proxy answers from the address of its interface, whatever it was asked on.
    UPSTREAM_IP4,
    '-lp',
    `${LOCAL_PORT}`,
    '-da',
    guest.server.ip4,
    '-dp',
    `${OTHER_PORT}`,
  ];
  return guest.host.host.start('ptunnel', argv, { logFile: lab.path('ptunnel.log') });
}

/** Bytes of a file that come through the tunnel's far end within TRY_MS. */
async function bytesThrough(address: string, port: number): Promise<number> {
  const flow = `through ${address} ${performance.now()}`;
  await guest.hand.call('download', { flow, address, port, bytes: WANTED_BYTES });
  const endsAt = performance.now() + TRY_MS;
  for (;;) {
    const { bytes, isDone } = await guest.hand.call('flow', { flow });
    if (isDone || performance.now() >= endsAt) {
      await guest.hand.call('abort', { flow });
      return bytes;
    }
    await pause(200);
  }
}

/** What a router without the agent does: guests are kept from the internet, DNS and ping are not looked at. */
async function becomeStock(): Promise<void> {
  await agent.stop();
  for (const family of ['inet', 'bridge']) await world.router.run(['nft', 'delete', 'table', family, 'shareagent']);
  await world.router.must([
    'nft',
    'insert',
    'rule',
    'inet',
    'fw4',
    'forward',
    'iifname',
    'br-guest',
    'meta',
    'l4proto',
    '{ tcp, udp }',
    'drop',
  ]);
}

if (isIodineHere) {
  const argv = ['iodined', '-f', '-c', '-P', 'lab', '-p', '5353', '-l', '127.0.0.1', `${INSIDE}/24`, TUNNEL_ZONE];
  internet.start('iodined', argv, { logFile: lab.path('iodined.log') });
}
if (isPtunnelHere) internet.start('ptunneld', ['ptunnel'], { logFile: lab.path('ptunneld.log') });

t.test(
  'iodine through the router’s DNS brings an unpaid guest next to nothing',
  { skip: !isIodineHere && 'iodine or /dev/net/tun is missing' },
  async (t) => {
    const iodine = startIodine();
    await pause(5_000);
    const bytes = await bytesThrough(INSIDE, OTHER_PORT);
    await iodine.stop();
    t.ok(bytes < MOST_DNS_BYTES, `${bytes} bytes in ${TRY_MS / 1_000} s`);
  },
);

t.test('ptunnel brings an unpaid guest nothing', { skip: !isPtunnelHere && 'ptunnel is missing' }, async (t) => {
  const ptunnel = startPtunnel();
  await pause(500);
  t.equal(await bytesThrough('127.0.0.1', LOCAL_PORT), 0);
  await ptunnel.stop();
});

t.test(
  'both tunnels work through a stock router, so the attack was a real one',
  { skip: !(isIodineHere && isPtunnelHere) && 'tools are missing' },
  async (t) => {
    await becomeStock();
    const [iodine, ptunnel] = [startIodine(), startPtunnel()];
    await pause(5_000);
    t.ok((await bytesThrough(INSIDE, OTHER_PORT)) > MOST_DNS_BYTES);
    t.ok((await bytesThrough('127.0.0.1', LOCAL_PORT)) > MOST_DNS_BYTES);
    await Promise.all([iodine.stop(), ptunnel.stop()]);
  },
);
