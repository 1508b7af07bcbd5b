/**
 * The standalone binary where a router's own C library is musl: a root that holds musl, busybox, nft, the binary and the glibc
 * beside it, and nothing else. binary-emulated.e2e.ts runs the one for the other processor.
 */
import { execFileSync, spawnSync } from 'node:child_process';
import {
  chmodSync,
  copyFileSync,
  cpSync,
  globSync,
  mkdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import t from 'tap';
import { AGENT_VERSION } from '../../agent/version.ts';
import { ADDON_FILE } from '../../openwrt/binary/load-addon.ts';
import { elevate } from '../lab/elevate.ts';
import { Lab } from '../lab/lab.ts';
import { until } from '../lab/wait.ts';
import { binaryConfig, buildSmall, openBinaryRouter } from './support/binary-router.ts';

elevate();
t.setTimeout(290_000);
const lab = new Lab();
t.teardown(() => lab.close());
const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const NAME = process.arch === 'arm64' ? 'aarch64' : 'x86_64';
const HOME = '/usr/lib/shareagent';
const { router, guest } = await openBinaryRouter(lab);
const root = lab.path('root');

// As in tools/build-binary.ts; a source tarball has no commits.
const git = spawnSync('git', ['-C', ROOT, 'rev-parse', '--short=12', 'HEAD'], { encoding: 'utf8' });
const commit = git.status === 0 ? git.stdout.trim() : 'unknown';
buildSmall(NAME, lab.path('first'));
layOutRoot();

t.test('two builds are the same, byte for byte', (t) => {
  buildSmall(NAME, lab.path('second'));
  const sums = readFileSync(lab.path('first/SHA256SUMS'), 'utf8');
  t.match(sums, / {2}\w+\/small\/agent\n/);
  t.equal(readFileSync(lab.path('second/SHA256SUMS'), 'utf8'), sums);
  t.end();
});

t.test('it names version, commit and targets', async (t) => {
  const text = await router.must(['chroot', root, `${HOME}/shareagent`, '--version']);
  t.match(text, `shareagent ${AGENT_VERSION} (commit ${commit}`);
  t.match(text, ' for x86_64-linux-gnu, aarch64-linux-gnu; ');
});

t.test('it serves guests, with SQLite inside, and ends in peace', async (t) => {
  const logFile = lab.path('agent.log');
  const agent = router.start('agent', ['chroot', root, `${HOME}/shareagent`, 'run'], { logFile });
  const isReady = () => readFileSync(logFile, 'utf8').includes('"agent-started"') || !agent.isAlive();
  await until('the agent to serve', 30_000, isReady);
  t.ok(agent.isAlive(), `the log says ${readFileSync(logFile, 'utf8').slice(-2_000)}`);
  const page = await guest.must(['curl', '-s', '-H', 'Host: portal.lan', 'http://10.9.0.1:2080/']);
  t.match(page, '<title>', 'the page');
  const status = await router.must(['chroot', root, `${HOME}/shareagent`, 'status', '--json']);
  t.match(JSON.parse(status), { version: AGENT_VERSION });
  t.match(readFileSync(join(root, 'var/ledger.db')).toString('latin1'), /^SQLite format 3/);
  t.same(globSync(`${root}/tmp/*`), [], 'the addon it had unpacked is gone again');
  await agent.stop();
  t.equal(await agent.exited, 0);
});

t.test('a bill of materials and every licence text lie beside it', (t) => {
  const folder = join(root, HOME);
  const bill = JSON.parse(readFileSync(join(folder, 'sbom.cdx.json'), 'utf8')) as { components: { name: string }[] };
  const names = bill.components.map(({ name }) => name);
  for (const name of ['node', 'better-sqlite3', 'fastify', '@noble/secp256k1']) t.ok(names.includes(name), name);
  t.ok(
    names.some((name) => name.startsWith('libc6')),
    'glibc',
  );
  const texts = readFileSync(join(folder, 'THIRD-PARTY-LICENCES.txt'), 'utf8');
  for (const name of names) t.ok(texts.includes(`\n${name} `), `licence of ${name}`);
  t.end();
});

function layOutRoot(): void {
  for (const folder of ['bin', 'lib', 'tmp', 'var', 'run', 'etc/config', 'opt/nft', 'usr/sbin', 'usr/lib']) {
    mkdirSync(join(root, folder), { recursive: true });
  }
  cpSync(join(lab.path('first'), NAME, 'small'), join(root, HOME), { recursive: true });
  // The executable must do with the one that it has inside.
  rmSync(join(root, HOME, ADDON_FILE));
  copyFileSync('/bin/busybox', join(root, 'bin/busybox'));
  for (const applet of ['sh', 'readlink', 'dirname', 'tr']) symlinkSync('busybox', join(root, 'bin', applet));
  const [musl] = globSync('/lib/ld-musl-*.so.1');
  if (musl === undefined) throw new Error('musl is missing; Debian: apt-get install musl busybox-static');
  copyFileSync(musl, join(root, 'lib', basename(musl)));
  putNft();
  writeFileSync(join(root, 'etc/config/shareagent'), binaryConfig(''));
}

/** A router has its own, linked with musl; this one needs the loader that the binary brings. */
function putNft(): void {
  const nft = execFileSync('sh', ['-c', 'command -v nft'], { encoding: 'utf8' }).trim();
  copyFileSync(nft, join(root, 'opt/nft/nft'));
  for (const [, path = ''] of execFileSync('ldd', [nft], { encoding: 'utf8' }).matchAll(/=> (\/\S+)/g)) {
    const isBrought = globSync(join(root, HOME, basename(path))).length > 0;
    if (!isBrought) copyFileSync(path, join(root, 'opt/nft', basename(path)));
  }
  const run = `exec ${HOME}/ld-linux-*.so.* --library-path ${HOME}:/opt/nft /opt/nft/nft "$@"`;
  writeFileSync(join(root, 'usr/sbin/nft'), `#!/bin/sh\n${run}\n`);
  chmodSync(join(root, 'usr/sbin/nft'), 0o755);
}
