/**
 * What a proof costs the collector, against bare native verification in the same process: many in a request, one in a
 * request; two processes against one; the log against bare writes; ten thousand routers that come back at once.
 *
 * By processor time of the collector, because other work on this machine takes wall time from everything. Each proof has one
 * session, as a real one has at least, so two signatures are checked for it; the ratios are of signatures. Measured is a
 * collector that has worked until V8 has compiled what is hot (the threads that compile take a tenth until then): bare
 * verification has nothing to compile, and a collector stays up for months. What the first proofs after a start cost is told
 * beside it.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { SegmentLog } from '../../fleet/segment-log.ts';
import { loadSignatures } from '../../fleet/signatures.ts';
import { BenchCollector } from './ingest-clients.ts';
import { type Load, makeLoad, SIGNATURES_PER_PROOF } from './ingest-load.ts';
import { median, type Report } from './report.ts';

type Rate = { readonly perCpuS: number; readonly perS: number };

const DEVICES = 500;
const PROOFS_PER_POST = 250;
const ROUTERS = 10_000;
/**
 * Intervals of each device in the loads of a round, each of devices of its own: `first` shows what a start costs, `settle` is not
 * measured.
 */
const INTERVALS = {
  first: 8,
  firstSingle: 8,
  settleSingle: 8,
  settle: 16,
  settleB: 24,
  bulk: 8,
  single: 16,
  left: 8,
  right: 8,
} as const;
type Part = keyof typeof INTERVALS;
type Loads = Readonly<Record<Part, readonly Load[]>>;

export async function benchIngest(isQuick: boolean): Promise<Report> {
  const directory = mkdtempSync(join(tmpdir(), 'ssp-ingest-'));
  try {
    const { sign } = await loadSignatures();
    const startS = BigInt(Math.floor(Date.now() / 1000)) - 30n * 86_400n;
    const rounds = isQuick ? 1 : 3;
    const parts = Object.entries(INTERVALS);
    const makeRound = (round: number): Loads =>
      Object.fromEntries(
        parts.map(([part, intervals], i) => [
          part,
          makeLoad((round * parts.length + i) * DEVICES, DEVICES, intervals, startS, sign),
        ]),
      ) as Loads;
    const all: (Ratios & { readonly note: string })[] = [];
    for (let round = 0; round < rounds; round++)
      all.push(await measureRound(join(directory, `round-${round}`), makeRound(round)));
    const appends = await appendRatio(join(directory, 'append'), isQuick ? 40 : 200);
    const back = await reconnect(join(directory, 'back'), makeLoad(100_000, ROUTERS, 1, startS, sign));
    const of = (key: keyof Ratios) => median(all.map((one) => one[key]));
    return {
      bench: 'ingest',
      checks: [
        { name: 'bulk_ratio', value: of('bulk'), bar: 0.6, better: 'higher' },
        { name: 'single_ratio', value: of('single'), bar: 0.3, better: 'higher' },
        { name: 'two_process_ratio', value: of('two'), bar: 1.7, better: 'higher' },
        { name: 'append_ratio', value: appends.ratio, bar: 0.8, better: 'higher' },
        { name: 'reconnect_s', value: back.seconds, bar: 60, better: 'lower' },
      ],
      notes: [
        'by processor time of the collector; two signatures a proof (router, guest), and ratios of signatures',
        ...all.map(({ note }) => note),
        `append of 100 frames of 700 bytes: ${appends.framesPerS.toFixed(0)} frames a second by the clock`,
        `${ROUTERS} routers, a connection each, plain HTTP: ${back.requests} requests, ${back.cpuS.toFixed(1)} s of the collector's processor, none lost`,
      ],
    };
  } finally {
    rmSync(directory, { recursive: true });
  }
}

type Ratios = { readonly bulk: number; readonly single: number; readonly two: number };

async function measureRound(directory: string, loads: Loads) {
  const [a, b] = await Promise.all([
    BenchCollector.start(join(directory, 'a')),
    BenchCollector.start(join(directory, 'b')),
  ]);
  const bulkOf = (collector: BenchCollector, load: readonly Load[]) =>
    collector.measure(load.length, () => collector.bulk(load, PROOFS_PER_POST));
  const singlesOf = (load: readonly Load[]) => a.measure(load.length, () => a.singles(load));
  try {
    const cold = [await bulkOf(a, loads.first), await singlesOf(loads.firstSingle)];
    await singlesOf(loads.settleSingle);
    await bulkOf(a, loads.settle);
    await bulkOf(b, loads.settleB);
    const before = await a.ask('raw');
    const alone = await bulkOf(a, loads.bulk);
    const middle = await a.ask('raw');
    const singly = await singlesOf(loads.single);
    const after = await a.ask('raw');
    const both = await Promise.all([bulkOf(a, loads.left), bulkOf(b, loads.right)]);
    const together = both.reduce((sum, { perCpuS }) => sum + perCpuS, 0);
    return {
      bulk: (alone.perCpuS * SIGNATURES_PER_PROOF) / ((before + middle) / 2),
      single: (singly.perCpuS * SIGNATURES_PER_PROOF) / ((middle + after) / 2),
      two: together / alone.perCpuS,
      note:
        `${a.backend} verifies ${rate(before)}; bulk ${proofs(alone)}; single ${proofs(singly)}; ` +
        `two processes ${both.map(proofs).join(' and ')}; first after a start: ${cold.map(proofs).join(', singly ')}`,
    };
  } finally {
    await Promise.all([a.stop(), b.stop()]);
  }
}

/** The log against a bare write and fdatasync of the same bytes, turn by turn. */
async function appendRatio(directory: string, turns: number): Promise<{ ratio: number; framesPerS: number }> {
  const frames = Array.from({ length: 100 }, (_, i) => new Uint8Array(700).fill(i));
  const bytes = Buffer.concat(frames.map((frame) => Buffer.concat([Buffer.alloc(8), frame])));
  const log = await SegmentLog.open({ directory });
  const file = await open(join(directory, 'bare'), 'w');
  const logMs: number[] = [];
  const bareMs: number[] = [];
  for (let turn = 0; turn < turns; turn++) {
    const startedMs = performance.now();
    await file.write(bytes, 0, bytes.length, turn * bytes.length);
    await file.datasync();
    const betweenMs = performance.now();
    await log.appendAll(frames);
    bareMs.push(betweenMs - startedMs);
    logMs.push(performance.now() - betweenMs);
  }
  await file.close();
  await log.close();
  return { ratio: median(bareMs) / median(logMs), framesPerS: 100_000 / median(logMs) };
}

/** @throws if an acknowledged proof is not in the log, or is there twice */
async function reconnect(directory: string, load: readonly Load[]) {
  const collector = await BenchCollector.start(directory);
  try {
    let requests = 0;
    const startedMs = performance.now();
    const { perCpuS } = await collector.measure(load.length, async () => {
      requests = await collector.reconnect(load);
    });
    const seconds = (performance.now() - startedMs) / 1000;
    const kept = await collector.ask('digests');
    const wanted = new Set<string>(load.map(({ digest }) => digest));
    const lost = load.length - kept.filter((digest) => wanted.has(digest)).length;
    if (lost !== 0 || kept.length !== wanted.size) throw new Error(`${lost} proofs lost, ${kept.length} kept`);
    return { seconds, requests, cpuS: load.length / perCpuS };
  } finally {
    await collector.stop();
  }
}

function proofs({ perCpuS, perS }: Rate): string {
  return `${perCpuS.toFixed(0)} proofs a cpu-second (${perS.toFixed(0)} a second)`;
}

function rate(perCpuS: number): string {
  return `${perCpuS.toFixed(0)} a cpu-second`;
}
