/**
 * The binary for the other processor than this machine's, under qemu's user mode: every instruction of Node, glibc and SQLite
 * is the router's own; kernel and nft are this machine's.
 */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { AGENT_VERSION } from '../../agent/version.ts';
import { elevate } from '../lab/elevate.ts';
import { Lab } from '../lab/lab.ts';
import { until } from '../lab/wait.ts';
import { binaryConfig, buildSmall, openBinaryRouter } from './support/binary-router.ts';

elevate();
t.setTimeout(290_000);
const FOREIGN =
  process.arch === 'arm64'
    ? { target: 'x86_64', arch: 'x64', loader: 'ld-linux-x86-64.so.2' }
    : { target: 'aarch64', arch: 'arm64', loader: 'ld-linux-aarch64.so.1' };
const QEMU = `/usr/bin/qemu-${FOREIGN.target}-static`;
if (!existsSync(QEMU)) t.bailout(`These tests need ${QEMU}: apt-get install qemu-user-static.`);

const lab = new Lab();
t.teardown(() => lab.close());
const { router, guest } = await openBinaryRouter(lab);
buildSmall(FOREIGN.target, lab.path('out'));
const folder = join(lab.path('out'), FOREIGN.target, 'small');
// What the launcher does, with the emulator before it.
const command = [
  QEMU,
  join(folder, FOREIGN.loader),
  '--library-path',
  folder,
  '--argv0',
  'shareagent',
  join(folder, 'agent'),
];

t.test('it says what it is', async (t) => {
  const text = await router.must([...command, '--version'], { timeoutMs: 60_000 });
  t.match(text, `shareagent ${AGENT_VERSION} (`);
  t.match(text, `linux-${FOREIGN.arch})`);
});

t.test('it serves guests, with SQLite inside, and ends in peace', async (t) => {
  const home = lab.path('home');
  for (const name of ['run', 'tmp', 'var']) mkdirSync(join(home, name), { recursive: true });
  const config = lab.path('binary.conf');
  writeFileSync(config, binaryConfig(home));
  const logFile = lab.path('agent.log');
  const agent = router.start('agent', [...command, 'run', '--config', config], { logFile });
  const isReady = () => readFileSync(logFile, 'utf8').includes('"agent-started"') || !agent.isAlive();
  await until('the agent to serve', 90_000, isReady);
  t.ok(agent.isAlive(), `the log says ${readFileSync(logFile, 'utf8').slice(-2_000)}`);
  const page = await guest.must(['curl', '-s', '-H', 'Host: portal.lan', 'http://10.9.0.1:2080/']);
  t.match(page, '<title>', 'the page');
  t.match(readFileSync(join(home, 'var/ledger.db')).toString('latin1'), /^SQLite format 3/);
  t.match(await router.must(['nft', 'list', 'tables']), 'table inet shareagent');
  await agent.stop(20_000);
  t.equal(await agent.exited, 0);
});
