/**
 * The small world: internet - router - guests, each a network namespace, with a stock OpenWrt ruleset on the router and
 * a real dnsmasq. Segmentation and receive offloads are off on every link: with GRO, a 64 kB super-packet is counted
 * with one IP and TCP header where the wire carried forty, so "bytes on the wire" would depend on which interface is
 * asked. Without it every counter at layer 3 sees the same packets, and equality can be asked to the byte.
 */
import {
  BACKEND_IP4,
  DNS_IP4,
  GUEST_DEVICE,
  GUEST_NET6,
  LAN_HOST_IP4,
  LAN_HOST_IP6,
  ROUTER_GUEST_IP4,
  ROUTER_GUEST_IP6,
  ROUTER_LAN_IP4,
  ROUTER_LAN_IP6,
  ROUTER_WAN_IP4,
  ROUTER_WAN_IP6,
  serverOfGuest,
  UPSTREAM_IP4,
  UPSTREAM_IP6,
} from './addresses.ts';
import { Dnsmasq } from './dnsmasq.ts';
import { Hand } from './hand.ts';
import type { Host } from './host.ts';
import type { Lab } from './lab.ts';
import { stockRules } from './stock-rules.ts';
import { installBeyondCounters, installWireCounters } from './wire.ts';

export type GuestHost = {
  readonly index: number;
  readonly host: Host;
  readonly hand: Hand;
  readonly mac: string;
  /** Bridge port on the router that the guest hangs on, as a BSS would be. */
  readonly port: string;
};

export type World = {
  readonly lab: Lab;
  readonly internet: Host;
  readonly internetHand: Hand;
  readonly router: Host;
  /** A host of the owner's private network. */
  readonly lan: Host;
  readonly guests: readonly GuestHost[];
  readonly dnsmasq: Dnsmasq;
};

export type WorldOptions = {
  readonly guests: number;
  readonly portalPort: number;
  /** Value of DHCP option 114. */
  readonly captiveUrl: string;
};

const OFFLOADS = ['tso', 'gso', 'gro', 'tx', 'rx', 'sg'];

export async function buildWorld(lab: Lab, options: WorldOptions): Promise<World> {
  const internet = lab.addHost('internet');
  const router = lab.addHost('router');
  const lan = lab.addHost('lan');
  const hosts = Array.from({ length: options.guests }, (_, index) => lab.addHost(`guest${index}`));
  await Promise.all([buildInternet(internet, options.guests), buildRouter(router)]);
  await Promise.all([connectWan(router, internet), connectLan(router, lan)]);
  await router.must(['nft', '-f', '/dev/stdin'], { input: stockRules(options.portalPort) });
  const dnsmasq = new Dnsmasq(lab, router, options.captiveUrl);
  const internetDns = startInternetDns(lab, internet);
  const guests = await Promise.all(hosts.map((host, index) => connectGuest(lab, router, host, index)));
  const internetHand = await Hand.start(lab, internet);
  await internetHand.call('serve', { addresses: hosts.flatMap((_, index) => Object.values(serverOfGuest(index))) });
  await Promise.all([dnsmasq.start(), internetDns, installBeyondCounters(internet, options.guests)]);
  return { lab, internet, internetHand, router, lan, guests, dnsmasq };
}

export function macOfGuest(index: number): string {
  return `02:bb:00:00:00:${(index + 1).toString(16).padStart(2, '0')}`;
}

/** Takes the uplink away, or gives it back. */
export async function setUplink(world: World, isUp: boolean): Promise<void> {
  const state = isUp ? 'up' : 'down';
  await world.router.must(['ip', 'link', 'set', 'wan', state]);
  // Addresses and routes of IPv6 and the default route go with the link; netifd puts them back, so the lab does.
  if (isUp) await world.router.script(wanAddressLines());
}

async function buildInternet(internet: Host, guests: number): Promise<void> {
  const lines = ['sysctl -qw net.ipv4.ip_forward=1', 'sysctl -qw net.ipv6.conf.all.forwarding=1'];
  const addresses = [`${DNS_IP4}/32`, `${BACKEND_IP4}/32`];
  for (let i = 0; i < guests; i++) {
    const server = serverOfGuest(i);
    addresses.push(`${server.ip4}/32`);
    lines.push(`ip -6 addr add ${server.ip6}/128 dev lo nodad`);
  }
  for (const address of addresses) lines.push(`ip addr add ${address} dev lo`);
  await internet.script(lines);
}

async function buildRouter(router: Host): Promise<void> {
  const bridge = (name: string): string[] => [
    `ip link add ${name} type bridge stp_state 0 forward_delay 0 mcast_snooping 0`,
    `sysctl -qw net.ipv6.conf.${name}.accept_dad=0`,
    `ip link set ${name} up`,
  ];
  await router.script([
    'sysctl -qw net.ipv4.ip_forward=1',
    'sysctl -qw net.ipv6.conf.all.forwarding=1',
    // A stock OpenWrt does not pass bridged frames to the IP hooks; a Debian kernel may.
    'if [ -e /proc/sys/net/bridge ]; then sysctl -qw net.bridge.bridge-nf-call-iptables=0 net.bridge.bridge-nf-call-ip6tables=0 net.bridge.bridge-nf-call-arptables=0; fi',
    ...bridge(GUEST_DEVICE),
    ...bridge('br-lan'),
    // An access point's own port: up without a single station, so the bridge has carrier before the first guest comes.
    'ip link add ap0 type veth peer name air0',
    'ip link set air0 up',
    `ip link set ap0 master ${GUEST_DEVICE} up`,
    `ip addr add ${ROUTER_GUEST_IP4}/24 dev ${GUEST_DEVICE}`,
    `ip -6 addr add ${ROUTER_GUEST_IP6}/64 dev ${GUEST_DEVICE} nodad`,
    `ip addr add ${ROUTER_LAN_IP4}/24 dev br-lan`,
    `ip -6 addr add ${ROUTER_LAN_IP6}/64 dev br-lan nodad`,
  ]);
}

async function connectWan(router: Host, internet: Host): Promise<void> {
  await router.must(['ip', 'link', 'add', 'wan', 'type', 'veth', 'peer', 'name', 'eth0', 'netns', internet.netns]);
  await router.script(['sysctl -qw net.ipv6.conf.wan.accept_dad=0', ...plainLink('wan'), ...wanAddressLines()]);
  await internet.script([
    'sysctl -qw net.ipv6.conf.eth0.accept_dad=0',
    ...plainLink('eth0'),
    `ip addr add ${UPSTREAM_IP4}/24 dev eth0`,
    `ip -6 addr add ${UPSTREAM_IP6}/64 dev eth0 nodad`,
    `ip -6 route add ${GUEST_NET6} via ${ROUTER_WAN_IP6}`,
  ]);
}

function wanAddressLines(): string[] {
  return [
    `ip addr replace ${ROUTER_WAN_IP4}/24 dev wan`,
    `ip -6 addr replace ${ROUTER_WAN_IP6}/64 dev wan nodad`,
    `ip route replace default via ${UPSTREAM_IP4}`,
    `ip -6 route replace default via ${UPSTREAM_IP6}`,
  ];
}

async function connectLan(router: Host, lan: Host): Promise<void> {
  await router.must(['ip', 'link', 'add', 'lan0', 'type', 'veth', 'peer', 'name', 'eth0', 'netns', lan.netns]);
  await router.script([...plainLink('lan0'), 'ip link set lan0 master br-lan']);
  await lan.script([
    'sysctl -qw net.ipv6.conf.eth0.accept_dad=0',
    ...plainLink('eth0'),
    `ip addr add ${LAN_HOST_IP4}/24 dev eth0`,
    `ip -6 addr add ${LAN_HOST_IP6}/64 dev eth0 nodad`,
    `ip route add default via ${ROUTER_LAN_IP4}`,
    `ip -6 route add default via ${ROUTER_LAN_IP6}`,
  ]);
}

async function connectGuest(lab: Lab, router: Host, host: Host, index: number): Promise<GuestHost> {
  const port = `guest${index}`;
  const mac = macOfGuest(index);
  await router.must(['ip', 'link', 'add', port, 'type', 'veth', 'peer', 'name', 'eth0', 'netns', host.netns]);
  await router.script([...plainLink(port), `ip link set ${port} master ${GUEST_DEVICE}`]);
  await host.script([
    'sysctl -qw net.ipv6.conf.eth0.accept_ra=2 net.ipv6.conf.eth0.accept_dad=0 net.ipv6.conf.eth0.dad_transmits=0',
    'sysctl -qw net.ipv6.conf.eth0.router_solicitation_delay=0 net.ipv6.conf.eth0.use_tempaddr=0',
    `ip link set eth0 address ${mac}`,
    'ip link set eth0 gso_max_segs 1',
    ...OFFLOADS.map((offload) => `ethtool -K eth0 ${offload} off >/dev/null 2>&1 || true`),
  ]);
  await installWireCounters(host);
  return { index, host, hand: await Hand.start(lab, host), mac, port };
}

function plainLink(device: string): string[] {
  return [
    ...OFFLOADS.map((offload) => `ethtool -K ${device} ${offload} off >/dev/null 2>&1 || true`),
    // TCP builds super-packets even without offload and splits them below the packet filter: one segment each, then.
    `ip link set ${device} gso_max_segs 1`,
    `ip link set ${device} up`,
  ];
}

/** A name server that knows every name of the lab and refuses none: what a router forwards to. */
function startInternetDns(lab: Lab, internet: Host): void {
  const names = ['connectivitycheck.gstatic.com', 'captive.apple.com', 'www.example.com'];
  const server = serverOfGuest(0);
  internet.start(
    'internet-dns',
    [
      'dnsmasq',
      '--no-daemon',
      '--conf-file=/dev/null',
      '--pid-file=',
      '--no-resolv',
      '--no-hosts',
      `--listen-address=${DNS_IP4}`,
      '--bind-interfaces',
      // iodined is delegated a zone of its own, as a tunnel operator would do it.
      '--server=/tunnel.example.net/127.0.0.1#5353',
      ...names.map((name) => `--host-record=${name},${server.ip4},${server.ip6}`),
    ],
    { logFile: lab.path('internet-dns.log') },
  );
}
