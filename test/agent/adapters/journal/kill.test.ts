import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import t from 'tap';
import { SqliteJournal } from '../../../../agent/adapters/journal/sqlite-journal.ts';
import '../../../support/own-testdir.ts';

const COMMIT_LOOP = fileURLToPath(new URL('commit-loop.ts', import.meta.url));
const KILLS = 10;

/** Runs the loop until it has said `lines` lines, kills it, and returns everything it said. */
async function linesBeforeKill(path: string, lines: number): Promise<readonly string[]> {
  const child = spawn(process.execPath, [COMMIT_LOOP, path], { stdio: ['ignore', 'pipe', 'inherit'] });
  let said = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    said += text;
    if (said.split('\n').length > lines) child.kill('SIGKILL');
  });
  const [, signal] = (await once(child, 'close')) as [number | null, string | null];
  t.equal(signal, 'SIGKILL', 'the loop ran until it was killed');
  return said.split('\n').slice(0, -1);
}

t.test('ten kills in the middle of committing lose nothing that was acknowledged', async (t) => {
  const path = join(t.testdir(), 'journal.db');
  const acknowledged = new Map<string, bigint>();
  for (let i = 0; i < KILLS; i++) {
    for (const line of await linesBeforeKill(path, 20 + 37 * i)) {
      const [id, amount] = line.split(' ') as [string, string];
      acknowledged.set(id, BigInt(amount));
    }
    const journal = new SqliteJournal({ path });
    const stored = new Map<string, bigint>(journal.load().channels.map(({ id, voucher }) => [id, voucher.amount]));
    const lost = [...acknowledged].filter(([id, amount]) => (stored.get(id) ?? -1n) < amount);
    t.strictSame(lost, [], `kill ${i + 1}`);
    journal.close();
  }
  t.equal(acknowledged.size, 4);
});
