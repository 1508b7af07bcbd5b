import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import t, { type Test } from 'tap';
import { JournalError } from '../../agent/adapters/journal/journal-error.ts';
import type { LoadedJournal } from '../../agent/adapters/journal/sqlite-journal.ts';
import { loadJournal } from '../../agent/main.ts';
import { AgentScene } from '../support/agent-scene.ts';
import { testChannel } from './core/support/story.ts';
import '../support/own-testdir.ts';

const MAIN = fileURLToPath(new URL('../../agent/main.ts', import.meta.url));
const STORY = fileURLToPath(new URL('core/support/story.ts', import.meta.url));
const EMPTY: LoadedJournal = { channels: [], sessions: [], trials: [] };

/** Runs a module text in a process of its own. */
async function run(source: string): Promise<{ readonly exitCode: number; readonly output: string }> {
  const child = spawn(process.execPath, ['--input-type=module', '-e', source], { stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => (output += chunk.toString()));
  const [exitCode] = (await once(child, 'close')) as [number];
  return { exitCode, output };
}

/** An agent whose files are in `folder`; `change` is an expression over `config`. */
function agentSource(folder: string, change: string): string {
  const files = {
    database: join(folder, 'state', 'journal.db'),
    key: join(folder, 'device.key'),
    control: join(folder, 'run', 'control.sock'),
  };
  return `
    import { runAgent } from ${JSON.stringify(MAIN)};
    import { testConfig } from ${JSON.stringify(STORY)};
    const files = ${JSON.stringify(files)};
    const config = testConfig((config) => ({ ...config, controlSocketPath: files.control,
      storage: { databasePath: files.database, deviceKeyPath: files.key } }));
    await runAgent(${change}, new AbortController().signal);`;
}

t.test('an exception that nobody caught is logged and ends the process with a failure', async (t) => {
  for (const bug of ['setTimeout(() => { throw new Error("a bug"); })', 'Promise.reject(new Error("a bug"))']) {
    const source = `import { endOnUnhandled } from ${JSON.stringify(MAIN)};
      endOnUnhandled({ fatal: ({ err }, event) => console.log(event, err.message) });
      setInterval(() => {}, 1000);
      ${bug};`;
    t.match(await run(source), { exitCode: 1, output: /unhandled a bug/ });
  }
});

t.test('a failed start ends the process with a failure and closes what it had opened', async (t: Test) => {
  const folder = t.testdir({});
  const tooLong = 'x'.repeat(120);
  const change = `{ ...config, controlSocketPath: files.control + ${JSON.stringify(tooLong)} }`;
  const { exitCode, output } = await run(agentSource(folder, change));
  t.equal(exitCode, 1);
  t.match(output, /CONTROL_SOCKET_PATH/);
  t.ok(existsSync(join(folder, 'state', 'journal.db')), 'the journal had been opened');
  t.notOk(existsSync(join(folder, 'state', 'journal.db-wal')), 'and was closed: its log is gone');
});

t.test('a journal that was lost holds the proofs and says where it is', (t) => {
  const { log, logged } = new AgentScene();
  t.strictSame(loadJournal({ load: () => EMPTY }, log), { snapshot: EMPTY });
  const lost = { ...EMPTY, quarantined: 'journal.db.corrupt-1' };
  const { proofsHeld } = loadJournal({ load: () => lost }, log);
  t.match(proofsHeld, /moved to journal\.db\.corrupt-1/);
  t.match(logged.at(-1), { level: 'error', event: 'proofs-held' });
  t.end();
});

t.test('an old copy of the journal holds proofs until the collector was asked, and is told of once', (t) => {
  const { log, logged } = new AgentScene();
  const found = { ...EMPTY, isOldCopy: true as const, lives: { life: 2, marked: 5 } };
  t.match(loadJournal({ load: () => found }, log).proofsHeld, /older copy.*the collector is asked first/);
  t.match(logged, [{ level: 'error', event: 'journal-is-an-old-copy', details: { life: 2, marked: 5 } }]);
  t.match(loadJournal({ load: () => ({ ...EMPTY, isOldCopy: true as const }) }, log).proofsHeld, /older copy/);
  t.equal(logged.length, 1);
  t.end();
});

t.test('a channel whose deposit does not cover its voucher is reported, and nothing else is held', (t) => {
  const { log, logged } = new AgentScene();
  const channel = testChannel();
  const { proofsHeld } = loadJournal({ load: () => ({ ...EMPTY, uncovered: [channel] }) }, log);
  t.equal(proofsHeld, undefined);
  t.match(logged, [{ level: 'error', event: 'channel-not-covered', details: { channel: channel.id } }]);
  t.end();
});

t.test('a damaged journal is logged and service goes on with an empty one; any other trouble ends the start', (t) => {
  const { log, logged } = new AgentScene();
  let loads = 0;
  const damaged = {
    load: () => {
      if (loads++ === 0) throw new JournalError('JOURNAL_CORRUPT', 'damaged', { quarantinedAs: 'aside' });
      return { ...EMPTY, quarantined: 'aside' };
    },
  };
  t.match(loadJournal(damaged, log).proofsHeld, /aside/);
  t.match(logged[0], { event: 'journal-damaged', details: { quarantinedAs: 'aside' } });
  const broken = {
    load: () => {
      throw new JournalError('JOURNAL_IO', 'disk gone');
    },
  };
  t.throws(() => loadJournal(broken, log), /disk gone/);
  t.end();
});
