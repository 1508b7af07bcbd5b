/** What kills, power cuts and lost files leave of a collector's directory (log/, store.db). */
import { appendFileSync, copyFileSync, existsSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { type Dice, pick } from './routers-by-dice.ts';

/** The last write of the log reached the disk in part. */
export function tearLog(directory: string, dice: Dice): void {
  const names = readdirSync(join(directory, 'log')).filter((name) => name.endsWith('.seg'));
  const last = names.sort().at(-1) ?? '';
  const torn = Buffer.from(pick(dice, ['00', '000000ff12', '0000000112345678ff']), 'hex');
  appendFileSync(join(directory, 'log', last), torn);
}

export function loseStore(directory: string): void {
  for (const suffix of ['', '-wal', '-shm']) rmSync(join(directory, `store.db${suffix}`), { force: true });
}

/**
 * Notes what of the store is committed while it is open. @returns puts that back, once it is closed: a process that is killed
 * commits nothing more
 */
export function rememberStore(directory: string): () => void {
  const path = join(directory, 'store.db');
  const parts = ['', '-wal'].filter((suffix) => existsSync(path + suffix));
  for (const suffix of parts) copyFileSync(path + suffix, `${path}.killed${suffix}`);
  return () => {
    loseStore(directory);
    for (const suffix of parts) copyFileSync(`${path}.killed${suffix}`, path + suffix);
  };
}
