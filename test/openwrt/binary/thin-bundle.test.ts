/** The bundle of the thin package: page and all packages inside, only SQLite's addon outside. */
import { execFileSync, spawnSync } from 'node:child_process';
import { copyFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { ADDON_FILE } from '../../../openwrt/binary/load-addon.ts';
import { bundleSolo, DIET_FLAGS } from '../../../tools/build-agent.ts';
import { prebuiltAddon } from '../../../tools/build-binary-executable.ts';
import { TARGETS } from '../../../tools/build-binary-target.ts';
import '../../support/own-testdir.ts';

const dir = t.testdir();
const outfile = join(dir, 'shareagent.cjs');
const inputs = await bundleSolo({ outfile, commit: 'c0ffee', targets: ['one', 'two'] });
const run = (...args: string[]) => spawnSync(process.execPath, [...DIET_FLAGS, outfile, ...args], { encoding: 'utf8' });

t.test('it says what it was built from and for', (t) => {
  t.match(run('--version').stdout, '(commit c0ffee for one, two; Node ');
  t.match(JSON.parse(run('version', '--json').stdout), { commit: 'c0ffee', targets: ['one', 'two'] });
  t.ok(inputs.includes('captive-portal/page-assets.ts') && inputs.includes('agent/main.ts'));
  t.ok(
    inputs.some((path) => path.startsWith('node_modules/tiny-secp256k1/')),
    'the thread’s packages are listed too',
  );
  t.end();
});

t.test('SQLite’s addon is taken from beside the script; without one the error says where it belongs', (t) => {
  const target = TARGETS.find(({ nodeArch }) => nodeArch === process.arch);
  if (target === undefined) throw new Error(`no target for ${process.arch}`);
  const loader = new URL('../../../openwrt/binary/load-addon.ts', import.meta.url).href;
  const script = `import { loadAddon } from '${loader}'; process.argv[1] = process.argv.at(-1);
    try { console.log(typeof loadAddon().Database); } catch (error) { console.log(error.message); }`;
  const load = (env: Record<string, string>) =>
    execFileSync(process.execPath, ['--input-type=module', '-e', script, outfile], { env, encoding: 'utf8' }).trim();
  t.match(load({}), /^SQLite's native addon is missing: put better_sqlite3\.node beside the agent/);
  copyFileSync(prebuiltAddon(target, 'linux'), join(dir, ADDON_FILE));
  t.equal(load({}), 'function');
  t.match(load({ SHAREAGENT_ADDON: outfile }), /shareagent\.cjs does not load \(.*\): it must be built for/);
  t.end();
});
