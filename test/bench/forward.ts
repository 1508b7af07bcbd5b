/**
 * What metering costs a forwarded packet: stock router, ours on top of it, and the per-guest rules of openNDS, at 1 to
 * 4,000 paying guests; at 1,000 also the least that nftables can do and still sell (bare-rules.ts). All routers stand at once and a
 * sender changes from one to the next every millisecond, so that a drift of the machine hits all.
 *
 * Rates are per second of the processor that does all the work (packet-sender.c), as in a router with one: small packets each, and
 * one TCP stream. Routers join the segments of a stream (GRO) as stock ones do; without it, each segment on its own, is shown beside.
 */
import { Lab } from '../lab/lab.ts';
import {
  buildForwardWorld,
  type ForwardWorld,
  installBare,
  installPerGuest,
  joinSegments,
  sellTo,
} from './forward-world.ts';
import { PacketSender, type Traffic } from './packet-sender.ts';
import { median, type Report } from './report.ts';

const GUESTS = [1, 10, 100, 1_000, 4_000];
/** At the number of guests where the bars are. */
const BAR_GUESTS = 1_000;
const MEASURES = ['tcp up', 'tcp down', 'small up', 'small down'] as const;
type Measure = (typeof MEASURES)[number];
type Rates = Record<Measure, number>;
type Kind = 'ours' | 'perGuest' | 'bare';
type Ratios = { readonly ours: Rates; readonly perGuest: Rates; readonly bare?: Rates };
type Worlds = Record<'stock' | Kind, ForwardWorld>;

/** A third of a millisecond, and what fits into a receiver's buffer. */
const SMALL = { kind: 'udp', units: 100, batches: 2_000 } as const;
/** A sixth of a millisecond: a longer one is handed over to ksoftirqd at times. */
const STREAM = { kind: 'tcp', units: 128, batches: 1_000 } as const;
/** Per-guest rules cost up to thirty times as much, and their ratio needs no third digit. */
const SLOW_SHARE = 0.1;
/** Each measure is taken this often, the median counts: a router's memory lies better or worse in the cache for a while. */
const ROUNDS = 3;
const ROUNDS_AT_BAR = 7;

export async function benchForward(isQuick: boolean): Promise<Report> {
  const lab = new Lab();
  try {
    const sender = new PacketSender(lab);
    const worlds: Worlds = {
      stock: await buildForwardWorld(lab, 'a'),
      ours: await buildForwardWorld(lab, 'b'),
      perGuest: await buildForwardWorld(lab, 'p'),
      bare: await buildForwardWorld(lab, 'm'),
    };
    await installBare(worlds.bare, BAR_GUESTS);
    const ratios = new Map<number, Ratios>();
    let unjoined: Rates | undefined;
    for (const guests of GUESTS) {
      await sellTo(worlds.ours, guests);
      await installPerGuest(worlds.perGuest, guests);
      const rounds = isQuick ? 1 : guests === BAR_GUESTS ? ROUNDS_AT_BAR : ROUNDS;
      ratios.set(guests, ratiosOf(sender, worlds, rounds, guests === BAR_GUESTS));
      show(`${String(guests).padStart(5)} guests`, ratios.get(guests) as Ratios);
      if (guests !== BAR_GUESTS) continue;
      for (const world of Object.values(worlds)) await joinSegments(world, false);
      unjoined = ratesOf(sender, worlds.stock, [worlds.ours], rounds)[0] as Rates;
      for (const world of Object.values(worlds)) await joinSegments(world, true);
    }
    return reportOf(ratios, unjoined as Rates);
  } finally {
    await lab.close();
  }
}

function ratiosOf(sender: PacketSender, worlds: Worlds, rounds: number, hasBare: boolean): Ratios {
  const compared = [worlds.ours, ...(hasBare ? [worlds.bare] : [])];
  const [ours, bare] = ratesOf(sender, worlds.stock, compared, rounds) as [Rates, Rates?];
  const [perGuest] = ratesOf(sender, worlds.stock, [worlds.perGuest], 1, SLOW_SHARE) as [Rates];
  return { ours, perGuest, ...(bare === undefined ? {} : { bare }) };
}

/** What each of `worlds` forwards, relative to `stock`; `share` of the usual number of batches. */
function ratesOf(
  sender: PacketSender,
  stock: ForwardWorld,
  worlds: readonly ForwardWorld[],
  rounds: number,
  share = 1,
): Rates[] {
  const all = worlds.map(() => ({}) as Rates);
  for (const measure of MEASURES) {
    const kind = measure.startsWith('tcp') ? STREAM : SMALL;
    const direction = measure.endsWith('up') ? 'up' : 'down';
    const traffic: Traffic = { ...kind, direction, batches: Math.ceil(kind.batches * share) };
    const costs = Array.from({ length: rounds }, () => sender.costs(traffic, [stock, ...worlds]));
    for (const [i, rates] of all.entries())
      rates[measure] = median(costs.map((round) => (round[0] as number) / (round[i + 1] as number)));
  }
  return all;
}

function show(label: string, { ours, perGuest }: Ratios): void {
  const shown = (rates: Rates) => MEASURES.map((measure) => `${measure} ${rates[measure].toFixed(3)}`).join(', ');
  console.log(`${label}   ours: ${shown(ours)}   per-guest rules: ${shown(perGuest)}`);
}

function reportOf(ratios: ReadonlyMap<number, Ratios>, unjoined: Rates): Report {
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
      `without GRO, TCP at 1,000: ${tcp(unjoined).toFixed(3)}`,
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
