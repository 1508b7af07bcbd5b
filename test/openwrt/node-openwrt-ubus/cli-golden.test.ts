/**
 * `ubus-js` against the recordings of the real command: each command line that was run is run again, a server plays the
 * recorded daemon, and the bytes sent, the text printed and the exit code must be those of the real one.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import { runCli } from '../../../openwrt/node-openwrt-ubus/src/cli/run.ts';
import { RawSocket } from '../../support/raw-socket.ts';
import {
  bytesOfFrame,
  GOLDEN_FILES,
  type GoldenCase,
  type GoldenFrame,
  type GoldenRun,
  goldenCases,
} from '../../support/ubus-golden.ts';

/** Commands that run until they are stopped; the server hangs up when all is played. */
const ENDLESS = new Set(['listen', 'subscribe', 'monitor']);

const folder = mkdtempSync(join(tmpdir(), 'ubus-cli-'));
t.teardown(() => rmSync(folder, { recursive: true }));
let servers = 0;

/** The recorded connection of each run: the n-th of its kind. */
function connectionsOf({ runs, frames }: GoldenCase): string[] {
  const labels = [...new Set(frames.map(({ conn }) => conn))].sort();
  const unused = {
    call: labels.filter((label) => label.startsWith('cli')),
    listen: labels.filter((label) => label === 'listener' || label === 'cli'),
    send: labels.filter((label) => label.startsWith('sender') || label === 'cli'),
    subscribe: labels.filter((label) => label === 'subscriber'),
    monitor: labels.filter((label) => label === 'monitor' || label === 'cli'),
  };
  return runs.map((run) => unused[kindOf(run)].shift() as string);
}

function kindOf({ cmd }: GoldenRun): 'call' | 'listen' | 'send' | 'subscribe' | 'monitor' {
  const kind = cmd.find((word) => ['listen', 'send', 'subscribe', 'monitor'].includes(word));
  return (kind ?? 'call') as 'call';
}

async function play(frames: readonly GoldenFrame[], raw: RawSocket, isEndless: boolean): Promise<string[]> {
  const differences: string[] = [];
  for (const frame of frames) {
    if (frame.eof === true) continue;
    const { case: name, n, dir, hex } = frame;
    if (dir === 's2c') raw.write(bytesOfFrame(frame));
    else {
      const got = (await raw.read())?.toString('hex');
      // The real command's "add" carries left-overs of its buffer.
      if (got !== hex && name !== 'monitor' && name !== 'acl-monitor-denied')
        differences.push(`${n}: expected ${hex}, got ${got}`);
    }
  }
  if (isEndless) raw.socket.end();
  return differences;
}

async function replay(golden: GoldenCase, run: GoldenRun, conn: string) {
  servers += 1;
  const path = join(folder, `${servers}.sock`);
  const frames = golden.frames.filter((frame) => frame.conn === conn);
  let played: Promise<string[]> = Promise.resolve(['nobody connected']);
  const server = createServer((socket) => {
    played = play(frames, new RawSocket(socket), ENDLESS.has(kindOf(run)));
  });
  await new Promise<void>((resolve) => server.listen(path, resolve));
  let stdout = '';
  let stderr = '';
  const argv = run.cmd.slice(1).map((word) => (word === '<sock>' ? path : word));
  const rc = await runCli('ubus', argv, {
    print: (text) => {
      stdout += text;
    },
    warn: (text) => {
      stderr += text;
    },
    isTerminal: false,
    interrupted: () => new Promise(() => undefined),
  });
  const differences = await played;
  server.close();
  return { differences, rc, stdout: Buffer.from(stdout, 'latin1').toString(), stderr };
}

/** Long output was recorded as its beginning and its length. */
function shortened(text: string, recorded: string): string {
  const [mark] = /\.\.\.\(\d+\)$/.exec(recorded) ?? [];
  return mark === undefined ? text : `${text.slice(0, recorded.length - mark.length)}...(${text.length})`;
}

let runs = 0;
for (const golden of GOLDEN_FILES.flatMap((file) => goldenCases(file))) {
  const connections = connectionsOf(golden);
  for (const [i, run] of golden.runs.entries()) {
    const label = run.cmd.slice(3).join(' ').slice(0, 100);
    t.test(`${golden.name}: ubus ${label}`, async (t) => {
      const { differences, rc, stdout, stderr } = await replay(golden, run, connections[i] as string);
      t.same(differences, []);
      t.equal(shortened(stdout, run.stdout), run.stdout);
      t.equal(stderr, run.stderr);
      // A monitor was ended by SIGKILL.
      if (run.rc >= 0) t.equal(rc, run.rc);
    });
    runs += 1;
  }
}

t.test('the recordings hold command lines', (t) => {
  t.ok(runs > 90, `${runs} runs`);
  t.end();
});
