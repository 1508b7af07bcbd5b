/** Runs the Solidity tests with forge; each of them is an assertion here. Needs no network. */
import { execFile } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import t from 'tap';

type ForgeReport = Record<
  string,
  { readonly test_results: Record<string, { readonly status: string; readonly reason: string | null }> }
>;

const run = promisify(execFile);
const root = fileURLToPath(new URL('../../', import.meta.url));

// Compiling takes most of it, and the machine may be busy with the other test files.
t.setTimeout(590_000);

t.test('all Solidity tests pass against the committed artifacts', async (t) => {
  const results = await forgeResults();
  for (const { name, status, reason } of results) t.equal(status, 'Success', `${name}${reason ? `: ${reason}` : ''}`);
  t.equal(results.length, writtenTests(), 'forge ran every test that is written');
});

t.test('the Solidity sources are formatted', async (t) => {
  const files = ['contracts', 'contracts/tokens', 'test/contracts', 'test/contracts/tokens'].flatMap(solidityFiles);
  await t.resolves(run('sh', ['contracts/forge', 'fmt', '--check', ...files], { cwd: root }), 'sh contracts/forge fmt');
});

async function forgeResults(): Promise<readonly { name: string; status: string; reason: string | null }[]> {
  // Exit code 1 means failed tests, which the report names.
  const stdout = await run('sh', ['contracts/forge', 'test', '--json'], { cwd: root, maxBuffer: 64 << 20 }).then(
    (result) => result.stdout,
    (error: { stdout?: string; stderr?: string }) => {
      if (error.stdout?.startsWith('{')) return error.stdout;
      throw new Error(`forge did not run: ${error.stderr ?? ''}${error.stdout ?? ''}`, { cause: error });
    },
  );
  const report = JSON.parse(stdout) as ForgeReport;
  return Object.entries(report).flatMap(([suite, { test_results }]) =>
    Object.entries(test_results).map(([test, { status, reason }]) => ({
      name: `${suite.split(':')[1]}: ${test.replace(/\(.*/, '').replaceAll('_', ' ')}`,
      status,
      reason,
    })),
  );
}

/** Counted in the sources, so that forge cannot skip a file unnoticed. */
function writtenTests(): number {
  const tests = solidityFiles('test/contracts').filter((file) => file.endsWith('.t.sol'));
  const texts = tests.map((file) => readFileSync(`${root}${file}`, 'utf8'));
  return texts.join('\n').match(/function (test|testFuzz|invariant)_/g)?.length ?? 0;
}

function solidityFiles(folder: string): readonly string[] {
  const names = readdirSync(`${root}${folder}`).filter((name) => name.endsWith('.sol'));
  return names.map((name) => `${folder}/${name}`);
}
