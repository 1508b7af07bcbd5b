/** What a benchmark reports: named figures against bars, as a table for people and one line of JSON for scripts. */
import { cpus, totalmem } from 'node:os';

export type Check = {
  readonly name: string;
  readonly value: number;
  readonly bar: number;
  /** Which side of the bar is good. */
  readonly better: 'higher' | 'lower';
};

export type Report = {
  readonly bench: string;
  readonly checks: readonly Check[];
  /** Figures without a bar, shown beside the checks. */
  readonly notes?: readonly string[];
  /** Measured points for test/bench/plot.ts. */
  readonly plot?: Plot;
};

export type Plot = {
  readonly title: string;
  readonly xLabel: string;
  readonly yLabel: string;
  readonly x: readonly number[];
  readonly lines: readonly { readonly name: string; readonly y: readonly number[] }[];
};

export function isMet({ value, bar, better }: Check): boolean {
  return better === 'higher' ? value >= bar : value <= bar;
}

export function reportJson({ bench, checks }: Report): string {
  const rows = checks.map((check) => ({ ...check, value: rounded(check.value), ok: isMet(check) }));
  const machine = {
    cpu: cpus()[0]?.model ?? 'unknown',
    cores: cpus().length,
    memoryMiB: Math.round(totalmem() / 2 ** 20),
    node: process.version,
  };
  return JSON.stringify({ bench, machine, checks: rows, ok: rows.every(({ ok }) => ok) });
}

export function reportTable({ bench, checks, notes = [] }: Report): string {
  const width = Math.max(...checks.map(({ name }) => name.length));
  const rows = checks.map((check) => {
    const sign = check.better === 'higher' ? '>=' : '<=';
    return `  ${check.name.padEnd(width)}  ${String(rounded(check.value)).padStart(12)}  ${sign} ${String(check.bar).padEnd(10)} ${isMet(check) ? 'ok' : 'MISSED'}`;
  });
  return [`bench ${bench}`, ...rows, ...notes.map((note) => `  ${note}`)].join('\n');
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  if (sorted.length === 0) throw new RangeError('a median needs at least one value');
  return sorted.length % 2 === 1
    ? (sorted[middle] as number)
    : ((sorted[middle - 1] as number) + (sorted[middle] as number)) / 2;
}

function rounded(value: number): number {
  return Number(value.toPrecision(6));
}
