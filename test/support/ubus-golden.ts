/**
 * Reads the captures of real ubus traffic in test/vectors/ubus: frames taken byte for byte between the real daemon of
 * OpenWrt 24.10, its command, its services and a raw client. The first line of each file explains the format.
 */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { BlobWriter } from '../../openwrt/node-openwrt-ubus/src/blob.ts';
import { bytesFromMessage, MessageType } from '../../openwrt/node-openwrt-ubus/src/message.ts';

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

/**
 * Bytes of a recorded frame. The two that were recorded by their hash are made again from what they held.
 * @throws Error if what was made has another hash
 */
export function bytesOfFrame(frame: GoldenFrame): Buffer {
  if (frame.hex !== undefined) return Buffer.from(frame.hex, 'hex');
  const bytes = frame.malformed === true ? zeros(frame.len as number, frame.hexHead as string) : alphabetReply(frame);
  if (createHash('sha256').update(bytes).digest('hex') !== frame.sha256)
    throw new Error(`frame ${frame.n} of ${frame.case} was made with another sha256 than the recorded ${frame.sha256}`);
  return bytes;
}

/** malformed-len-max: INVOKE with a root of exactly 1 MiB of zeros. */
function zeros(length: number, head: string): Buffer {
  const bytes = Buffer.alloc(length);
  bytes.write(head, 'hex');
  return bytes;
}

/** large-1M: the alphabet again and again, as long as the length of the string attribute in the recorded head says. */
function alphabetReply({ hexHead, seq, peer }: GoldenFrame): Buffer {
  // 4 bytes of attribute header, 8 of name header, NUL.
  const length = (Buffer.from(hexHead as string, 'hex').readUInt32BE(24) & 0xffffff) - 4 - 8 - 1;
  const letters = 'abcdefghijklmnopqrstuvwxyz';
  const data = letters.repeat(Math.ceil(length / letters.length)).slice(0, length);
  const attributes = { objectId: peer as number, data: { data } };
  return bytesFromMessage(new BlobWriter(), MessageType.DATA, seq as number, peer as number, attributes);
}
