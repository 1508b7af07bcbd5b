/**
 * The passes that were made, in a file beside the journal: a line of JSON for each, and another once it is funded. It names no
 * code: codes are made from the serial and the seed (agent/treasury/pass-codes.ts), which is in a file of its own.
 */
import { mkdirSync, readFileSync, truncateSync } from 'node:fs';
import { dirname } from 'node:path';
import * as v from 'valibot';
import { addressSchema, bytes32Schema, uint64Schema } from '../../protocol/schema.ts';
import type { PassBook, StoredPass } from '../ports.ts';
import { highWater, raiseHighWater } from './high-water.ts';
import { appendWhole } from './whole-file.ts';

const lineSchema = v.strictObject({
  serial: v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(Number.MAX_SAFE_INTEGER)),
  address: addressSchema,
  units: uint64Schema,
  madeS: uint64Schema,
  tx: v.optional(bytes32Schema),
});

export class PassFileError extends Error {
  override readonly name = 'PassFileError';
}

/** Read at the first use. A last line that a power cut left half is dropped; any other that cannot be read is an error. */
export function passFile(path: string): PassBook {
  let passes: Map<number, StoredPass> | undefined;
  const known = () => {
    passes ??= readPasses(path);
    return passes;
  };
  return {
    all: () => [...known().values()],
    lastSerial: () => Math.max(highWater(path) ?? 0, ...known().keys()),
    store: (changed) => {
      const before = known();
      mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
      const last = Math.max(...changed.map(({ serial }) => serial));
      // First: a number is rather left out than given twice.
      if (last > (highWater(path) ?? 0)) raiseHighWater(path, last);
      appendWhole(path, changed.map((pass) => `${lineOf(pass)}\n`).join(''), 0o600);
      for (const pass of changed) before.set(pass.serial, pass);
    },
  };
}

function readPasses(path: string): Map<number, StoredPass> {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (cause) {
    if (cause instanceof Error && 'code' in cause && cause.code === 'ENOENT') return new Map();
    throw new PassFileError(`passes cannot be read from ${path}`, { cause });
  }
  const whole = text.slice(0, text.lastIndexOf('\n') + 1);
  // What follows the last newline was being written when the power went: nobody was told of it.
  if (whole.length < text.length) truncateSync(path, Buffer.byteLength(whole));
  const passes = new Map<number, StoredPass>();
  for (const [i, line] of whole.split('\n').entries()) {
    if (line === '') continue;
    const pass = passFrom(line);
    if (pass === undefined) throw new PassFileError(`line ${i + 1} of ${path} is no pass: restore it from a backup`);
    passes.set(pass.serial, pass);
  }
  return passes;
}

function passFrom(line: string): StoredPass | undefined {
  try {
    const result = v.safeParse(lineSchema, JSON.parse(line));
    if (!result.success) return undefined;
    const { tx, ...pass } = result.output;
    return tx === undefined ? pass : { ...pass, tx };
  } catch {
    return undefined;
  }
}

function lineOf({ serial, address, units, madeS, tx }: StoredPass): string {
  return JSON.stringify({ serial, address, units: `${units}`, madeS: `${madeS}`, tx });
}
