/**
 * Power cut while vouchers are committed: whatever was acknowledged before is in the journal that the mended file system
 * holds. kill -9 cannot show this, because the kernel keeps what a killed process has written.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import t from 'tap';
import { until } from '../lab/wait.ts';
import { CuttableDisk } from './support/cuttable-disk.ts';

const programAt = (path: string) => fileURLToPath(new URL(path, import.meta.url));
const COMMIT_LOOP = programAt('../agent/adapters/journal/commit-loop.ts');
const UNSYNCED_LOOP = programAt('support/unsynced-loop-main.ts');
const AMOUNTS = programAt('support/journal-amounts-main.ts');
/** Acknowledged before each cut; the last more than one length of the write-ahead log, which is then written anew. */
const CUTS = [1, 40, 1_200];
const missing = CuttableDisk.missing();
const options = missing === undefined ? {} : { skip: missing };

type Amounts = ReadonlyMap<string, bigint>;

/** Runs the program until it has acknowledged `count` times, cuts the power; what was acknowledged, and what is found. */
async function cutAfter(disk: CuttableDisk, program: string, count: number) {
  const journal = join(disk.root, 'journal.db');
  disk.write(program, [journal]);
  await until(`${count} acknowledged vouchers`, 60_000, () => lines(disk.said).length >= count);
  const { wasMounted } = await disk.cut();
  const acknowledged = amounts(lines(disk.said));
  const found = amounts((await disk.read(AMOUNTS, [journal])).split('\n').slice(0, -1));
  return { wasMounted, acknowledged, found };
}

function lines(path: string): readonly string[] {
  return readFileSync(path, 'utf8').split('\n').slice(0, -1);
}

function amounts(said: readonly string[]): Amounts {
  return new Map(said.map((line) => line.split(' ') as [string, string]).map(([id, amount]) => [id, BigInt(amount)]));
}

function lost(acknowledged: Amounts, found: Amounts): readonly string[] {
  return [...acknowledged].filter(([id, amount]) => (found.get(id) ?? -1n) < amount).map(([id]) => id);
}

t.test('power cuts while vouchers are committed lose nothing that was acknowledged', options, async (t) => {
  const disk = new CuttableDisk();
  t.teardown(() => disk.remove());
  disk.make();
  for (const count of CUTS) {
    const { wasMounted, acknowledged, found } = await cutAfter(disk, COMMIT_LOOP, count);
    t.ok(wasMounted, 'the file system was not unmounted');
    t.strictSame(lost(acknowledged, found), [], `after ${count} vouchers`);
  }
});

t.test('a journal that does not sync loses money in such a cut: the cut is one', options, async (t) => {
  const disk = new CuttableDisk();
  t.teardown(() => disk.remove());
  disk.make();
  const { acknowledged, found } = await cutAfter(disk, UNSYNCED_LOOP, 40);
  t.not(lost(acknowledged, found).length, 0);
});
