import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { renderDefaultFile } from '../../../agent/adapters/uci/default-file.ts';
import { renderOptionDocument } from '../../../agent/adapters/uci/option-document.ts';
import { temporaryDirectory } from '../../support/temporary-directory.ts';
import { runLine } from './recording-io.ts';

const COMPLETE = `config agent
	option enabled 1
config price
	option per_mb 0.1
config chain
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

t.test('a right file is told with what it sells', async (t) => {
  const path = fileWith(t, COMPLETE);
  const text = `${path} is right: 0.1 SSP per MB on br-guest (0 time windows, 0 packages).`;
  t.same(await runLine(['config', 'check', path]), { exitCode: 0, out: text, err: '' });
  t.equal((await runLine(['config', 'check', '--config', path])).out, text);
  t.same(JSON.parse((await runLine(['config', 'check', path, '--json'])).out), { ok: true, path, errors: [] });
  const both = fileWith(t, COMPLETE.replace('per_mb 0.1', 'per_mb 0.2\n\toption per_minute 0.01'));
  t.match((await runLine(['config', 'check', both])).out, '0.2 SSP per MB and 0.01 SSP per minute on br-guest');
  t.match(
    (await runLine(['config', 'check', fileWith(t, '')])).out,
    'nothing is sold (shareagent.agent.enabled is 0).',
  );
});

t.test('a wrong file gives all errors and exit code 1', async (t) => {
  const path = fileWith(t, 'config price\n\toption per_mbb 1\n\toption per_minute x\n');
  const { exitCode, out } = await runLine(['config', 'check', path]);
  t.equal(exitCode, 1);
  t.equal(
    out,
    [
      'shareagent.@price[0].per_mbb: unknown option, did you mean "per_mb"? (line 2)',
      "shareagent.@price[0].per_minute: must be an SSP amount from 0 to 1000000 with at most 4 decimals, such as 0.05, got 'x' (line 3)",
      `${path} has 2 errors.`,
    ].join('\n'),
  );
  t.match(JSON.parse((await runLine(['config', 'check', path, '--json'])).out), {
    ok: false,
    errors: [{ path: 'shareagent.@price[0].per_mbb', line: 2, message: /unknown option/ }, { line: 3 }],
  });
});

t.test('default file and reference are printed for redirection', async (t) => {
  t.equal(`${(await runLine(['config', 'default'])).out}\n`, renderDefaultFile());
  t.equal(`${(await runLine(['config', 'document'])).out}\n`, renderOptionDocument());
  t.equal(JSON.parse((await runLine(['config', 'default', '--json'])).out).text, renderDefaultFile());
});

t.test('other operands are usage errors', async (t) => {
  for (const operands of [[], ['chekc'], ['check', 'a', 'b'], ['default', 'x'], ['document', 'x']]) {
    t.match(await runLine(['config', ...operands]), { exitCode: 2, err: /config takes one of/ });
  }
});
