/**
 * Reads the captures of real ubus traffic in test/vectors/ubus: frames taken byte for byte between the real daemon of
 * OpenWrt 24.10, its command, its services and a raw client. The first line of each file explains the format.
 */
import { readFileSync } from 'node:fs';

export type GoldenFrame = {
  readonly case: string;
  readonly n: number;
  readonly conn: string;
  readonly dir: 'c2s' | 's2c';
  /** The side closed its stream; there is no frame. */
  readonly eof?: true;
  readonly hex?: string;
  /** In place of hex for frames above 200,000 bytes. */
  readonly hexHead?: string;
  readonly hexTail?: string;
  readonly sha256?: string;
  readonly len?: number;
  readonly type?: string;
  readonly seq?: number;
  readonly peer?: number;
  readonly attrs?: readonly (readonly [string, unknown])[];
  readonly malformed?: true;
  /** DATA is not blobmsg: the real command sends such. */
  readonly raw?: true;
};

/** A command line of the real `ubus` in a case, and what it printed. */
export type GoldenRun = {
  readonly cmd: readonly string[];
  readonly stdout: string;
  readonly stderr: string;
  readonly rc: number;
};

export type GoldenCase = {
  readonly name: string;
  readonly runs: readonly GoldenRun[];
  readonly frames: readonly GoldenFrame[];
  readonly connectionAliveAfter?: boolean;
};

export const GOLDEN_FILES = ['ubus-golden.jsonl', 'ubus-golden-openwrt.jsonl'] as const;

/** All cases of one file, in the order of the file. */
export function goldenCases(file: (typeof GOLDEN_FILES)[number]): readonly GoldenCase[] {
  const text = readFileSync(new URL(`../vectors/ubus/${file}`, import.meta.url), 'utf8');
  type Draft = { name: string; runs: GoldenRun[]; frames: GoldenFrame[]; connectionAliveAfter?: boolean };
  const cases = new Map<string, Draft>();
  for (const line of text.split('\n').filter((candidate) => candidate !== '')) {
    const record = JSON.parse(line);
    if (record.case === '_header') continue;
    const entry: Draft = cases.get(record.case) ?? { name: record.case, runs: [], frames: [] };
    cases.set(record.case, entry);
    // Attributes of very large frames are recorded as a remark.
    if (typeof record.attrs === 'string') delete record.attrs;
    if (record.meta === true && Array.isArray(record.runs)) entry.runs.push(...record.runs);
    if (record.meta !== true) entry.frames.push(record);
    else if (typeof record.connectionAliveAfter === 'boolean') entry.connectionAliveAfter = record.connectionAliveAfter;
  }
  return [...cases.values()];
}

/** One case by name. @throws if no file has it */
export function goldenCase(name: string): GoldenCase {
  for (const file of GOLDEN_FILES) {
    const found = goldenCases(file).find((candidate) => candidate.name === name);
    if (found !== undefined) return found;
  }
  throw new Error(`no golden case ${name} in test/vectors/ubus`);
}
