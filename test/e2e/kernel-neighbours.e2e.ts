/** Neighbours and bridge ports as a real kernel shows them: a bridge with two ports in a network namespace of its own. */
import { execFileSync } from 'node:child_process';
import t from 'tap';

const MODULE = new URL('../../agent/adapters/neighbours.ts', import.meta.url).href;

const SETUP = `
set -e
mount -t sysfs sysfs /sys
ip link add br-guest type bridge
for port in one two; do
  ip link add $port type veth peer name peer-$port
  ip link set $port master br-guest
  ip link set $port up
  ip link set peer-$port up
done
ip link set br-guest up
ip address add 10.9.0.1/24 dev br-guest
ip address add fd09::1/64 dev br-guest nodad
ip neigh add 10.9.0.2 lladdr aa:bb:cc:00:00:01 dev br-guest nud reachable
ip neigh add fd09::2 lladdr aa:bb:cc:00:00:01 dev br-guest nud stale
ip neigh add 10.9.0.4 dev br-guest nud incomplete
ip neigh add fd09::4 dev br-guest nud incomplete
ip neigh add fd09::5 lladdr aa:bb:cc:00:00:05 dev one nud reachable
bridge fdb add aa:bb:cc:00:00:01 dev two master dynamic
`;

const PROBE = `
const { KernelNeighbours } = await import(process.argv[1]);
const problems = [];
const neighbours = new KernelNeighbours({ guestDevices: ['br-guest'], onProblem: (error) => problems.push(error.message) });
const withoutSys = new KernelNeighbours({ guestDevices: ['br-guest'], sysRoot: '/nowhere' });
let nowMs = 0;
let runs = 0;
const run = async (program, args) => {
  runs += 1;
  const { execFileSync } = await import('node:child_process');
  return execFileSync(program, args, { encoding: 'utf8' });
};
const direct = new KernelNeighbours({ guestDevices: ['br-guest'], monotonicMs: () => nowMs, run });
const lists = [];
for (; nowMs < 10_000; nowMs += 2_000) lists.push(JSON.stringify(await direct.list()));
console.log(JSON.stringify({
  isSteady: lists.every((list) => list === lists[0]),
  runs,
  ipv4: await neighbours.macOf('10.9.0.2'),
  ipv6: await neighbours.macOf('fd09::2'),
  unresolved: await neighbours.macOf('10.9.0.4'),
  list: await neighbours.list(),
  port: await neighbours.portOf('aa:bb:cc:00:00:01'),
  portByTool: await withoutSys.portOf('aa:bb:cc:00:00:01'),
  stranger: (await neighbours.portOf('aa:bb:cc:00:00:77')) ?? null,
  problems,
}));
`;

function probe(): Record<string, unknown> {
  const script = `${SETUP}\nexec "$0" --input-type=module -e "$1" "$2"`;
  const args = ['--net', '--mount', 'sh', '-c', script, process.execPath, PROBE, MODULE];
  return JSON.parse(execFileSync('unshare', args, { encoding: 'utf8' }));
}

t.test(
  'guests are found by both families, without a process once netlink agreed with ip, and the port by sysfs and by the bridge tool',
  (t) => {
    t.same(probe(), {
      isSteady: true,
      runs: 1,
      ipv4: 'aa:bb:cc:00:00:01',
      ipv6: 'aa:bb:cc:00:00:01',
      list: [
        { mac: 'aa:bb:cc:00:00:01', address: '10.9.0.2' },
        { mac: 'aa:bb:cc:00:00:01', address: 'fd09::2' },
      ],
      port: 'two',
      portByTool: 'two',
      stranger: null,
      problems: [],
    });
    t.end();
  },
);
