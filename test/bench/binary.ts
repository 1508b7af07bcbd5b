/**
 * What a binary costs a router (build/binary of this machine, made by `make binary`, or here without packing): packed size, start to
 * first served request, memory. Started by its launcher, so with the C library beside it.
 */
import { execFileSync } from 'node:child_process';
import { existsSync, globSync, readFileSync, statSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { Lab } from '../lab/lab.ts';
import { openScene, type Scene } from '../lab/scene.ts';
import { median, type Report } from './report.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const NAME = process.arch === 'arm64' ? 'aarch64' : 'x86_64';
const MIB = 2 ** 20;
const PORTAL = 'http://192.168.77.1:2080/';

export async function benchBinary(isQuick: boolean): Promise<Report> {
  const launcher = `${ROOT}build/binary/${NAME}/small/shareagent`;
  if (!existsSync(launcher)) {
    const options = ['--target', NAME, '--weight', 'small', '--no-pack'];
    execFileSync(process.execPath, [`${ROOT}tools/build-binary.ts`, ...options], { stdio: 'ignore' });
  }
  forgetPages(`${ROOT}build/binary/${NAME}/small`);
  const packed = globSync(`${ROOT}build/binary/shareagent-*-${NAME}-small.{squashfs,tar.xz}`);
  const lab = new Lab();
  try {
    const scene = await openScene(lab, { guests: 1, command: [launcher] });
    const starts = await measureStarts(scene, isQuick ? 3 : 7);
    await delay(isQuick ? 2_000 : 20_000);
    const pid = scene.agent.pid ?? 0;
    const sizes = packed.map((path) => statSync(path).size / 1e6);
    return {
      bench: 'binary',
      checks: [
        { name: 'start_ms', value: median(starts), bar: 1_000, better: 'lower' },
        { name: 'rss_idle_mib', value: statusMiB(pid, 'VmRSS'), bar: 85, better: 'lower' },
        { name: 'rss_anonymous_mib', value: statusMiB(pid, 'RssAnon'), bar: 30, better: 'lower' },
        ...(sizes.length === 0
          ? []
          : [{ name: 'packed_mb', value: Math.min(...sizes), bar: 30, better: 'lower' as const }]),
      ],
      notes: [
        `fastest start ${Math.min(...starts).toFixed(0)} ms`,
        ...packed.map((path, i) => `${path.slice(path.lastIndexOf('/') + 1)}: ${sizes[i]?.toFixed(1)} MB`),
        ...(packed.length === 0 ? ['not packed: run make binary first to have packed_mb measured'] : []),
      ],
    };
  } finally {
    await lab.close();
  }
}

/**
 * A router reads the files from flash. Just written ones lie in the page cache in large pieces, which count whole for whoever
 * touches a byte of them: 20 MiB more.
 */
function forgetPages(folder: string): void {
  for (const path of globSync(`${folder}/*`)) {
    execFileSync('dd', [`of=${path}`, 'oflag=nocache', 'conv=notrunc,fdatasync', 'count=0', 'status=none']);
  }
}

/** From the start of the process to the first page served to a guest, in milliseconds. */
async function measureStarts(scene: Scene, rounds: number): Promise<number[]> {
  const { router } = scene.world;
  const times: number[] = [];
  for (let i = 0; i < rounds; i++) {
    await scene.agent.stop();
    const probe = `until curl -s -o /dev/null --max-time 1 ${PORTAL}; do sleep 0.01; done; date +%s%N`;
    const served = router.must(['sh', '-c', probe], { timeoutMs: 30_000 });
    const startedNs = BigInt(await router.must(['date', '+%s%N']));
    await scene.agent.start();
    times.push(Number(BigInt(await served) - startedNs) / 1e6);
  }
  return times;
}

function statusMiB(pid: number, field: string): number {
  const match = new RegExp(`^${field}:\\s+(\\d+) kB`, 'm').exec(readFileSync(`/proc/${pid}/status`, 'utf8'));
  return (Number(match?.[1] ?? Number.NaN) * 1024) / MIB;
}
