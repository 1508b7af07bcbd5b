/** The LuCI pages as packages of both formats; with the real tools (OPKG, APK) installed beside the agent and removed. */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import { packageFile } from '../../../tools/build-package.ts';
import { luciSpec } from '../../../tools/build-package-luci.ts';
import { apkOf } from '../../../tools/package/apk.ts';
import { ipkOf } from '../../../tools/package/ipk.ts';
import { readApk, type Slots } from './support/apk-reader.ts';
import { toolFrom } from './support/spec.ts';

const TIME_S = 1_790_000_000;
const spec = luciSpec('ipk', TIME_S);
const ipk = ipkOf(spec);
const folder = mkdtempSync(join(tmpdir(), 'luci-'));
t.teardown(() => rmSync(folder, { recursive: true, force: true }));

const member = (name: string, input: Buffer) => execFileSync('tar', ['-xzOf', '-', `./${name}`], { input });
const control = (name: string) => member(name, member('control.tar.gz', ipk)).toString();

t.test('pages, menu, ACL and plugin are where LuCI looks, and nothing else', (t) => {
  const files = [...spec.tree.values()].filter(({ kind }) => kind !== 'folder').map(({ path }) => path);
  for (const path of [
    'usr/share/luci/menu.d/luci-app-shareagent.json',
    'usr/share/rpcd/acl.d/luci-app-shareagent.json',
    'usr/share/rpcd/ucode/luci.shareagent',
    'www/luci-static/resources/view/shareagent/overview.js',
    'www/luci-static/resources/shareagent/bus.js',
    'usr/lib/lua/luci/i18n/shareagent.es.lmo',
    'usr/lib/lua/luci/i18n/shareagent.zh-cn.lmo',
  ]) {
    t.ok(files.includes(path), path);
  }
  t.same(
    files.filter(
      (path) =>
        !/^(www\/luci-static\/resources|usr\/share\/(luci\/menu\.d|rpcd)|usr\/lib\/lua\/luci\/i18n)\//.test(path),
    ),
    [],
  );
  t.end();
});

t.test('it is for every processor, makes no user, and has rpcd read it', (t) => {
  const text = control('control');
  t.match(text, /^Architecture: all$/m);
  t.notMatch(text, 'Require-User');
  t.match(text, /^Depends: libc, luci-base, rpcd-mod-ucode, shareagent, ucode-mod-fs, ucode-mod-ubus, ucode-mod-uci$/m);
  t.match(control('postinst-pkg'), 'killall -HUP rpcd');
  for (const name of ['postinst', 'postinst-pkg', 'prerm', 'prerm-pkg', 'postrm']) {
    execFileSync('sh', ['-n'], { input: control(name) });
  }
  t.ok(ipk.equals(ipkOf(luciSpec('ipk', TIME_S))), 'the same input gives the same bytes');
  const { root } = readApk(apkOf(luciSpec('apk', TIME_S)));
  const names = (root[2] as Slots).slice(1).map((value) => String((value as Slots)[1] ?? ''));
  t.ok(names.includes('www/luci-static/resources/view/shareagent'));
  t.equal(packageFile(luciSpec('apk', TIME_S), 'apk'), `luci-app-shareagent-${spec.version}.noarch.apk`);
  t.end();
});

const opkg = toolFrom('OPKG', 'opkg');
t.test('opkg installs and removes it', { skip: opkg === undefined && 'no opkg here (OPKG names one)' }, (t) => {
  const root = join(folder, 'root');
  for (const path of ['etc', 'usr/lib/opkg/info', 'tmp', 'var/lock']) mkdirSync(join(root, path), { recursive: true });
  writeFileSync(join(root, 'etc/opkg.conf'), 'dest root /\nlists_dir ext /var/opkg-lists\narch all 1\n');
  const stubs = spec.depends.map(
    (name) => `Package: ${name}\nVersion: 1\nStatus: install user installed\nArchitecture: all\n`,
  );
  writeFileSync(join(root, 'usr/lib/opkg/status'), stubs.join('\n'));
  for (const name of spec.depends) writeFileSync(join(root, `usr/lib/opkg/info/${name}.list`), '');
  const file = join(folder, packageFile(spec, 'ipk'));
  writeFileSync(file, ipk);
  const run = (...args: readonly string[]) =>
    execFileSync(opkg ?? '', ['--offline-root', root, '-f', join(root, 'etc/opkg.conf'), ...args]);
  run('install', file);
  for (const entry of spec.tree.values()) {
    if (entry.kind === 'file') t.ok(readFileSync(join(root, entry.path)).equals(Buffer.from(entry.data)), entry.path);
  }
  run('remove', 'luci-app-shareagent');
  execFileSync('sh', ['-s', 'remove'], { input: control('postrm'), env: { ...process.env, IPKG_INSTROOT: root } });
  t.notOk(existsSync(join(root, 'www/luci-static/resources/view/shareagent')));
  const left = readdirSync(root, { recursive: true, encoding: 'utf8' }).filter((path) => path.includes('luci-app'));
  t.same(left, []);
  t.end();
});
