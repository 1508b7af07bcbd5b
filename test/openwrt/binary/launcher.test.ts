/** What the launchers hand to the loader and to Node, with stand-ins for both. */
import { execFileSync, spawnSync } from 'node:child_process';
import { chmodSync, copyFileSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import t from 'tap';
import { thinLauncher } from '../../../tools/build-package.ts';
import '../../support/own-testdir.ts';

const SCRIPTS = fileURLToPath(new URL('../../../openwrt/binary/', import.meta.url));
const PATH = '/usr/bin:/bin';

function executable(path: string, text: string): void {
  writeFileSync(path, `#!/bin/sh\n${text}\n`);
  chmodSync(path, 0o755);
}

/** A folder with a launcher, and a link to it from elsewhere as /usr/bin has one. */
function installed(dir: string, script: string): { readonly home: string; readonly link: string } {
  const home = join(dir, 'lib');
  mkdirSync(home);
  copyFileSync(`${SCRIPTS}${script}`, join(home, 'shareagent'));
  chmodSync(join(home, 'shareagent'), 0o755);
  const link = join(dir, 'link');
  symlinkSync(join(home, 'shareagent'), link);
  return { home, link };
}

t.test('the standalone one is started by the loader beside it, in the owner’s time zone', (t) => {
  const dir = t.testdir();
  const { home, link } = installed(dir, 'shareagent.sh');
  executable(
    join(home, 'ld-linux-test.so.9'),
    'echo "$MALLOC_ARENA_MAX $MALLOC_TRIM_THRESHOLD_ $TZ"; for i in "$@"; do echo "$i"; done',
  );
  executable(join(dir, 'uci'), "echo 'America/New York'");
  const env = { PATH: `${dir}:${PATH}` };
  const lines = execFileSync(link, ['sessions', 'end', 'a b'], { env, encoding: 'utf8' }).trim().split('\n');
  const start = ['--library-path', home, '--argv0', 'shareagent', join(home, 'agent')];
  t.same(lines, ['1 131072 America/New_York', ...start, 'sessions', 'end', 'a b']);
  const asked = execFileSync(link, { env: { ...env, TZ: 'Asia/Tokyo', MALLOC_ARENA_MAX: '2' }, encoding: 'utf8' });
  t.match(asked, /^2 131072 Asia\/Tokyo\n/, 'what is set already stays');
  t.end();
});

t.test('the thin one wants Node 24', (t) => {
  const dir = t.testdir();
  const { home, link } = installed(dir, 'shareagent-thin.sh');
  const node = (version: string) =>
    executable(join(dir, 'node'), `case "$*" in *--version) echo ${version} ;; *) echo "$@" ;; esac`);
  const run = () => spawnSync(link, ['status'], { env: { PATH: `${dir}:/bin:/usr/bin`, TZ: 'UTC' }, encoding: 'utf8' });
  node('v24.1.0');
  t.equal(run().stdout.trim(), `@FLAGS@ ${home}/shareagent.cjs status`, 'the build puts the flags in');
  executable(
    join(dir, 'node'),
    'case "$*" in *@FLAGS@*) echo bad option >&2; exit 9 ;; --version) echo v26.0.0 ;; *) echo "$@" ;; esac',
  );
  t.equal(run().stdout.trim(), `${home}/shareagent.cjs status`, 'a Node that knows one of them no more goes without');
  node('v20.20.2');
  t.match(run(), { status: 69, stderr: /Node v20\.20\.2 is too old, 24 is needed; take the standalone/ });
  writeFileSync(join(dir, 'node'), '#!/no/such/loader\n');
  const gone = spawnSync(link, [], {
    env: { PATH: `${dir}:/bin:/usr/bin`, SHAREAGENT_NODE: 'no-node' },
    encoding: 'utf8',
  });
  t.match(gone, { status: 69, stderr: /no Node on this router \(no-node does not start\)/ });
  t.end();
});

t.test('the thin package starts its agent by the same script, with the flags in it', (t) => {
  const dir = t.testdir();
  const { home, link } = installed(dir, 'shareagent-thin.sh');
  writeFileSync(join(home, 'shareagent'), thinLauncher());
  t.notMatch(thinLauncher(), '@FLAGS@');
  const node = (version: string) =>
    executable(join(dir, 'node'), `case "$*" in *--version) echo ${version} ;; *) echo "$@" ;; esac`);
  const run = () => spawnSync(link, ['run'], { env: { PATH: `${dir}:/bin:/usr/bin`, TZ: 'UTC' }, encoding: 'utf8' });
  node('v24.1.0');
  t.ok(run().stdout.trim().endsWith(`${home}/shareagent.cjs run`));
  node('v20.20.2');
  t.match(run(), { status: 69, stderr: /Node v20\.20\.2 is too old/ });
  t.end();
});
