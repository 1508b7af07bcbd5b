/**
 * What metering costs a forwarded packet: stock router, ours on top of it, and the per-guest rules of openNDS, at 1 to
 * 4,000 paying guests; at 1,000 also the least that nftables can do and still sell (bare-rules.ts). All routers stand at once and are measured in turn, so that a drift of the machine hits all.
 * TCP: ratios are taken within a round and the median over rounds is reported.
 *
 * The sender of small packets is pinned to one processor and runs the whole path in its own softirq, so the processor time
 * it used is that of its packets; what other work took from it meanwhile does not count, but what slows the processor down does
 * (the other thread of its core, caches that others filled), by half and for seconds. So many short slices are taken, and a quarter
 * of them, the least disturbed ones, say what a packet costs: the same share for each router.
 */
import { execFileSync } from 'node:child_process';
import { Lab } from '../lab/lab.ts';
import {
  buildForwardWorld,
  type ForwardWorld,
  installBare,
  installPerGuest,
  SERVER_IP,
  sellTo,
} from './forward-world.ts';
import { median, type Report } from './report.ts';

const GUESTS = [1, 10, 100, 1_000, 4_000];
const MEASURES = ['tcp up', 'tcp down', 'small up', 'small down'] as const;
type Measure = (typeof MEASURES)[number];
type Rates = Record<Measure, number>;
type Ratios = { readonly ours: Rates; readonly perGuest: Rates; readonly bare: Partial<Rates> };
type Kind = 'stock' | 'ours' | 'perGuest' | 'bare';
type Compared = Exclude<Kind, 'stock'>;
const KINDS: readonly Kind[] = ['stock', 'ours', 'perGuest'];
/** The floor is measured where the bar is, for what it says about the bar. */
const KINDS_AT_BAR: readonly Kind[] = [...KINDS, 'bare'];
/** Slices of one measure: many short ones in turn see the same machine; TCP needs a second to get up to speed. */
const ROUNDS = { tcp: 3, small: 7 };
/** At the number of guests where the bars are. */
const ROUNDS_AT_BAR = { tcp: 7, small: 25 };
const BAR_GUESTS = 1_000;
/** About 0.15 seconds. What the server sends back is counted by its receiver, who loses some: a second of it. */
const SMALL_PACKETS = 40_000;
/** Its packets cost ten times as much, and its ratio needs no second digit: a few slices of fewer packets. */
const SLOW = { packets: 6_000, rounds: 3 };
const SMALL_BYTES = 18;

export async function benchForward(isQuick: boolean): Promise<Report> {
  const lab = new Lab();
  try {
    const worlds: Record<Kind, ForwardWorld> = {
      stock: await buildForwardWorld(lab, 'a'),
      ours: await buildForwardWorld(lab, 'b'),
      perGuest: await buildForwardWorld(lab, 'p'),
      bare: await buildForwardWorld(lab, 'm'),
    };
    await installBare(worlds.bare, BAR_GUESTS);
    const ratios = new Map<number, Ratios>();
    for (const guests of GUESTS) {
      await sellTo(worlds.ours, guests);
      await installPerGuest(worlds.perGuest, guests);
      ratios.set(guests, await measureRatios(worlds, isQuick, guests));
    }
    return reportOf(ratios);
  } finally {
    await lab.close();
  }
}

async function measureRatios(worlds: Record<Kind, ForwardWorld>, isQuick: boolean, guests: number): Promise<Ratios> {
  const result: Record<Compared, Rates> = { ours: {} as Rates, perGuest: {} as Rates, bare: {} as Rates };
  for (const measure of MEASURES) {
    const rates = await measureInTurn(worlds, measure, isQuick ? 1 : roundsOf(measure, guests), guests);
    for (const kind of ['ours', 'perGuest', 'bare'] as const) {
      if (rates[kind].length === 0) continue;
      result[kind][measure] = measure.startsWith('tcp')
        ? median(rates[kind].map((rate, round) => rate / (rates.stock[round] as number)))
        : upperQuartile(rates[kind]) / upperQuartile(rates.stock);
    }
  }
  const shown = (rates: Rates) => MEASURES.map((measure) => `${measure} ${rates[measure].toFixed(2)}`).join(', ');
  console.log(
    `${String(guests).padStart(5)} guests   ours: ${shown(result.ours)}   per-guest rules: ${shown(result.perGuest)}`,
  );
  return result;
}

/** What each router did in each round. */
async function measureInTurn(
  worlds: Record<Kind, ForwardWorld>,
  measure: Measure,
  rounds: number,
  guests: number,
): Promise<Record<Kind, number[]>> {
  const rates: Record<Kind, number[]> = { stock: [], ours: [], perGuest: [], bare: [] };
  const kinds = guests === BAR_GUESTS && !measure.startsWith('tcp') ? KINDS_AT_BAR : KINDS;
  for (let round = 0; round < rounds; round++) {
    // Another order each round: who comes first after an idle moment must not always be the same.
    for (let i = 0; i < kinds.length; i++) {
      const kind = kinds[(i + round) % kinds.length] as Kind;
      const isSlow = kind === 'perGuest' && guests >= 1_000 && !measure.startsWith('tcp');
      if (isSlow && round >= SLOW.rounds) continue;
      rates[kind].push(await rateOf(worlds[kind], measure, isSlow ? SLOW.packets : SMALL_PACKETS));
    }
  }
  return rates;
}

function roundsOf(measure: Measure, guests: number): number {
  const rounds = guests === BAR_GUESTS ? ROUNDS_AT_BAR : ROUNDS;
  return measure.startsWith('tcp') ? rounds.tcp : rounds.small;
}

/** A quarter of the rates are above it. */
function upperQuartile(rates: readonly number[]): number {
  return rates.toSorted((a, b) => b - a)[Math.floor(rates.length / 4)] as number;
}

/** Bits per second of TCP, or small packets per second of the sender's processor time. */
async function rateOf({ client, server }: ForwardWorld, measure: Measure, packets: number): Promise<number> {
  const isUp = measure.endsWith('up');
  const common = ['iperf3', '-c', SERVER_IP, '-p', '5201', '-J', ...(isUp ? [] : ['-R'])];
  if (measure.startsWith('tcp')) {
    const text = await client.must([...common, '-t', '1.5', '-O', '0.3', '-P', '4'], { timeoutMs: 30_000 });
    return JSON.parse(text).end.sum_received.bits_per_second;
  }
  const receiver = isUp ? server : client;
  const before = packetsReceived(receiver.netns);
  const amount = isUp ? ['-k', String(packets)] : ['-t', '1'];
  const flood = ['-u', '-b', '0', '-l', String(SMALL_BYTES), ...amount];
  const text = await client.must(['taskset', '-c', '0', ...common, ...flood], { timeoutMs: 30_000 });
  const after = packetsReceived(receiver.netns);
  const { sum, cpu_utilization_percent: cpu } = JSON.parse(text).end;
  return (after - before) / ((sum.seconds * (isUp ? cpu.host_total : cpu.remote_total)) / 100);
}

/** Of the sender's pinned processor nothing is lost when the receiving socket is full: the interface counts what came. */
function packetsReceived(netns: string): number {
  const text = execFileSync('ip', ['-n', netns, '-j', '-s', 'link', 'show', 'eth0'], { encoding: 'utf8' });
  return JSON.parse(text)[0].stats64.rx.packets;
}

function reportOf(ratios: ReadonlyMap<number, Ratios>): Report {
  const ratiosAt = (guests: number) => ratios.get(guests) as Ratios;
  const at = (guests: number) => ratiosAt(guests).ours;
  const tcp = (rates: Rates) => (rates['tcp up'] + rates['tcp down']) / 2;
  const small = (rates: Rates) => (rates['small up'] + rates['small down']) / 2;
  const whole = (rates: Rates) => (tcp(rates) + small(rates)) / 2;
  const series = (kind: 'ours' | 'perGuest') => GUESTS.map((guests) => small(ratiosAt(guests)[kind]));
  return {
    bench: 'forward',
    checks: [
      { name: 'tcp_ratio_1000', value: tcp(at(BAR_GUESTS)), bar: 0.95, better: 'higher' },
      { name: 'pps_ratio_1000', value: small(at(BAR_GUESTS)), bar: 0.9, better: 'higher' },
      { name: 'flatness_1_to_4000', value: whole(at(4_000)) / whole(at(1)), bar: 0.95, better: 'higher' },
    ],
    notes: [
      `per-guest rules, small packets: ${series('perGuest')
        .map((value) => value.toFixed(2))
        .join(' / ')} at ${GUESTS.join(' / ')} guests`,
      `the least that nftables can do and still sell, small packets at 1,000: ${small(ratiosAt(BAR_GUESTS).bare as Rates).toFixed(3)}`,
    ],
    plot: {
      title: 'Small packets forwarded, relative to a stock router',
      xLabel: 'paying guests',
      yLabel: 'ratio',
      x: GUESTS,
      lines: [
        { name: 'ShareAgent', y: series('ours') },
        { name: 'per-guest rules', y: series('perGuest') },
      ],
    },
  };
}
