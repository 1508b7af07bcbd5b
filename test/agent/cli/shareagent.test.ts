import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import t from 'tap';
import { AGENT_VERSION } from '../../../agent/version.ts';
import { listenSample } from './recording-io.ts';

const SCRIPT = join(import.meta.dirname, '../../../agent/cli/shareagent.ts');

async function run(
  args: readonly string[],
): Promise<{ readonly code: number; readonly out: string; readonly err: string }> {
  const child = spawn(process.execPath, [SCRIPT, ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
  let [out, err] = ['', ''];
  child.stdout.on('data', (chunk) => {
    out += chunk;
  });
  child.stderr.on('data', (chunk) => {
    err += chunk;
  });
  const [code] = await once(child, 'close');
  return { code, out, err };
}

t.test('the executable prints, and ends with the exit codes of the docs', async (t) => {
  t.match(await run(['version', '--json']), { code: 0, out: `{"version":"${AGENT_VERSION}"`, err: '' });
  t.match(await run(['config', 'check', '/nonexistent']), { code: 1, out: /there is no such file/ });
  t.match(await run(['statsu']), { code: 2, out: '', err: /did you mean "status"/ });
  t.match(await run(['status', '--socket', '/nonexistent/c.sock']), { code: 3, err: /not running/ });
});

t.test('without a terminal a single frame has 80 columns and no colours', async (t) => {
  const { code, out } = await run(['top', '--once', '--socket', await listenSample(t)]);
  t.equal(code, 0);
  t.match(out, '\n  ID GUEST             PHASE        DOWN        UP    USED CREDIT LEFT    BYTES\n');
  t.notMatch(out, '\x1b');
  t.match(await run(['top', '--socket', '/nonexistent']), { code: 2, err: /top needs a terminal/ });
});

t.test('a pipe that is closed early is no error', async (t) => {
  const child = spawn('sh', ['-c', `"${process.execPath}" "${SCRIPT}" config document | head -n 1`]);
  let out = '';
  child.stdout.on('data', (chunk) => {
    out += chunk;
  });
  let err = '';
  child.stderr.on('data', (chunk) => {
    err += chunk;
  });
  await once(child, 'close');
  t.match(out, /^# Configuration\n/);
  t.equal(err, '');
});
