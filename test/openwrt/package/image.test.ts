/** Images: a dry run of the image builder's command, what ends up in the overlay, the first boot; and the feed recipe. */
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import t from 'tap';
import { packageSpec } from '../../../tools/build-package.ts';
import { Router, SHELLS } from './support/router.ts';

const OPENWRT = fileURLToPath(new URL('../../../openwrt/', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'image-'));
t.teardown(() => rmSync(folder, { recursive: true, force: true }));
for (const name of ['builder', 'packages', 'payload']) mkdirSync(join(folder, name));
writeFileSync(join(folder, 'builder/Makefile'), 'image:\n\t@echo built\n');
writeFileSync(join(folder, 'packages/shareagent_0.1.0-r1_x86_64.ipk'), '');
writeFileSync(
  join(folder, 'settings'),
  '# ours\nchain.payee=0x1111111111111111111111111111111111111111\nagent.enabled=1\n',
);
writeFileSync(join(folder, 'key'), 'secret\n');

type Ran = { readonly status: number; readonly text: string };
function build(...args: readonly string[]): Ran {
  try {
    const command = [`${OPENWRT}imagebuilder/build-image`, ...args];
    return { status: 0, text: execFileSync('sh', command, { cwd: folder, encoding: 'utf8', stdio: 'pipe' }) };
  } catch (error) {
    const { status, stderr } = error as { status: number; stderr: string };
    return { status, text: stderr };
  }
}

t.test('a dry run names the command, and prepares secrets that only root can read', (t) => {
  const { status, text } = build(
    '-b',
    'builder',
    '-p',
    'glinet_gl-mt6000',
    '-d',
    'packages',
    '-c',
    'settings',
    '-k',
    'key',
    '-n',
  );
  t.equal(status, 0, text);
  t.match(
    text,
    /would run: make -C builder image PROFILE=glinet_gl-mt6000 PACKAGES=shareagent .*-dnsmasq dnsmasq-full/,
  );
  t.same(readdirSync(join(folder, 'image/files/etc')).toSorted(), ['shareagent', 'shareagent-root', 'uci-defaults']);
  for (const name of ['shareagent/enrolment-key', 'shareagent-root/first-boot.conf']) {
    t.equal(statSync(join(folder, 'image/files/etc', name)).mode & 0o777, 0o600, name);
  }
  t.same(readdirSync(join(folder, 'builder')), ['Makefile'], 'nothing was done to the image builder');
  t.end();
});

t.test('without -n the packages are handed over and the image builder runs', (t) => {
  t.match(build('-b', 'builder', '-p', 'x', '-d', 'packages').text, 'built');
  t.same(readdirSync(join(folder, 'builder/packages')), ['shareagent_0.1.0-r1_x86_64.ipk']);
  t.end();
});

t.test('what is missing or wrong is said', (t) => {
  writeFileSync(join(folder, 'bad'), 'agent.enabled=1\nuci delete network\n');
  t.match(build('-b', 'builder', '-p', 'x'), { status: 2 });
  t.match(build('-b', 'payload', '-p', 'x', '-d', 'packages').text, 'payload: no image builder there');
  t.match(build('-b', 'builder', '-p', 'x', '-d', 'payload').text, 'no package shareagent');
  t.match(
    build('-b', 'builder', '-p', 'x', '-d', 'packages', '-c', 'bad', '-n').text,
    'bad, line 2: expected section.option=value',
  );
  t.end();
});

for (const shell of SHELLS) {
  t.test(`${shell}: the first boot takes the settings over, opens the WiFi, and leaves no copy`, async (t) => {
    const router = new Router(shell);
    t.teardown(() => router.close());
    const env = {
      SHAREAGENT_KEPT: `${router.root}/etc/shareagent-root`,
      SHAREAGENT_LIBEXEC: `${router.root}/usr/libexec/shareagent`,
    };
    await router.run('etc/uci-defaults/60_shareagent-network');
    router.write('etc/shareagent-root/first-boot.conf', readFileSync(join(folder, 'settings'), 'utf8'));
    router.write('first-boot', readFileSync(`${OPENWRT}imagebuilder/first-boot`, 'utf8'));
    t.equal((await router.run('first-boot', [], env)).code, 0);
    const { shareagent, wireless } = await router.config();
    t.match(shareagent, "shareagent.chain.payee='0x1111111111111111111111111111111111111111'");
    t.match(wireless, "wireless.shareagent_radio0.disabled='0'");
    t.notOk(router.has('etc/shareagent-root/first-boot.conf'));
    t.equal((await router.run('first-boot', [], env)).code, 0, 'twice is nothing');
  });
}

t.test('the feed recipe installs the same files as the package builder, under a stand-in of the build system', (t) => {
  writeFileSync(join(folder, 'payload/shareagent'), '#!/bin/sh\n', { mode: 0o755 });
  const top = join(folder, 'top');
  mkdirSync(join(top, 'include'), { recursive: true });
  writeFileSync(
    join(top, 'rules.mk'),
    `INCLUDE_DIR:=${top}/include\nCP:=cp -fpR\nINSTALL_DIR:=install -d -m0755\nARCH:=x86_64\n`,
  );
  writeFileSync(
    join(top, 'include/package.mk'),
    'define BuildPackage\nall:\n\t$(call Build/Compile)\n\t$(call Package/$(1)/install,$(DESTDIR))\nendef\n',
  );
  const root = join(folder, 'root');
  mkdirSync(root);
  const make = (payload: string) =>
    execFileSync(
      'make',
      ['-C', `${OPENWRT}shareagent`, `TOPDIR=${top}`, `DESTDIR=${root}`, `SHAREAGENT_PAYLOAD=${payload}`],
      {
        stdio: 'pipe',
        encoding: 'utf8',
      },
    );
  make(join(folder, 'payload'));
  const installed = readdirSync(root, { recursive: true, encoding: 'utf8' }).filter((path) =>
    statSync(join(root, path)).isFile(),
  );
  const committed = readdirSync(`${OPENWRT}files`, { recursive: true, encoding: 'utf8' });
  const files = committed.filter((path) => statSync(`${OPENWRT}files/${path}`).isFile());
  t.same(installed.toSorted(), [...files, 'usr/lib/shareagent/shareagent', 'usr/lib/shareagent/build-id'].toSorted());
  t.ok((statSync(join(root, 'etc/init.d/shareagent')).mode & 0o111) !== 0);
  t.match(readFileSync(join(root, 'usr/lib/shareagent/build-id'), 'utf8'), /^[0-9a-f]{64}\n$/);
  t.throws(() => make(join(folder, 'nowhere')), /run make binary/);
  t.end();
});

t.test('the feed recipe is where scripts/feeds looks, and says what the package builder says', (t) => {
  // It takes FOLDER/Makefile below the feed; one in the feed's own folder it cannot name, and drops.
  const recipes = readdirSync(OPENWRT, { recursive: true, encoding: 'utf8' }).filter((path) =>
    /(^|[/])Makefile$/.test(path),
  );
  t.same(recipes.toSorted(), ['luci-app-shareagent/Makefile', 'shareagent/Makefile']);
  const recipe = readFileSync(`${OPENWRT}shareagent/Makefile`, 'utf8');
  const { version, license, depends, user, conffiles } = packageSpec({ entries: [], depends: [] }, 'x86_64', 0);
  t.match(recipe, `\nPKG_VERSION:=${version.replace('-r1', '')}\nPKG_RELEASE:=1\nPKG_LICENSE:=${license}\n`);
  const [, needed = ''] = /^ {2}DEPENDS:=(.*)$/m.exec(recipe) ?? [];
  // Every package needs libc; the buildroot adds it by itself.
  t.same(['libc', ...needed.split(' ').map((name) => name.replace(/^[+]/, ''))].toSorted(), depends);
  t.match(recipe, `USERID:=${user}\n`);
  t.match(recipe, `/conffiles\n${conffiles.map((path) => `/${path}\n`).join('')}endef`);
  t.end();
});
