/**
 * `fleet simulate`: real signed proofs of many routers over real HTTP, with lies among them; every verdict is checked.
 *
 *   fleet simulate [--routers 10000] [--minutes 5] [--interval 60] [--lies replay=0.01,..] [--unknown 0.001] [--seed 1]
 *
 * Starts a collector of its own. With --collector URL, --key ADDRESS and --run NAME it drives one that runs elsewhere, after
 * --devices FILE has written down which devices that one must know.
 */
import { randomBytes } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { type Address, parseAddress } from '../protocol/address.ts';
import type { CollectorDeployment } from './judge-proof.ts';
import type { CommandOutput } from './rewards-command.ts';
import { startOwnCollector } from './simulate-collector.ts';
import { poster } from './simulate-post.ts';
import { LIES, type Lie, SimulatedRouter } from './simulate-router.ts';
import { type Progress, Simulation, type SimulationResult } from './simulate-run.ts';
import { type FastSigner, fastestSigner } from './simulate-signer.ts';

export const SIMULATE_USAGE = `usage: fleet simulate [--routers N] [--minutes M] [--interval SECONDS] [--lies NAME=PART,..] [--unknown PART]
                      [--connections N] [--seed N] [--json]
                      [--devices FILE --run NAME]                        write the devices of a run and stop
                      [--collector URL --key ADDRESS --run NAME]         drive a collector that knows them
lies: ${LIES.join(', ')}; each 0.01 unless given`;

type Options = {
  readonly routers: number;
  readonly durationMs: number;
  readonly intervalMs: number;
  readonly rates: Readonly<Record<Lie, number>>;
  readonly unknown: number;
  readonly connections: number;
  readonly seed: number;
  readonly isJson: boolean;
  readonly run: string;
  readonly devicesFile: string | undefined;
  readonly remote: { readonly url: string; readonly collector: Address } | undefined;
};

class UsageError extends Error {}

const DEFAULT_RATE = 0.01;
/** Of its own collector: nothing is settled on this chain. */
const DEPLOYMENT: CollectorDeployment = {
  chainId: 31_337n,
  channels: '0x00000000000000000000000000000000000000c1',
  registry: '0x00000000000000000000000000000000000000d1',
};
const DAY_S = 86_400n;
const READ_BACK = 200;

/** Exit code: 0 every verdict right, 1 some wrong, 2 wrong arguments. */
export async function simulateCommand(args: readonly string[], output: CommandOutput): Promise<0 | 1 | 2> {
  try {
    return await run(optionsFrom(args), output);
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    output.note(`${error.message}\n${SIMULATE_USAGE}`);
    return 2;
  }
}

async function run(options: Options, output: CommandOutput): Promise<0 | 1> {
  const signer = fastestSigner();
  const random = mulberry32(options.seed);
  const { routers, enrolled } = makeRouters(options, signer, random);
  if (options.devicesFile !== undefined) {
    writeFileSync(options.devicesFile, `${JSON.stringify(enrolled.map((address) => ({ address })))}\n`);
    output.print(`${enrolled.length} devices of run ${options.run} written to ${options.devicesFile}`);
    return 0;
  }
  output.note(`${routers.length} routers, signed by ${signer.name}, seed ${options.seed}, run ${options.run}`);
  const own = options.remote === undefined ? await startOwnCollector(DEPLOYMENT, enrolled) : undefined;
  const { url, collector } = own ?? (options.remote as { url: string; collector: Address });
  const http = poster(url, options.connections, own?.ended);
  try {
    const simulation = new Simulation(
      {
        ...options,
        deployment: DEPLOYMENT,
        collector,
        routers,
        random,
        checkEvery: 20,
        readBack: READ_BACK,
        onProgress: (progress) => output.note(progressText(progress, options.durationMs)),
      },
      http,
    );
    const result = await simulation.run();
    output.print(options.isJson ? jsonOf(result) : summaryText(result));
    return result.wrong === 0 ? 0 : 1;
  } finally {
    http.close();
    await own?.stop();
  }
}

function makeRouters(
  { routers: count, unknown, run: name }: Options,
  signer: FastSigner,
  random: () => number,
): { readonly routers: readonly SimulatedRouter[]; readonly enrolled: readonly Address[] } {
  const startS = BigInt(Math.floor(Date.now() / 1000)) - DAY_S;
  const deps = { deployment: DEPLOYMENT, signer, random };
  const enrolled: Address[] = [];
  const unknownCount = Math.round(count * unknown);
  const routers = Array.from({ length: count }, (_, i) => {
    const isEnrolled = i < count - unknownCount;
    const router = new SimulatedRouter(deps, name, i, startS, isEnrolled);
    if (isEnrolled) enrolled.push(router.address);
    return router;
  });
  return { routers, enrolled };
}

export function progressText({ elapsedMs, sent, wrong, waiting, p99Ms }: Progress, durationMs: number): string {
  const done = Math.min(1, elapsedMs / durationMs);
  const bar = '#'.repeat(Math.round(done * 20)).padEnd(20, '.');
  const perS = Math.round(sent / Math.max(0.001, elapsedMs / 1000));
  return `[${bar}] ${Math.round(elapsedMs / 1000)} s  ${sent} proofs (${perS}/s)  ${wrong} wrong  ${waiting} waiting  p99 ${Math.round(p99Ms)} ms`;
}

export function summaryText(result: SimulationResult): string {
  const { tallies, sent, wrong, examples, retries, elapsedMs, latencyMs, signaturesChecked, readBack } = result;
  const rows = [['what routers did', 'sent', 'as it must be', 'verdicts']];
  for (const [deed, { sent: count, right, got }] of [...tallies].sort(([a], [b]) => (a < b ? -1 : 1))) {
    const verdicts = [...got].map(([verdict, times]) => `${verdict} ${times}`).join(', ');
    rows.push([deed, String(count), String(right), verdicts]);
  }
  const widths = [0, 1, 2].map((i) => Math.max(...rows.map((row) => (row[i] as string).length)));
  const ms = (value: number): string => `${Math.round(value)} ms`;
  return [
    ...rows.map(([deed = '', count = '', right = '', verdicts = '']) =>
      [deed.padEnd(widths[0] ?? 0), count.padStart(widths[1] ?? 0), right.padStart(widths[2] ?? 0), verdicts].join(
        '  ',
      ),
    ),
    '',
    `${sent} proofs in ${Math.round(elapsedMs / 1000)} s (${Math.round(sent / (elapsedMs / 1000))}/s), ${retries} sent again when asked to wait`,
    `answer p50 ${ms(latencyMs.p50)}, p99 ${ms(latencyMs.p99)}, longest ${ms(latencyMs.max)}; ${signaturesChecked} receipt signatures checked`,
    `read back: ${readBack.proofs} acknowledged proofs of ${readBack.routers} routers, ${readBack.missing} missing, double or changed`,
    ...examples.map((example) => `WRONG: ${example}`),
    wrong === 0 ? 'every verdict is as it must be' : `${wrong} answers are not as they must be`,
  ].join('\n');
}

function jsonOf(result: SimulationResult): string {
  const tallies = [...result.tallies].map(([deed, { sent, right, got }]) => ({
    deed,
    sent,
    right,
    verdicts: Object.fromEntries(got),
  }));
  return JSON.stringify({ ...result, tallies, ok: result.wrong === 0 });
}

function optionsFrom(args: readonly string[]): Options {
  const text = { type: 'string' } as const;
  const names = ['routers', 'minutes', 'interval', 'lies', 'unknown', 'connections', 'seed', 'run', 'devices'] as const;
  const options = { ...Object.fromEntries(names.map((name) => [name, text])), collector: text, key: text };
  let values: Record<string, string | boolean | undefined>;
  try {
    values = parseArgs({ args: [...args], options: { ...options, json: { type: 'boolean' } } }).values;
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error));
  }
  const number = (name: string, fallback: number, min: number, max: number): number => {
    const value = values[name] === undefined ? fallback : Number(values[name]);
    if (value >= min && value <= max) return value;
    throw new UsageError(`--${name} must be a number from ${min} to ${max}, got ${values[name]}`);
  };
  return {
    routers: Math.round(number('routers', 10_000, 1, 1_000_000)),
    durationMs: number('minutes', 5, 0.001, 10_000) * 60_000,
    intervalMs: number('interval', 60, 0.01, 86_400) * 1000,
    rates: ratesFrom(values['lies'] as string | undefined),
    unknown: number('unknown', 0.001, 0, 1),
    connections: Math.round(number('connections', 256, 1, 10_000)),
    seed: Math.round(number('seed', 1, 0, 4_294_967_295)),
    isJson: values['json'] === true,
    // A new run has new devices: a collector remembers the proofs of old ones.
    run: (values['run'] as string | undefined) ?? randomBytes(8).toString('hex'),
    devicesFile: values['devices'] as string | undefined,
    remote: remoteFrom(values['collector'] as string | undefined, values['key'] as string | undefined, values['run']),
  };
}

function remoteFrom(url: string | undefined, key: string | undefined, runName: unknown): Options['remote'] {
  if (url === undefined) return undefined;
  const collector = parseAddress(key);
  if (!URL.canParse(url) || collector === undefined || runName === undefined) {
    throw new UsageError('--collector URL needs --key ADDRESS (whose receipts count) and --run NAME (which devices)');
  }
  return { url, collector };
}

function ratesFrom(text: string | undefined): Readonly<Record<Lie, number>> {
  const rates = Object.fromEntries(LIES.map((lie) => [lie, DEFAULT_RATE])) as Record<Lie, number>;
  for (const part of text?.split(',') ?? []) {
    const [name = '', value = ''] = part.split('=');
    const lie = LIES.find((known) => known === name);
    const rate = Number(value);
    if (lie === undefined || value === '' || !(rate >= 0 && rate <= 1)) {
      throw new UsageError(`--lies: "${part}" must be one of ${LIES.join(', ')}, = and a part from 0 to 1`);
    }
    rates[lie] = rate;
  }
  const all = Object.values(rates).reduce((sum, rate) => sum + rate, 0);
  if (all > 1) throw new UsageError(`--lies: all parts together must be at most 1, got ${all}`);
  return rates;
}

/** 32 bits of state: enough to choose lies, and the same on every machine. */
function mulberry32(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let z = Math.imul(state ^ (state >>> 15), 1 | state);
    z = (z + Math.imul(z ^ (z >>> 7), 61 | z)) ^ z;
    return ((z ^ (z >>> 14)) >>> 0) / 4_294_967_296;
  };
}
