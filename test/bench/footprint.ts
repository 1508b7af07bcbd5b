/**
 * What the agent costs a router: start, memory, idle processor time and idle disk writes. Measured on the bundle that a
 * router runs, with the packet filter's helper processes counted in.
 */
import { readFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { BUNDLE, buildAgent, DIET_ENVIRONMENT, DIET_FLAGS } from '../../tools/build-agent.ts';
import type { Host } from '../lab/host.ts';
import { Lab } from '../lab/lab.ts';
import { openScene, type Scene } from '../lab/scene.ts';
import { until } from '../lab/wait.ts';
import { median, type Report } from './report.ts';

const GUESTS = 200;
const TICK_MS = 10;
const PORTAL = 'http://192.168.77.1:2080/';
const OPTIONS = {
  price: { trial_bytes: '10MB', trial_bytes_per_day: '10GB' },
  session: { sample_ms: '1000' },
  trial: { per_hour: '4096' },
};

export async function benchFootprint(isQuick: boolean): Promise<Report> {
  await buildAgent();
  const lab = new Lab();
  try {
    const command = ['env', ...DIET_ENVIRONMENT, process.execPath, ...DIET_FLAGS, BUNDLE];
    const scene = await openScene(lab, { guests: 1, options: OPTIONS, command });
    const startMs = await measureStart(scene, isQuick ? 3 : 7);
    // What V8 tidies up after a start is no idle cost.
    await delay(isQuick ? 2_000 : 25_000);
    const idle = await measureIdle(scene, isQuick ? 5_000 : 30_000);
    await admitTrials(scene, GUESTS);
    await delay(3_000);
    const busyMiB = memoryMiB(treeOf(pidOf(scene)));
    const { sessions } = await scene.agent.status();
    if (sessions < GUESTS) throw new Error(`only ${sessions} of ${GUESTS} guests have a session`);
    return {
      bench: 'footprint',
      checks: [
        { name: 'start_ms', value: startMs, bar: 1_000, better: 'lower' },
        { name: 'rss_idle_mib', value: idle.rssMiB, bar: 80, better: 'lower' },
        { name: 'rss_200_guests_mib', value: busyMiB.agent, bar: 110, better: 'lower' },
        { name: 'cpu_idle_pct', value: idle.cpuPercent, bar: 0.5, better: 'lower' },
        { name: 'disk_idle_bytes', value: idle.writtenBytes, bar: 0, better: 'lower' },
      ],
      notes: [
        `of idle memory ${idle.anonymousMiB.toFixed(1)} MiB is anonymous, the rest are pages of files; nft helpers beside it: ${idle.helpersMiB.toFixed(1)} MiB`,
        `with ${GUESTS} guests the nft helpers take ${busyMiB.helpers.toFixed(1)} MiB`,
      ],
    };
  } finally {
    await lab.close();
  }
}

/** From the start of the process to the first page served to a guest. */
async function measureStart(scene: Scene, rounds: number): Promise<number> {
  const { router } = scene.world;
  const times: number[] = [];
  for (let i = 0; i < rounds; i++) {
    await scene.agent.stop();
    const probe = `until curl -s -o /dev/null --max-time 1 ${PORTAL}; do sleep 0.01; done; date +%s%N`;
    const served = router.must(['sh', '-c', probe], { timeoutMs: 20_000 });
    const startedNs = BigInt(await router.must(['date', '+%s%N']));
    await scene.agent.start();
    times.push(Number(BigInt(await served) - startedNs) / 1e6);
  }
  return median(times);
}

async function measureIdle(scene: Scene, ms: number) {
  const agent = pidOf(scene);
  const before = { cpuMs: cpuMs(treeOf(agent)), written: writtenBytes(agent) };
  await delay(ms);
  const after = { cpuMs: cpuMs(treeOf(agent)), written: writtenBytes(agent) };
  const memory = memoryMiB(treeOf(agent));
  return {
    rssMiB: memory.agent,
    helpersMiB: memory.helpers,
    anonymousMiB: statusKiB(agent, 'RssAnon') / 1024,
    cpuPercent: ((after.cpuMs - before.cpuMs) / ms) * 100,
    writtenBytes: Number(after.written - before.written),
  };
}

/** Stations of their own MAC and address behind one bridge port, each of which asks the portal for its trial. */
async function admitTrials({ world }: Scene, count: number): Promise<void> {
  const host = (world.guests[0] as { host: Host }).host;
  const lines: string[] = [
    'ip link set eth0 up',
    'sysctl -qw net.ipv4.conf.all.arp_ignore=1 net.ipv4.conf.all.arp_announce=2',
  ];
  for (let i = 0; i < count; i++) {
    lines.push(
      `ip link add link eth0 name m${i} type macvlan mode private`,
      `ip link set m${i} address 02:cc:00:00:00:${i.toString(16).padStart(2, '0')} up`,
      `ip addr add 192.168.77.${i + 2}/24 dev m${i}`,
    );
  }
  await host.script(lines);
  for (let i = 0; i < count; i++) {
    await until(`guest ${i} to get its trial`, 10_000, async () => {
      const url = ['--interface', `m${i}`, '--max-time', '3', '-H', 'Host: portal.lan', `${PORTAL}api/trial`];
      const body = ['-H', 'content-type: application/json', '-d', '{}'];
      const { stdout } = await host.run(['curl', '-s', '-o', '/dev/null', '-w', '%{http_code}', ...body, ...url]);
      return stdout.startsWith('2') ? true : undefined;
    });
  }
}

function pidOf({ world, agent }: Scene): number {
  const pid = agent.pid;
  if (pid === undefined) throw new Error(`the agent on ${world.router.name} does not run`);
  // `ip netns exec` and setpriv replace themselves by the command, so this is the agent itself.
  return pid;
}

function treeOf(pid: number): number[] {
  const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8')
    .trim()
    .split(' ')
    .filter(Boolean)
    .map(Number);
  return [pid, ...children.flatMap(treeOf)];
}

function memoryMiB(tree: readonly number[]): { agent: number; helpers: number } {
  const [agent, ...helpers] = tree.map((pid) => statusKiB(pid, 'VmRSS') / 1024);
  return { agent: agent ?? 0, helpers: helpers.reduce((sum, value) => sum + value, 0) };
}

function statusKiB(pid: number, field: string): number {
  const match = new RegExp(`^${field}:\\s+(\\d+) kB`, 'm').exec(readFileSync(`/proc/${pid}/status`, 'utf8'));
  return Number(match?.[1] ?? 0);
}

/** Processor time of the processes and of children they have waited for. */
function cpuMs(tree: readonly number[]): number {
  return tree.reduce((sum, pid) => {
    const fields = readFileSync(`/proc/${pid}/stat`, 'utf8')
      .replace(/^.*\) /, '')
      .split(' ');
    return sum + [11, 12, 13, 14].reduce((ticks, i) => ticks + Number(fields[i]), 0) * TICK_MS;
  }, 0);
}

function writtenBytes(pid: number): bigint {
  return BigInt(/^write_bytes: (\d+)$/m.exec(readFileSync(`/proc/${pid}/io`, 'utf8'))?.[1] ?? 0);
}
