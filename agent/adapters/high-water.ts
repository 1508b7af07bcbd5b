/**
 * A number that only grows, in a small file beside the one that it speaks of: a file that was put back from an old copy is told by
 * it. Written whole, and on disk when it returns.
 */
import { readFileSync } from 'node:fs';
import { replaceWholeFile } from './whole-file.ts';

const NUMBER = /^[1-9][0-9]{0,14}\n$/;

/** The number beside the file at `path`; undefined if there is none, or none that can be read. */
export function highWater(path: string): number | undefined {
  try {
    const text = readFileSync(markPath(path), 'latin1');
    return NUMBER.test(text) ? Number(text) : undefined;
  } catch {
    return undefined;
  }
}

/** @throws the file system's error, and the number is as it was */
export function raiseHighWater(path: string, to: number): void {
  replaceWholeFile(markPath(path), `${to}\n`, 0o600);
}

function markPath(path: string): string {
  return `${path}.mark`;
}
