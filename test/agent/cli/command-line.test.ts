import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { COMMANDS, runCommandLine } from '../../../agent/cli/command-line.ts';
import { AGENT_VERSION } from '../../../agent/version.ts';
import { temporaryDirectory } from '../../support/temporary-directory.ts';
import { listenSample, recordingIo, runLine } from './recording-io.ts';

t.test('without a command, or with --help, the help is printed', async (t) => {
  const { exitCode, out } = await runLine([]);
  t.equal(exitCode, 0);
  for (const { name, summary } of COMMANDS)
    t.match(out, new RegExp(`^ {2}${name} +${summary.replaceAll('.', '\\.')}$`, 'm'));
  t.equal((await runLine(['--help'])).out, out);
  t.equal((await runLine(['-h'])).out, out);
  t.equal((await runLine(['help'])).out, out);
});

t.test('help for one command comes in three ways', async (t) => {
  const { out } = await runLine(['help', 'proofs']);
  t.match(out, 'Usage: shareagent proofs [OPTIONS]');
  t.match(out, '  --limit N      How many, 1..1008; default 20.');
  t.equal((await runLine(['proofs', '--help'])).out, out);
  t.equal((await runLine(['--help', 'proofs'])).out, out);
  t.match((await runLine(['help', 'sessions'])).out, 'shareagent sessions [end ID] [OPTIONS]');
  t.same(await runLine(['help', 'foo']), {
    exitCode: 2,
    out: '',
    err: 'shareagent: unknown command "foo", did you mean "top"?',
  });
});

t.test('help as JSON lists the commands', async (t) => {
  const document = JSON.parse((await runLine(['help', '--json'])).out);
  t.same(
    document.commands.map(({ name }: { name: string }) => name),
    COMMANDS.map(({ name }) => name),
  );
});

t.test('an unknown command names the nearest one', async (t) => {
  t.same(await runLine(['statsu']), {
    exitCode: 2,
    out: '',
    err: 'shareagent: unknown command "statsu", did you mean "status"?',
  });
  t.match((await runLine(['frobnicate'])).err, 'unknown command "frobnicate", see: shareagent help');
});

t.test('an unknown option names the nearest one', async (t) => {
  t.match((await runLine(['status', '--jsn'])).err, 'unknown option --jsn for status, did you mean --json?');
  t.match(
    (await runLine(['status', '--frobnicate'])).err,
    'unknown option --frobnicate for status, see: shareagent help status',
  );
  t.match((await runLine(['status', '--limit', '3'])).err, 'unknown option --limit for status');
  t.match((await runLine(['--frobnicate'])).err, 'unknown option --frobnicate, see: shareagent help');
  t.match((await runLine(['status', '-x'])).err, 'unknown option -x for status');
  t.match((await runLine(['status', '--constructor'])).err, 'unknown option --constructor for status');
});

t.test('options that lack a value or have one too many are refused', async (t) => {
  t.match(await runLine(['status', '--socket']), { exitCode: 2, err: 'shareagent: --socket needs a value: PATH' });
  t.match(await runLine(['status', '--socket', '--json']), { exitCode: 2, err: /--socket needs a value/ });
  t.match(await runLine(['status', '--json=yes']), { exitCode: 2, err: 'shareagent: --json takes no value' });
  t.match(await runLine(['status', 'now']), { exitCode: 2, err: 'shareagent: status takes no "now"' });
});

t.test('global options may stand before the command', async (t) => {
  const socketPath = await listenSample(t);
  const before = await runLine(['--json', '--socket', socketPath, 'sessions']);
  t.equal(before.exitCode, 0);
  t.same(before, await runLine(['sessions', `--socket=${socketPath}`, '--json']));
});

t.test('the socket comes from the configuration if it is not named', async (t) => {
  const socketPath = await listenSample(t);
  const config = join(temporaryDirectory(t), 'config');
  writeFileSync(config, `config agent\n\toption control_socket '${socketPath}'\n`);
  t.match(await runLine(['status', '--config', config]), { exitCode: 0, out: /selling {2}yes/ });
});

t.test('a failure with --json is one JSON document on standard output, and a sentence on standard error', async (t) => {
  const { exitCode, out, err } = await runLine(['status', '--json', '--socket', '/nonexistent/c.sock']);
  t.equal(exitCode, 3);
  t.match(JSON.parse(out), { error: { code: 'agent-not-running', message: /service shareagent start/ } });
  t.match(err, /^shareagent: The agent is not running/);
  t.match(JSON.parse((await runLine(['foo', '--json'])).out), { error: { code: 'usage' } });
});

t.test('a bug is not dressed up as a failure of the user', async (t) => {
  const { io } = recordingIo();
  await t.rejects(runCommandLine(['doctor', '--config', '/nonexistent'], io), /unscripted call/);
});

t.test('the version is told', async (t) => {
  t.match((await runLine(['version'])).out, `shareagent ${AGENT_VERSION} (Node ${process.versions.node}, `);
  t.match((await runLine(['--version'])).out, `shareagent ${AGENT_VERSION} `);
  t.match(JSON.parse((await runLine(['version', '--json'])).out), {
    version: AGENT_VERSION,
    node: process.versions.node,
  });
  t.match(JSON.parse((await runLine(['--version', '--json'])).out), { version: AGENT_VERSION });
});

t.test('a named configuration that is not there is said beside an agent that does not answer', async (t) => {
  const missing = join(temporaryDirectory(t), 'none.conf');
  t.match(await runLine(['status', '--config', missing]), {
    exitCode: 3,
    err: new RegExp(`is not running .*There is no ${missing}: is --config right\\?$`),
  });
});
