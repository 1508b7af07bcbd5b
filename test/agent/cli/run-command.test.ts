import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import type { AgentConfig } from '../../../agent/core/config.ts';
import { temporaryDirectory } from '../../support/temporary-directory.ts';
import { runLine } from './recording-io.ts';

const CHAIN = `config chain
	option payee '0x${'11'.repeat(20)}'
	option rpc_url 'http://127.0.0.1:8545'
	option chain_id '31337'
	option channels '0x${'22'.repeat(20)}'
	option token '0x${'33'.repeat(20)}'
	option token_name 'SSP Test Token'
	option registry '0x${'44'.repeat(20)}'
`;

function fileWith(test: Parameters<typeof temporaryDirectory>[0], text: string): string {
  const path = join(temporaryDirectory(test), 'config');
  writeFileSync(path, text);
  return path;
}

t.test('the agent runs with the configuration and the signal', async (t) => {
  const config = fileWith(t, `config agent\n\toption enabled 1\n${CHAIN}`);
  const started: AgentConfig[] = [];
  const { signal } = new AbortController();
  const runAgent = (given: AgentConfig, givenSignal: AbortSignal): Promise<void> => {
    t.equal(givenSignal, signal);
    started.push(given);
    return Promise.resolve();
  };
  t.same(await runLine(['run', '--config', config], { runAgent, signal }), { exitCode: 0, out: '', err: '' });
  t.match(started, [{ isEnabled: true, chain: { chainId: 31337n } }]);
});

t.test('a wrong configuration is told whole, and nothing is started', async (t) => {
  const config = fileWith(t, 'config agent\n\toption enabled 1\n');
  const { exitCode, out } = await runLine(['run', '--config', config]);
  t.equal(exitCode, 1);
  t.match(
    out,
    /chain\.payee: must be set(?:.|\n)*chain\.registry: must be set(?:.|\n)*Not started: .* must be right\.$/,
  );
});

t.test('a disabled agent is not started, which is no failure', async (t) => {
  const config = fileWith(t, '');
  t.match(await runLine(['run', '--config', config]), {
    exitCode: 0,
    out: /^Not started: shareagent\.agent\.enabled is 0/,
  });
});

t.test('what keeps the agent from running is told in a sentence; a bug keeps its stack', async (t) => {
  const config = fileWith(t, `config agent\n\toption enabled 1\n${CHAIN}`);
  const locked = Object.assign(new Error('another process holds the ledger'), { code: 'JOURNAL_LOCKED' });
  t.match(await runLine(['run', '--config', config], { runAgent: () => Promise.reject(locked) }), {
    exitCode: 1,
    out: '',
    err: 'shareagent: The agent cannot run: another process holds the ledger (JOURNAL_LOCKED). Look further with: shareagent doctor',
  });
  const bug = new TypeError('x is undefined');
  await t.rejects(runLine(['run', '--config', config], { runAgent: () => Promise.reject(bug) }), bug);
});
