/** The apk, read back value by value; with apk 3 on PATH (or APK) also verified, installed into an offline root and removed. */
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import { AdbWriter } from '../../../tools/package/adb.ts';
import { apkOf } from '../../../tools/package/apk.ts';
import { type Blocks, readApk, type Slots } from './support/apk-reader.ts';
import { testSpec, toolFrom } from './support/spec.ts';

const spec = testSpec();
const bytes = apkOf(spec);
const { document, root, data }: Blocks = readApk(bytes);
const folder = mkdtempSync(join(tmpdir(), 'apk-'));
t.teardown(() => rmSync(folder, { recursive: true, force: true }));

type Node = { readonly path: string; readonly mode: number; readonly owner: string; readonly content?: Buffer };

/** Files and folders with what the data blocks hold of them. */
function nodes(): readonly Node[] {
  return (root[2] as Slots).slice(1).flatMap((value, i) => {
    const [, name = Buffer.alloc(0), access, files] = value as Slots;
    const path = String(name);
    const owned = (acl: Slots) => ({ mode: acl[1] as number, owner: `${acl[2]}:${acl[3]}` });
    const inside = ((files ?? []) as Slots).slice(1).map((entry, j): Node => {
      const [, file, acl, size, mtime, hash] = entry as Slots;
      const content = data.get(`${i + 1}/${j + 1}`) ?? Buffer.alloc(0);
      t.equal(mtime, spec.mtimeS);
      t.equal(size, content.length);
      t.ok(
        createHash('sha256')
          .update(content)
          .digest()
          .equals(hash as Buffer),
        `digest of ${file}`,
      );
      return { path: path === '' ? String(file) : `${path}/${file}`, ...owned(acl as Slots), content };
    });
    return [{ path, ...owned(access as Slots) }, ...inside];
  });
}

t.test('it holds every file of the tree with its mode and content, owned by root, and OpenWrt’s lists', (t) => {
  const found = new Map(nodes().map((node) => [node.path, node]));
  for (const entry of spec.tree.values()) {
    const node = found.get(entry.path);
    t.equal(node?.owner, 'root:root', entry.path);
    if (entry.kind !== 'file') continue;
    t.equal(node?.mode, entry.mode, entry.path);
    t.ok(node?.content?.equals(Buffer.from(entry.data)), entry.path);
  }
  const list = (suffix: string) => String(found.get(`lib/apk/packages/shareagent.${suffix}`)?.content);
  t.equal(list('conffiles'), '/etc/config/shareagent\n');
  t.match(list('conffiles_static'), /^\/etc\/config\/shareagent [0-9a-f]{64}\n$/);
  t.equal(list('rusers'), 'shareagent:shareagent\n');
  t.ok(list('list').includes('/etc/init.d/shareagent\n'));
  t.end();
});

t.test(
  'name, version, processor and sorted dependencies; the unique id is the digest with its own place empty',
  (t) => {
    const info = root[1] as Slots;
    t.same(
      [1, 2, 5, 6].map((slot) => String(info[slot])),
      ['shareagent', '1.2.3-r1', 'x86_64', 'Apache-2.0'],
    );
    t.same(
      (info[15] as Slots).slice(1).map((dep) => String((dep as Slots)[1])),
      spec.depends,
    );
    const id = info[3] as Buffer;
    const at = document.indexOf(id);
    const blank = Buffer.from(document);
    blank.fill(0, at, at + id.length);
    t.ok(createHash('sha256').update(blank).digest().subarray(0, id.length).equals(id));
    t.ok(bytes.equals(apkOf(testSpec())), 'the same input gives the same bytes');
    t.end();
  },
);

t.test('scripts: installation, upgrade (which says so) and removal, all of them shell', (t) => {
  const scripts = root[3] as Slots;
  const [install, remove, upgrade] = [3, 4, 7].map((slot) => String(scripts[slot]));
  t.match(install, /default_postinst[\s\S]*after-install/);
  t.notMatch(install, 'PKG_UPGRADE');
  t.match(upgrade, /export PKG_UPGRADE=1[\s\S]*after-install/);
  t.match(remove, /default_prerm[\s\S]*before-remove/);
  for (const script of [install, remove, upgrade]) execFileSync('sh', ['-n'], { input: script ?? '' });
  t.end();
});

t.test('a number or a document that ADB cannot hold is refused', (t) => {
  const adb = new AdbWriter();
  t.throws(() => adb.int(-1), { message: 'adb: -1 is no 32-bit number' });
  t.throws(() => adb.int(2 ** 32), { message: 'adb: 4294967296 is no 32-bit number' });
  t.end();
});

const apk = toolFrom('APK', 'apk');
t.test(
  'apk takes it into an offline root, and leaves nothing at removal',
  { skip: apk === undefined && 'no apk here (APK names one)' },
  (t) => {
    const root = join(folder, 'root');
    mkdirSync(join(root, 'etc/apk'), { recursive: true });
    writeFileSync(join(root, 'etc/apk/arch'), 'x86_64\n');
    const run = (...args: readonly string[]) => execFileSync(apk ?? '', [...args], { encoding: 'utf8', cwd: folder });
    const stubs = spec.depends.map((name) => {
      run('mkpkg', '--info', `name:${name}`, '--info', 'version:1-r0', '--info', 'arch:x86_64', '-o', `${name}.apk`);
      return `${name}.apk`;
    });
    writeFileSync(join(folder, 'shareagent.apk'), bytes);
    t.match(run('verify', '--allow-untrusted', 'shareagent.apk'), 'OK');
    const offline = ['--root', root, '--arch', 'x86_64', '--no-network', '--no-scripts', '--allow-untrusted'];
    run(...offline, 'add', '--initdb', ...stubs, 'shareagent.apk');
    for (const entry of spec.tree.values()) {
      if (entry.kind !== 'file') continue;
      t.ok(readFileSync(join(root, entry.path)).equals(Buffer.from(entry.data)), entry.path);
      t.equal(statSync(join(root, entry.path)).mode & 0o7777, entry.mode);
    }
    run(...offline, 'del', 'shareagent');
    const left = readdirSync(root, { recursive: true, encoding: 'utf8' }).filter((path) => path.includes('shareagent'));
    t.same(left, []);
    t.end();
  },
);
