/**
 * Moves a damaged journal aside so that a new one can start in its place while the old one, which may still hold guests'
 * vouchers, stays for repair. Nothing is deleted but the oldest of more than KEPT_QUARANTINES.
 */
import { closeSync, existsSync, fsyncSync, openSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';

/** A disk that damages files every time it is used must not be filled with their remains. */
const KEPT_QUARANTINES = 3;

/** Renames the file and its write-ahead log to "<path>.corrupt-<n>"; returns that name. The file must be closed. */
export function quarantine(path: string): string {
  const taken = quarantineNumbers(path);
  const number = (taken.at(-1) ?? 0) + 1;
  const aside = `${path}.corrupt-${number}`;
  // The log first: left beside a new file of the same name, SQLite would apply it there.
  if (existsSync(`${path}-wal`)) renameSync(`${path}-wal`, `${aside}-wal`);
  renameSync(path, aside);
  for (const old of taken.slice(0, Math.max(0, taken.length + 1 - KEPT_QUARANTINES))) {
    rmSync(`${path}.corrupt-${old}`, { force: true });
    rmSync(`${path}.corrupt-${old}-wal`, { force: true });
  }
  const directory = openSync(dirname(path), 'r');
  fsyncSync(directory);
  closeSync(directory);
  return aside;
}

/** The last file that was moved aside from this path, or undefined. */
export function lastQuarantine(path: string): string | undefined {
  const number = quarantineNumbers(path).at(-1);
  return number === undefined ? undefined : `${path}.corrupt-${number}`;
}

function quarantineNumbers(path: string): readonly number[] {
  if (!existsSync(dirname(path))) return [];
  const prefix = `${basename(path)}.corrupt-`;
  return readdirSync(dirname(path))
    .filter((name) => name.startsWith(prefix) && existsSync(join(dirname(path), name)))
    .map((name) => name.slice(prefix.length))
    .filter((suffix) => /^[1-9][0-9]{0,8}$/.test(suffix))
    .map(Number)
    .sort((a, b) => a - b);
}
