import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { CheckedReader } from '../../../agent/adapters/checked-reader.ts';
import { KernelNeighbours } from '../../../agent/adapters/neighbours.ts';
import type { DeviceName, IpAddress, Mac } from '../../../agent/core/model.ts';

const PHONE = 'aa:bb:cc:00:00:01' as Mac;
const LAPTOP = 'aa:bb:cc:00:00:04' as Mac;
const GUEST = ['br-guest'] as DeviceName[];

/** As printed by Linux 6.x; 10.9.0.77 is being asked for, .3 did not answer, eth0 is the uplink. */
const ARP = `IP address       HW type     Flags       HW address            Mask     Device
10.9.0.2         0x1         0x2         aa:bb:cc:00:00:01     *        br-guest
10.9.0.77        0x1         0x0         00:00:00:00:00:00     *        br-guest
10.9.0.4         0x1         0x6         aa:bb:cc:00:00:04     *        br-guest
10.9.0.3         0x1         0x0         00:00:00:00:00:00     *        br-guest
192.0.2.1        0x1         0x2         02:fc:00:00:00:05     *        eth0
`;

const IPV6_OF_IPROUTE2 = `fd09::2 lladdr aa:bb:cc:00:00:01 STALE
fe80::2 lladdr aa:bb:cc:00:00:01 router REACHABLE
fd09::9 FAILED
fd09::a lladdr aa:bb:cc:00:00:04 INCOMPLETE
`;
const IPV6_OF_BUSYBOX = `fd09::2 dev br-guest lladdr aa:bb:cc:00:00:01 used 0/0/0 probes 0 STALE
fd09::9 dev br-guest  ref 1 used 0/0/0 probes 4 INCOMPLETE
`;

/** /sys/class/net/br-guest/brforward of a bridge with a learned station, a second port and the port's own MAC. */
const BRFORWARD = Buffer.from(
  'aabbcc00000101000200000000000000' + '262df5993c5101000d00000000000000' + '0e5fc62f91d401010000000000000000',
  'hex',
);

class Kernel {
  readonly root: string;
  nowMs = 0;
  readonly runs: string[] = [];
  output: Readonly<Record<string, string>> = {};
  readonly problems: Error[] = [];
  readonly neighbours: KernelNeighbours;

  constructor(t: Test) {
    this.root = mkdtempSync(join(tmpdir(), 'neighbours-'));
    t.teardown(() => rmSync(this.root, { recursive: true }));
    mkdirSync(join(this.root, 'net'));
    this.neighbours = new KernelNeighbours({
      guestDevices: GUEST,
      procRoot: this.root,
      sysRoot: this.root,
      monotonicMs: () => this.nowMs,
      onProblem: (error) => this.problems.push(error),
      run: (program, args) => {
        const command = [program, ...args].join(' ');
        this.runs.push(command);
        const output = this.output[program];
        return output === undefined ? Promise.reject(new Error(`no ${program}`)) : Promise.resolve(output);
      },
    });
  }

  arp(text: string): void {
    writeFileSync(join(this.root, 'net/arp'), text);
  }

  bridge(brforward: Buffer, ports: Readonly<Record<string, string>>): void {
    const folder = join(this.root, 'class/net/br-guest');
    mkdirSync(join(folder, 'brif'), { recursive: true });
    writeFileSync(join(folder, 'brforward'), brforward);
    for (const [name, number] of Object.entries(ports)) {
      mkdirSync(join(folder, 'brif', name), { recursive: true });
      writeFileSync(join(folder, 'brif', name, 'port_no'), `${number}\n`);
    }
  }
}

t.test('an address is looked up whole, and on the guest devices only', async (t) => {
  const kernel = new Kernel(t);
  const elsewhere = '10.9.0.4         0x1         0x2         02:fc:00:00:00:06     *        eth0\n';
  const [heading = '', ...lines] = ARP.trimEnd().split('\n');
  writeFileSync(join(kernel.root, 'net/arp'), [heading, elsewhere.trimEnd(), ...lines].join('\n'));
  const macOf = (address: string) => kernel.neighbours.macOf(address as IpAddress);
  t.equal(await macOf('10.9.0.4'), LAPTOP, 'another device has the same address');
  for (const stranger of ['10.9.0.7', '0.9.0.2', '10.9.0.77', '192.0.2.1', 'IP'])
    t.equal(await macOf(stranger), undefined);
  writeFileSync(join(kernel.root, 'net/arp'), `${heading}\n${(lines[0] ?? '').trimEnd()}`);
  t.equal(await macOf('10.9.0.2'), PHONE, 'the last line');
});

t.test('an IPv4 guest is found in the ARP table without starting a process', async (t) => {
  const kernel = new Kernel(t);
  kernel.arp(ARP);
  t.equal(await kernel.neighbours.macOf('10.9.0.2' as IpAddress), PHONE);
  t.equal(await kernel.neighbours.macOf('10.9.0.77' as IpAddress), undefined, 'not resolved');
  t.equal(await kernel.neighbours.macOf('192.0.2.1' as IpAddress), undefined, 'not on a guest device');
  t.same(kernel.runs, []);
});

t.test('an IPv6 guest is found by ip, whichever ip the router has', async (t) => {
  for (const text of [IPV6_OF_IPROUTE2, IPV6_OF_BUSYBOX]) {
    const kernel = new Kernel(t);
    kernel.output = { ip: text };
    t.equal(await kernel.neighbours.macOf('fd09::2' as IpAddress), PHONE);
    t.equal(await kernel.neighbours.macOf('fd09::9' as IpAddress), undefined);
    t.equal(await kernel.neighbours.macOf('fd09::a' as IpAddress), undefined, 'a remembered MAC is not a resolved one');
    t.equal(kernel.runs[0], 'ip -6 neigh show dev br-guest');
  }
});

t.test('the list has both families', async (t) => {
  const kernel = new Kernel(t);
  kernel.arp(ARP);
  kernel.output = { ip: IPV6_OF_IPROUTE2 };
  t.same(await kernel.neighbours.list(), [
    { mac: PHONE, address: '10.9.0.2' },
    { mac: LAPTOP, address: '10.9.0.4' },
    { mac: PHONE, address: 'fd09::2' },
    { mac: PHONE, address: 'fe80::2' },
  ]);
});

t.test('for a known IPv6 address ip is asked once a second, however many ask', async (t) => {
  const kernel = new Kernel(t);
  kernel.output = { ip: IPV6_OF_IPROUTE2 };
  for (const [nowMs, runs] of [
    [0, 1],
    [999, 1],
    [1_000, 2],
  ] as const) {
    kernel.nowMs = nowMs;
    const asked = Array.from({ length: 50 }, () => kernel.neighbours.macOf('fd09::2' as IpAddress));
    t.same(new Set(await Promise.all(asked)), new Set([PHONE]));
    await kernel.neighbours.list();
    t.equal(kernel.runs.length, runs, `at ${nowMs} ms`);
  }
});

t.test('an unknown IPv6 guest is looked for again, all askers together, a quarter of a second later', async (t) => {
  const kernel = new Kernel(t);
  kernel.output = { ip: IPV6_OF_IPROUTE2 };
  await kernel.neighbours.list();
  kernel.nowMs = 240;
  kernel.output = { ip: 'fd09::77 lladdr aa:bb:cc:00:00:04 REACHABLE\n' };
  const asked = Array.from({ length: 50 }, () => kernel.neighbours.macOf('fd09::77' as IpAddress));
  t.same(new Set(await Promise.all(asked)), new Set([LAPTOP]));
  t.equal(kernel.runs.length, 2);
});

t.test('an IPv4 guest that came a moment ago is found', async (t) => {
  const kernel = new Kernel(t);
  kernel.arp('');
  const early = kernel.neighbours.macOf('10.9.0.2' as IpAddress);
  kernel.arp(ARP);
  const late = [kernel.neighbours.macOf('10.9.0.2' as IpAddress), kernel.neighbours.macOf('10.9.0.2' as IpAddress)];
  t.same(await Promise.all(late), [PHONE, PHONE]);
  await early;
});

t.test('where ip is not installed, as in a jail, the kernel is believed', async (t) => {
  const spawn = Object.assign(new Error('spawn ip ENOENT'), { code: 'ENOENT', syscall: 'spawn ip' });
  const row = { address: 'fd09::2' as IpAddress, mac: PHONE };
  const reader = (direct: readonly (typeof row)[] | undefined, failure: Error) =>
    new CheckedReader({
      direct: () => direct,
      tool: () => Promise.reject(failure),
      isBetween: () => false,
      onAgreed: () => t.fail('nothing was compared'),
      onDiffering: () => t.fail('nothing was compared'),
    });
  t.same(await reader([row], spawn).read(), [row]);
  t.same(await reader([], spawn).read(), []);
  await t.rejects(reader(undefined, spawn).read(), spawn, 'nobody can be asked');
  const broken = new Error('ip ended with 1');
  await t.rejects(reader([row], broken).read(), broken, 'a tool that is there and fails is trouble');
});

t.test('tables that can not be read are empty, and that is reported once', async (t) => {
  const kernel = new Kernel(t);
  t.same(await kernel.neighbours.list(), []);
  t.equal(kernel.problems.length, 1);
  kernel.nowMs = 10_000;
  t.same(await kernel.neighbours.list(), []);
  t.equal(kernel.problems.length, 1);
});

t.test('rows that are no neighbours are left out', async (t) => {
  const kernel = new Kernel(t);
  kernel.arp(
    `${ARP}\n;\n10.9.0.300 0x1 0x2 aa:bb:cc:00:00:09 * br-guest\n10.9.0.8 0x1 0x2 ff:ff:ff:ff:ff:ff * br-guest\n`,
  );
  kernel.output = { ip: 'lladdr\nfd09::1 lladdr\n$(reboot) lladdr aa:bb:cc:00:00:01 STALE\n' };
  t.equal((await kernel.neighbours.list()).length, 2);
});

t.test('the port of a MAC is read from the bridge without starting a process', async (t) => {
  const kernel = new Kernel(t);
  kernel.bridge(BRFORWARD, { 'phy0-ap1': '0x2', 'phy0-ap0': '0x1' });
  t.equal(await kernel.neighbours.portOf(PHONE), 'phy0-ap0');
  t.equal(await kernel.neighbours.portOf('0e:5f:c6:2f:91:d4' as Mac), undefined, 'the router’s own');
  t.equal(await kernel.neighbours.portOf(LAPTOP), undefined, 'never seen');
  t.same(kernel.runs, []);
});

t.test('of several VLAN entries the one used last counts, and ports above 255 are understood', async (t) => {
  const kernel = new Kernel(t);
  const entry = (port: string, age: string, high = '00'): string => `aabbcc000001${port}00${age}${high}000000`;
  kernel.bridge(Buffer.from(entry('01', '09000000') + entry('02', '03000000', '01') + entry('03', '04000000'), 'hex'), {
    old: '0x1',
    newest: '0x102',
    other: '0x3',
  });
  t.equal(await kernel.neighbours.portOf(PHONE), 'newest');
});

t.test('a port that has gone, or whose name is not safe, is no port', async (t) => {
  const kernel = new Kernel(t);
  kernel.bridge(BRFORWARD, { 'a;accept': '0x1' });
  t.equal(await kernel.neighbours.portOf(PHONE), undefined);
  const empty = new Kernel(t);
  empty.bridge(BRFORWARD, {});
  t.equal(await empty.neighbours.portOf(PHONE), undefined);
});

t.test('where /sys does not know the bridge the bridge tool is asked', async (t) => {
  const kernel = new Kernel(t);
  kernel.output = {
    bridge: [
      '33:33:00:00:00:01 dev br-guest self permanent',
      'aa:bb:cc:00:00:04 dev phy0-ap1 master br-guest permanent',
      'aa:bb:cc:00:00:01 dev phy0-ap0 vlan 1 master br-guest',
    ].join('\n'),
  };
  t.equal(await kernel.neighbours.portOf(PHONE), 'phy0-ap0');
  t.equal(await kernel.neighbours.portOf(LAPTOP), undefined);
  t.same(kernel.runs[0], 'bridge fdb show br br-guest');
  kernel.output = {};
  t.equal(await kernel.neighbours.portOf(PHONE), undefined, 'no bridge tool');
});
