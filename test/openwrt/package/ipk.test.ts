/** The ipk, read back by tar as opkg does; with opkg on PATH (or OPKG) also installed into an offline root and removed. */
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import { packageFile } from '../../../tools/build-package.ts';
import { ipkOf } from '../../../tools/package/ipk.ts';
import { testSpec, toolFrom } from './support/spec.ts';

const spec = testSpec();
const bytes = ipkOf(spec);
const folder = mkdtempSync(join(tmpdir(), 'ipk-'));
const file = join(folder, packageFile(spec, 'ipk'));
writeFileSync(file, bytes);
t.teardown(() => rmSync(folder, { recursive: true, force: true }));

/** A member of an archive, or the verbose list of one, as tar tells it. */
function tar(args: readonly string[], input: Buffer): Buffer {
  return execFileSync('tar', [...args], { input, maxBuffer: 1 << 26, env: { ...process.env, TZ: 'UTC' } });
}
const member = (name: string) => tar(['-xzOf', '-', `./${name}`], bytes);
const control = (name: string) => tar(['-xzOf', '-', `./${name}`], member('control.tar.gz')).toString();

t.test('the outer archive is what opkg expects, and the same input gives the same bytes', (t) => {
  t.equal(member('debian-binary').toString(), '2.0\n');
  t.same(tar(['-tzf', '-'], bytes).toString().trim().split('\n'), [
    './',
    './debian-binary',
    './data.tar.gz',
    './control.tar.gz',
  ]);
  t.ok(bytes.equals(ipkOf(testSpec())));
  t.end();
});

t.test('every file belongs to root, runs only if it should, and carries the one time', (t) => {
  const lines = tar(['--numeric-owner', '--full-time', '-tvzf', '-'], member('data.tar.gz'))
    .toString()
    .trim()
    .split('\n');
  const rows = lines.map((line) => line.split(/\s+/));
  for (const [mode = '', owner, , date, time, path = ''] of rows) {
    t.equal(owner, '0/0', path);
    t.equal(`${date} ${time}`, new Date(spec.mtimeS * 1000).toISOString().slice(0, 19).replace('T', ' '), path);
    t.match(mode, /^(d|-)rw[x-]r-[x-]r-[x-]$/, `${path} is nobody else’s to write, and never setuid`);
  }
  const runs = rows.filter(([mode = '']) => mode.startsWith('-rwx')).map((row) => row[5]);
  t.same(runs.toSorted(), [
    './etc/init.d/shareagent',
    './etc/init.d/shareagent-deny',
    './usr/bin/shareagent',
    './usr/lib/shareagent/shareagent',
    './usr/libexec/shareagent/after-install',
    './usr/libexec/shareagent/before-remove',
    './usr/libexec/shareagent/deny-table',
    './usr/libexec/shareagent/firewall-include',
    './usr/libexec/shareagent/guest-network',
    './usr/libexec/shareagent/migrate-config',
  ]);
  t.end();
});

t.test('control, conffiles and scripts say what OpenWrt’s own packages say', (t) => {
  const text = control('control');
  for (const line of [
    'Package: shareagent',
    'Version: 1.2.3-r1',
    'Architecture: x86_64',
    'Require-User: shareagent:shareagent',
  ]) {
    t.ok(text.includes(`${line}\n`), line);
  }
  t.match(text, /^Depends: firewall4, kmod-nft-bridge, libc, nftables-json, procd-ujail$/m);
  t.equal(control('conffiles'), '/etc/config/shareagent\n');
  t.match(control('postinst'), 'default_postinst $0 $@');
  t.match(control('prerm'), 'default_prerm $0 $@');
  t.match(control('postinst-pkg'), '/usr/libexec/shareagent/after-install');
  t.match(control('prerm-pkg'), '/usr/libexec/shareagent/before-remove');
  for (const name of ['postinst', 'postinst-pkg', 'prerm', 'prerm-pkg', 'postrm']) {
    execFileSync('sh', ['-n'], { input: control(name) });
  }
  t.end();
});

const opkg = toolFrom('OPKG', 'opkg');
t.test(
  'opkg takes it into an offline root, and leaves nothing at removal',
  { skip: opkg === undefined && 'no opkg here (OPKG names one)' },
  (t) => {
    const root = join(folder, 'root');
    for (const path of ['etc', 'usr/lib/opkg/info', 'tmp', 'var/lock'])
      mkdirSync(join(root, path), { recursive: true });
    writeFileSync(
      join(root, 'etc/opkg.conf'),
      'dest root /\nlists_dir ext /var/opkg-lists\narch all 1\narch x86_64 10\n',
    );
    const stubs = spec.depends.map(
      (name) => `Package: ${name}\nVersion: 1\nStatus: install user installed\nArchitecture: x86_64\n`,
    );
    writeFileSync(join(root, 'usr/lib/opkg/status'), stubs.join('\n'));
    for (const name of spec.depends) writeFileSync(join(root, `usr/lib/opkg/info/${name}.list`), '');
    const run = (...args: readonly string[]) =>
      execFileSync(opkg ?? '', ['--offline-root', root, '-f', join(root, 'etc/opkg.conf'), ...args], {
        encoding: 'utf8',
      });
    run('install', file);
    for (const entry of spec.tree.values()) {
      if (entry.kind !== 'file') continue;
      t.ok(readFileSync(join(root, entry.path)).equals(Buffer.from(entry.data)), entry.path);
      t.equal(statSync(join(root, entry.path)).mode & 0o7777, entry.mode);
    }
    const config = createHash('sha256')
      .update(readFileSync(join(root, 'etc/config/shareagent')))
      .digest('hex');
    t.match(readFileSync(join(root, 'usr/lib/opkg/status'), 'utf8'), ` /etc/config/shareagent ${config}`);
    run('remove', 'shareagent');
    // opkg runs no script in an offline root; on a router it is the postrm that takes the empty folders along.
    execFileSync('sh', ['-s', 'remove'], { input: control('postrm'), env: { ...process.env, IPKG_INSTROOT: root } });
    const left = readdirSync(root, { recursive: true, encoding: 'utf8' }).filter((path) => path.includes('shareagent'));
    t.same(left, []);
    t.notOk(existsSync(join(root, 'usr/bin/shareagent')));
    t.end();
  },
);
