/**
 * What metering costs a forwarded packet: stock router, ours on top of it, and the per-guest rules of openNDS, at 1 to
 * 4,000 paying guests. All three routers stand at once and are measured in turn, so that a drift of the machine hits all;
 * ratios are taken within a round and the median over rounds is reported.
 *
 * The sender of small packets is pinned to one processor and runs the whole path in its own softirq, so the processor time
 * it used is that of its packets; what other work took from it meanwhile does not count.
 */
import { execFileSync } from 'node:child_process';
import { Lab } from '../lab/lab.ts';
import { buildForwardWorld, type ForwardWorld, installPerGuest, SERVER_IP, sellTo } from './forward-world.ts';
import { median, type Report } from './report.ts';

const GUESTS = [1, 10, 100, 1_000, 4_000];
const MEASURES = ['tcp up', 'tcp down', 'small up', 'small down'] as const;
type Measure = (typeof MEASURES)[number];
type Rates = Record<Measure, number>;
type Kind = 'stock' | 'ours' | 'perGuest';
const KINDS: readonly Kind[] = ['stock', 'ours', 'perGuest'];
/** Slices of one measure: many short ones in turn see the same machine; TCP needs a second to get up to speed. */
const ROUNDS = { tcp: 3, small: 7 };
/** About a quarter of a second. What the server sends back is counted by its receiver, who loses some: a second of it. */
const SMALL_PACKETS = 120_000;
const SMALL_BYTES = 18;

export async function benchForward(isQuick: boolean): Promise<Report> {
  const lab = new Lab();
  try {
    const worlds: Record<Kind, ForwardWorld> = {
      stock: await buildForwardWorld(lab, 'a'),
      ours: await buildForwardWorld(lab, 'b'),
      perGuest: await buildForwardWorld(lab, 'p'),
    };
    const ratios = new Map<number, Record<'ours' | 'perGuest', Rates>>();
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

async function measureRatios(worlds: Record<Kind, ForwardWorld>, isQuick: boolean, guests: number) {
  const samples = { ours: emptySamples(), perGuest: emptySamples() };
  for (const measure of MEASURES) {
    const rounds = isQuick ? 1 : measure.startsWith('tcp') ? ROUNDS.tcp : ROUNDS.small;
    for (let round = 0; round < rounds; round++) {
      const rates = {} as Record<Kind, number>;
      // Another order each round: who comes first after an idle moment must not always be the same.
      for (let i = 0; i < KINDS.length; i++) {
        const kind = KINDS[(i + round) % KINDS.length] as Kind;
        const isSlow = kind === 'perGuest' && guests >= 1_000;
        rates[kind] = await rateOf(worlds[kind], measure, isSlow ? SMALL_PACKETS / 20 : SMALL_PACKETS);
      }
      samples.ours[measure].push(rates.ours / rates.stock);
      samples.perGuest[measure].push(rates.perGuest / rates.stock);
    }
  }
  const medians = (own: Record<Measure, number[]>) =>
    Object.fromEntries(MEASURES.map((measure) => [measure, median(own[measure])])) as Rates;
  const result = { ours: medians(samples.ours), perGuest: medians(samples.perGuest) };
  const shown = (rates: Rates) => MEASURES.map((measure) => `${measure} ${rates[measure].toFixed(2)}`).join(', ');
  console.log(
    `${String(guests).padStart(5)} guests   ours: ${shown(result.ours)}   per-guest rules: ${shown(result.perGuest)}`,
  );
  return result;
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

function emptySamples(): Record<Measure, number[]> {
  return { 'tcp up': [], 'tcp down': [], 'small up': [], 'small down': [] };
}

function reportOf(ratios: ReadonlyMap<number, Record<'ours' | 'perGuest', Rates>>): Report {
  const at = (guests: number) => (ratios.get(guests) as Record<'ours' | 'perGuest', Rates>).ours;
  const tcp = (rates: Rates) => (rates['tcp up'] + rates['tcp down']) / 2;
  const small = (rates: Rates) => (rates['small up'] + rates['small down']) / 2;
  const whole = (rates: Rates) => (tcp(rates) + small(rates)) / 2;
  const series = (kind: 'ours' | 'perGuest') =>
    GUESTS.map((guests) => small((ratios.get(guests) as Record<typeof kind, Rates>)[kind]));
  return {
    bench: 'forward',
    checks: [
      { name: 'tcp_ratio_1000', value: tcp(at(1_000)), bar: 0.95, better: 'higher' },
      { name: 'pps_ratio_1000', value: small(at(1_000)), bar: 0.9, better: 'higher' },
      { name: 'flatness_1_to_4000', value: whole(at(4_000)) / whole(at(1)), bar: 0.95, better: 'higher' },
    ],
    notes: [
      `per-guest rules, small packets: ${series('perGuest')
        .map((value) => value.toFixed(2))
        .join(' / ')} at ${GUESTS.join(' / ')} guests`,
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
