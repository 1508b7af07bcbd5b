/** The LuCI pages as a package: what luci.mk makes of openwrt/luci-app-shareagent, without an SDK. It runs on every processor. */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { lmoOf, readPo } from './package/lmo.ts';
import type { PackageSpec } from './package/spec.ts';
import { readTree, type TreeEntry, treeOf } from './package/tree.ts';

const APP = fileURLToPath(new URL('../openwrt/luci-app-shareagent/', import.meta.url));

/** Folders of po/, and what LuCI calls each on the router (LUCI_LC_ALIAS of luci.mk). */
export const LANGUAGES: Readonly<Record<string, string>> = { es: 'es', zh_Hans: 'zh-cn' };

/** What opkg and apk call a package without machine code. */
export const ANY_ARCH = { ipk: 'all', apk: 'noarch' } as const;

/** As luci.mk does after its packages: menus and modules are cached, and rpcd has read ACLs and plugins at its start. */
const FORGET_CACHES =
  'rm -f /tmp/luci-indexcache*; rm -rf /tmp/luci-modulecache/; killall -HUP rpcd 2>/dev/null; exit 0';

/** @param mtimeS unix seconds, the time of every file */
export function luciSpec(format: keyof typeof ANY_ARCH, mtimeS: number): PackageSpec {
  const manifest = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as {
    version: string;
    license: string;
  };
  const run = `#!/bin/sh\n[ -n "\${IPKG_INSTROOT}" ] || { ${FORGET_CACHES}; }\n`;
  return {
    name: 'luci-app-shareagent',
    version: `${manifest.version}-r1`,
    arch: ANY_ARCH[format],
    description: 'LuCI pages of ShareAgent, paid guest WiFi: guests, earnings, prices, payout and health.',
    license: manifest.license,
    maintainer: 'SSP ShareAgent',
    url: '',
    source: 'feeds/shareagent/luci-app-shareagent',
    depends: dependsOf(readFileSync(`${APP}Makefile`, 'utf8')),
    user: '',
    mtimeS,
    tree: treeOf([...readTree(`${APP}htdocs`, 'www'), ...readTree(`${APP}root`), ...translations()]),
    conffiles: [],
    scripts: { postinst: run, prerm: '#!/bin/sh\nexit 0\n' },
  };
}

/** All languages in the one package: 18 kB each, and nobody has to look for more. */
function translations(): TreeEntry[] {
  return Object.entries(LANGUAGES).map(([folder, name]) => ({
    kind: 'file',
    path: `usr/lib/lua/luci/i18n/shareagent.${name}.lmo`,
    mode: 0o644,
    data: lmoOf(readPo(readFileSync(`${APP}po/${folder}/shareagent.po`, 'utf8'))),
  }));
}

/** The recipe's own, so that both builds need the same. */
function dependsOf(recipe: string): readonly string[] {
  const line = /^LUCI_DEPENDS:=(.*)$/m.exec(recipe)?.[1] ?? '';
  return ['libc', ...line.split(' ').map((name) => name.replace(/^\+/, ''))].sort();
}
