/**
 * One router between a client and a server, for measuring what its rules cost: bridge, NAT and conntrack as on a stock OpenWrt
 * router. On the wire a packet is a packet, no larger than a frame; the router joins those of a stream (GRO) as stock ones do.
 */
import { createNftEnforcer } from '../../agent/adapters/nft/enforcer.ts';
import type { DeviceName, EnforcementPlan, IpAddress, Mac, SessionGrant } from '../../agent/core/model.ts';
import type { Enforcer } from '../../agent/ports.ts';
import { GUEST_DEVICE } from '../lab/addresses.ts';
import type { Host } from '../lab/host.ts';
import type { Lab } from '../lab/lab.ts';
import { stockRules } from '../lab/stock-rules.ts';
import { bareRules } from './bare-rules.ts';
import { perGuestRules } from './per-guest-rules.ts';

export type ForwardWorld = {
  readonly client: Host;
  readonly router: Host;
  readonly server: Host;
  readonly enforcer: Enforcer;
};

export const SERVER_IP = '198.51.100.2';
export const SERVER_IP6 = '2001:db8:5::2';
const GATEWAY = '10.90.0.1';
const GATEWAY6 = '2001:db8:90::1';
const CLIENT = { mac: '02:be:00:00:ff:ff', address: '10.90.255.2' };
const CLIENT_IP6 = '2001:db8:90::2';
export const CLIENT_ADDRESSES = [CLIENT.address, CLIENT_IP6] as readonly string[] as readonly IpAddress[];
const PORT = 'g0' as DeviceName;
const OFFLOADS = ['tso', 'gso', 'gro', 'tx', 'rx', 'sg'];
const PLENTY = 1n << 50n;
const SILENT = { info: () => undefined, warn: () => undefined, error: () => undefined };

export async function buildForwardWorld(lab: Lab, name: string): Promise<ForwardWorld> {
  const [client, router, server] = ['c', 'r', 's'].map((role) => lab.addHost(`${name}${role}`)) as [Host, Host, Host];
  const ip = (host: Host, text: string) => host.must(['ip', ...text.split(' ')]);
  await ip(router, `link add ${PORT} type veth peer name eth0 netns ${client.netns}`);
  await ip(router, `link add wan type veth peer name eth0 netns ${server.netns}`);
  await ip(router, `link add ${GUEST_DEVICE} type bridge`);
  await ip(router, `link set ${PORT} master ${GUEST_DEVICE}`);
  await ip(client, `link set eth0 address ${CLIENT.mac}`);
  await ip(client, `addr add ${CLIENT.address}/16 dev eth0`);
  await ip(router, `addr add ${GATEWAY}/16 dev ${GUEST_DEVICE}`);
  await ip(router, 'addr add 198.51.100.1/24 dev wan');
  await ip(server, `addr add ${SERVER_IP}/24 dev eth0`);
  const links: readonly [Host, string][] = [
    [router, PORT],
    [router, 'wan'],
    [router, GUEST_DEVICE],
    [client, 'eth0'],
    [server, 'eth0'],
  ];
  for (const [host, device] of links) {
    await host.run(['ethtool', '-K', device, ...OFFLOADS.flatMap((offload) => [offload, 'off'])]);
    await ip(host, `link set ${device} up`);
  }
  for (const host of [client, server])
    await host.must([
      'sysctl',
      '-qw',
      'net.ipv6.conf.eth0.accept_ra=0',
      'net.ipv6.conf.eth0.router_solicitations=0',
      'net.ipv6.conf.eth0.dad_transmits=0',
    ]);
  await ip(router, `addr add ${GATEWAY6}/64 dev ${GUEST_DEVICE} nodad`);
  await ip(router, 'addr add 2001:db8:5::1/64 dev wan nodad');
  await ip(client, `addr add ${CLIENT_IP6}/64 dev eth0 nodad`);
  await ip(server, `addr add ${SERVER_IP6}/64 dev eth0 nodad`);
  await routeWithoutQuestions(client, GATEWAY, GATEWAY6, await macOf(router, GUEST_DEVICE));
  await routeWithoutQuestions(server, '198.51.100.1', '2001:db8:5::1', await macOf(router, 'wan'));
  for (const address of CLIENT_ADDRESSES)
    await ip(router, `neigh replace ${address} lladdr ${CLIENT.mac} dev ${GUEST_DEVICE} nud permanent`);
  const serverMac = await macOf(server, 'eth0');
  for (const address of [SERVER_IP, SERVER_IP6])
    await ip(router, `neigh replace ${address} lladdr ${serverMac} dev wan nud permanent`);
  await router.must(['sysctl', '-qw', 'net.ipv4.ip_forward=1', 'net.ipv6.conf.all.forwarding=1']);
  await router.run(['sysctl', '-qw', 'net.bridge.bridge-nf-call-iptables=0', 'net.bridge.bridge-nf-call-ip6tables=0']);
  await router.must(['nft', '-f', '/dev/stdin'], { input: stockRules(2080) });
  const enforcer = createNftEnforcer({ netns: router.netns, runtimeDir: lab.path(`${name}-nft`), log: SILENT });
  lab.onClose(() => enforcer.close());
  const world = { client, router, server, enforcer };
  await joinSegments(world, true);
  return world;
}

/** Switches generic receive offload of the router's two ports. */
export async function joinSegments({ router }: ForwardWorld, isOn: boolean): Promise<void> {
  for (const device of [PORT, 'wan']) await router.must(['ethtool', '-K', device, 'gro', isOn ? 'on' : 'off']);
}

/** Default routes with a permanent neighbour: no ARP or neighbour discovery among the measured bytes. */
async function routeWithoutQuestions(host: Host, gateway: string, gateway6: string, mac: string): Promise<void> {
  for (const address of [gateway, gateway6]) {
    await host.must(['ip', 'neigh', 'replace', address, 'lladdr', mac, 'dev', 'eth0', 'nud', 'permanent']);
    await host.must(['ip', 'route', 'add', 'default', 'via', address]);
  }
}

async function macOf(host: Host, device: string): Promise<string> {
  return JSON.parse(await host.must(['ip', '-j', 'link', 'show', device]))[0].address;
}

/** Ours: `count` paying guests, the client in the middle of them. */
export async function sellTo({ enforcer }: ForwardWorld, count: number): Promise<void> {
  await enforcer.reconcile(planOf(guestsAround(count).map((guest, i) => grantFor(i + 1, guest))));
}

export function planOf(grants: readonly SessionGrant[]): EnforcementPlan {
  return { guestDevices: [GUEST_DEVICE as DeviceName], portalPort: 2080, grants };
}

/** Theirs: the same guests in the form of openNDS. */
export async function installPerGuest({ router }: ForwardWorld, count: number): Promise<void> {
  for (const table of ['nds_filter', 'nds_mangle', 'nds_nat'])
    await router.run(['nft', 'delete', 'table', 'inet', table]);
  const input = perGuestRules(GUEST_DEVICE, GATEWAY, guestsAround(count));
  await router.must(['nft', '-f', '/dev/stdin'], { input, timeoutMs: 60_000 });
}

/** The bare minimum for the same guests; once for a world. */
export async function installBare({ router }: ForwardWorld, count: number): Promise<void> {
  const input = bareRules(GUEST_DEVICE, { mac: CLIENT.mac, port: PORT }, guestsAround(count));
  await router.must(['nft', '-f', '/dev/stdin'], { input, timeoutMs: 60_000 });
}

export function grantFor(sessionId: number, { mac, address }: { mac: string; address: string }): SessionGrant {
  return {
    sessionId,
    limitBytes: PLENTY,
    usedBytes: 0n,
    counters: new Map(),
    stations: [{ mac: mac as Mac, addresses: [address as IpAddress], ...(mac === CLIENT.mac ? { port: PORT } : {}) }],
    isOnline: true,
  };
}

/** `count` guests with the client at the middle place. */
export function guestsAround(count: number): { mac: string; address: string }[] {
  const hex = (value: number) => value.toString(16).padStart(2, '0');
  const others = Array.from({ length: count - 1 }, (_, i) => ({
    mac: `02:be:00:01:${hex(i >> 8)}:${hex(i & 255)}`,
    address: `10.90.${1 + (i >> 8)}.${i & 255}`,
  }));
  return others.toSpliced((count - 1) >> 1, 0, CLIENT);
}
