/**
 * What metering costs the agent and how exact it is: reading and changing the kernel at 1,000 guests, metered bytes
 * against the guest's own interface, and bytes beyond a quota under flood.
 *
 * Interfaces count layer 2: 14 bytes of Ethernet header for each frame. Neighbours are static and IPv6 autoconfiguration
 * is off, so nothing but the measured traffic crosses the guest's interface.
 */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { SessionGrant } from '../../agent/core/model.ts';
import { Lab } from '../lab/lab.ts';
import { settled, until } from '../lab/wait.ts';
import {
  buildForwardWorld,
  CLIENT_ADDRESSES,
  type ForwardWorld,
  grantFor,
  guestsAround,
  joinSegments,
  planOf,
  SERVER_IP,
  SERVER_IP6,
} from './forward-world.ts';
import { median, type Report } from './report.ts';

const TRAFFIC = fileURLToPath(new URL('traffic-main.ts', import.meta.url));
const PORT = 5300;
const ETHERNET_HEADER = 14n;
const KINDS = ['udp-up', 'udp-down', 'tcp-up', 'tcp-down'];
const QUOTA = 1_000_000n;

export async function benchMeter(isQuick: boolean): Promise<Report> {
  const lab = new Lab();
  try {
    const world = await buildForwardWorld(lab, 'm');
    const server = world.server.start('traffic', [process.execPath, TRAFFIC, 'server', String(PORT)], {
      logFile: lab.path('traffic.log'),
    });
    await until('the traffic server to listen', 5_000, async () => {
      const { stdout } = await world.server.run(['ss', '-Hltn', `sport = :${PORT}`]);
      return stdout.includes(String(PORT)) && server.isAlive() ? true : undefined;
    });
    const exactness = await measureExactness(world);
    const overshoot = await measureOvershoot(world);
    const control = await measureControl(world, isQuick ? 10 : 40);
    return {
      bench: 'meter',
      checks: [
        { name: 'read_cpu_ms_1000', value: control.readCpuMs, bar: 30, better: 'lower' },
        { name: 'admit_ms_p50', value: control.admitMs, bar: 5, better: 'lower' },
        { name: 'topup_ms_p50', value: control.topUpMs, bar: 5, better: 'lower' },
        { name: 'udp_diff_bytes', value: exactness.udpDiffBytes, bar: 0, better: 'lower' },
        { name: 'tcp_diff_bytes_no_gro', value: exactness.tcpDiffBytes, bar: 0, better: 'lower' },
        { name: 'tcp_diff_ratio', value: exactness.tcpGroRatio, bar: 0.036, better: 'lower' },
        { name: 'overshoot_bytes', value: overshoot.most, bar: 0, better: 'lower' },
      ],
      notes: [
        'tcp_diff_ratio: with GRO on the router merges segments and counts one IP and TCP header for many: below the wire, never above',
        `unsold when cut (bytes, ${QUOTA} sold): ${overshoot.unsold.join(', ')}`,
      ],
    };
  } finally {
    await lab.close();
  }
}

/** Metered bytes against the guest's interface, IPv4 and IPv6, both directions. */
async function measureExactness(world: ForwardWorld) {
  // Multicast memberships of the new link are reported in its first seconds (RFC 3810 6.1).
  await settled('the link to fall silent', 2_000, 20_000, () => Promise.resolve(interfaceBytes(world.client.netns)));
  let udpDiffBytes = 0;
  let tcpDiffBytes = 0;
  await joinSegments(world, false);
  for (const kind of KINDS) {
    for (const address of [SERVER_IP, SERVER_IP6]) {
      const { wire, metered } = await meteredAgainstWire(world, kind, address);
      const difference = Math.abs(Number(wire - metered));
      if (kind.startsWith('udp')) udpDiffBytes = Math.max(udpDiffBytes, difference);
      else tcpDiffBytes = Math.max(tcpDiffBytes, difference);
    }
  }
  await joinSegments(world, true);
  const merged = await meteredAgainstWire(world, 'tcp-up', SERVER_IP);
  // A joined packet stands for several headers on the wire: beyond the quota not a byte is sold, but the wire carries them.
  await joinSegments(world, false);
  if (merged.metered > merged.wire) throw new Error(`metered ${merged.metered} above the wire ${merged.wire}`);
  return { udpDiffBytes, tcpDiffBytes, tcpGroRatio: Number(merged.wire - merged.metered) / Number(merged.wire) };
}

async function meteredAgainstWire(world: ForwardWorld, kind: string, address: string) {
  await world.enforcer.reconcile(planOf([]));
  await world.enforcer.reconcile(planOf([clientGrant(1n << 50n)]));
  const before = interfaceBytes(world.client.netns);
  await drive(world, kind, address, 700);
  const after = interfaceBytes(world.client.netns);
  const wire = after.received + after.sent - before.received - before.sent;
  return { wire, metered: await meteredBytes(world) };
}

/** A quota of 1 MB under flood: what reached the two ends together, beyond it. */
async function measureOvershoot(world: ForwardWorld) {
  let most = 0;
  const unsold: number[] = [];
  for (const kind of KINDS) {
    for (const address of [SERVER_IP, SERVER_IP6]) {
      await world.enforcer.reconcile(planOf([]));
      await world.enforcer.reconcile(planOf([clientGrant(QUOTA)]));
      const before = [
        interfaceBytes(world.client.netns).received,
        interfaceBytes(world.server.netns).received,
      ] as const;
      await drive(world, kind, address, 1_500);
      const after = [interfaceBytes(world.client.netns).received, interfaceBytes(world.server.netns).received] as const;
      const passed = after[0] - before[0] + after[1] - before[1];
      if (passed < QUOTA / 2n)
        throw new Error(`${kind} to ${address}: only ${passed} bytes passed; the flood did not work`);
      most = Math.max(most, Number(passed - QUOTA));
      unsold.push(Number(QUOTA - passed));
    }
  }
  return { most: Math.max(0, most), unsold };
}

/** CPU of this process and its nft for one reading, and time until an admission or top-up stands in the kernel. */
async function measureControl(world: ForwardWorld, rounds: number) {
  const guests = guestsAround(1_000).map((guest, i) => grantFor(i + 10, guest));
  await world.enforcer.reconcile(planOf([]));
  await world.enforcer.reconcile(planOf(guests));
  const cpuBefore = cpuMs();
  for (let i = 0; i < rounds; i++) await world.enforcer.read();
  const readCpuMs = (cpuMs() - cpuBefore) / rounds;
  const admitMs: number[] = [];
  const topUpMs: number[] = [];
  for (let i = 0; i < rounds; i++) {
    const newcomer = grantFor(5_000 + i, {
      mac: `02:be:00:02:00:${(i + 16).toString(16)}`,
      address: `10.90.200.${i + 1}`,
    });
    admitMs.push(await timed(() => world.enforcer.reconcile(planOf([...guests, newcomer]))));
    const raised: SessionGrant = { ...newcomer, limitBytes: newcomer.limitBytes + 1_000_000n };
    topUpMs.push(await timed(() => world.enforcer.reconcile(planOf([...guests, raised]))));
    await world.enforcer.reconcile(planOf(guests));
  }
  return { readCpuMs, admitMs: median(admitMs), topUpMs: median(topUpMs) };
}

/** A session's totals are cumulative for its life, so every measurement is a session of its own. */
let sessions = 0;

function clientGrant(limitBytes: bigint): SessionGrant {
  const [client] = guestsAround(1) as [{ mac: string; address: string }];
  sessions += 1;
  const grant = grantFor(sessions, client);
  return {
    ...grant,
    limitBytes,
    stations: grant.stations.map((station) => ({ ...station, addresses: CLIENT_ADDRESSES })),
  };
}

async function drive({ client, server }: ForwardWorld, kind: string, address: string, ms: number): Promise<void> {
  await client.run([process.execPath, TRAFFIC, 'client', address, String(PORT), kind, String(ms)], {
    timeoutMs: 10_000,
  });
  // What was on its way when the client left: both ends fall silent first.
  await settled('the last packets to arrive', 300, 5_000, () =>
    Promise.resolve([interfaceBytes(client.netns), interfaceBytes(server.netns)]),
  );
}

async function meteredBytes({ enforcer }: ForwardWorld): Promise<bigint> {
  const { counters } = await enforcer.read();
  return counters.reduce((sum, { bytes }) => sum + bytes, 0n);
}

function interfaceBytes(netns: string): { received: bigint; sent: bigint } {
  const text = execFileSync('ip', ['-n', netns, '-j', '-s', 'link', 'show', 'eth0'], { encoding: 'utf8' });
  const { rx, tx } = JSON.parse(text)[0].stats64;
  const layer3 = (side: { bytes: number; packets: number }) =>
    BigInt(side.bytes) - ETHERNET_HEADER * BigInt(side.packets);
  return { received: layer3(rx), sent: layer3(tx) };
}

async function timed(work: () => Promise<unknown>): Promise<number> {
  const startedMs = performance.now();
  await work();
  return performance.now() - startedMs;
}

/** This process and all that it started, in milliseconds; the kernel counts children in ticks of 10 ms. */
function cpuMs(): number {
  const own = process.cpuUsage();
  return (own.user + own.system) / 1_000 + childrenCpuMs(process.pid);
}

function childrenCpuMs(pid: number): number {
  const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8')
    .trim()
    .split(' ')
    .filter(Boolean)
    .map(Number);
  return children.reduce((sum, child) => {
    const fields = readFileSync(`/proc/${child}/stat`, 'utf8')
      .replace(/^.*\) /, '')
      .split(' ');
    return sum + (Number(fields[11]) + Number(fields[12])) * 10 + childrenCpuMs(child);
  }, 0);
}
