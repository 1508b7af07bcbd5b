/**
 * Builds the package for OpenWrt without an SDK: openwrt/files and a payload, as ipk (opkg, up to 24.10) or apk (from 25.12).
 * Without --payload it makes the thin one: bundle and addon, for routers that have Node from a feed. The LuCI pages are a second
 * package beside it. With --key an apk is signed; an ipk cannot be, so there it is a feed's index that is (opkg). The public key
 * for routers lies beside it.
 *
 * Run: node tools/build-package.ts ipk|apk [--arch x86_64] [--payload FOLDER] [--key FILE] [--out FOLDER]
 */
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { ADDON_FILE } from '../openwrt/node-netlink/src/addon.ts';
import { buildAgent, DIET_FLAGS } from './build-agent.ts';
import { TARGETS } from './build-binary-target.ts';
import { netlinkAddon } from './build-netlink-addon.ts';
import { luciSpec } from './build-package-luci.ts';
import { apkOf } from './package/apk.ts';
import { publicKeyText, signingKey } from './package/apk-signature.ts';
import { gzip, ipkOf } from './package/ipk.ts';
import { type FeedPackage, opkgIndex } from './package/opkg-index.ts';
import type { PackageSpec } from './package/spec.ts';
import { readTree, type TreeEntry, textFile, treeOf } from './package/tree.ts';
import { type FeedKey, feedKey, feedKeyName, feedKeyText, usignSignature } from './package/usign.ts';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const LIB = 'usr/lib/shareagent';
const CONFIG = 'etc/config/shareagent';

export const PACKAGE_NAME = 'shareagent';
/** What the scripts and the rules need; the payload's own needs come on top. */
const BASE_DEPENDS = ['libc', 'firewall4', 'kmod-nft-bridge', 'nftables-json', 'procd-ujail'];
const THIN_DEPENDS = ['libstdcpp', 'node'];

/** The musl builds of the addon, by the first part of OpenWrt's name of the processor. */
const ADDON_OF_CPU: Readonly<Record<string, string>> = { x86: 'linuxmusl-x64', aarch64: 'linuxmusl-arm64' };

export type Payload = {
  /** Lies in /usr/lib/shareagent; `shareagent` in it is what the command starts. */
  readonly entries: readonly TreeEntry[];
  readonly depends: readonly string[];
};

/** A folder that holds an executable `shareagent`. @throws if it does not */
export function payloadFrom(folder: string): Payload {
  const entries = readTree(folder, LIB);
  const command = entries.find(({ path }) => path === `${LIB}/shareagent`);
  if (command?.kind !== 'file' || (command.mode & 0o111) === 0) {
    throw new Error(`${folder}: expected an executable file shareagent in it; make it with make binary`);
  }
  // A script needs the router's Node; an executable brings its own.
  const isThin = entries.some(({ path }) => path === `${LIB}/shareagent.cjs`);
  return { entries, depends: isThin ? THIN_DEPENDS : [] };
}

/** The same one as `make binary` ships: it refuses a Node that is too old. The flags save memory only. */
export function thinLauncher(): string {
  const text = readFileSync(`${ROOT}openwrt/binary/shareagent-thin.sh`, 'utf8');
  return text.replace('@FLAGS@', DIET_FLAGS.join(' '));
}

/** The bundle in dist/ and the addon. @throws if there is no addon for `arch` */
export function thinPayload(arch: string): Payload {
  const addon = ADDON_OF_CPU[arch.split('_')[0] ?? ''];
  if (addon === undefined) {
    const known = Object.keys(ADDON_OF_CPU).join(', ');
    throw new Error(`arch ${arch}: better-sqlite3 has no addon for it (there is one for ${known}); give --payload`);
  }
  const sqlite = `${ROOT}node_modules/better-sqlite3`;
  const sqliteLib = `${LIB}/node_modules/better-sqlite3`;
  return {
    entries: [
      // The addon in dist/ is this machine's.
      ...readTree(`${ROOT}dist`, LIB).filter(({ path }) => path !== `${LIB}/${ADDON_FILE}`),
      ...netlinkEntries(addon),
      ...readTree(`${sqlite}/lib`, `${sqliteLib}/lib`),
      textFile(`${sqliteLib}/package.json`, readFileSync(`${sqlite}/package.json`, 'utf8')),
      {
        kind: 'file',
        path: `${sqliteLib}/prebuilds/${addon}.node`,
        mode: 0o644,
        data: readFileSync(`${sqlite}/prebuilds/${addon}.node`),
      },
      textFile(`${LIB}/shareagent`, thinLauncher(), 0o755),
    ],
    depends: THIN_DEPENDS,
  };
}

/** The netlink addon for the same processor as SQLite's `addon`, if it can be compiled here. */
function netlinkEntries(addon: string): TreeEntry[] {
  const target = TARGETS.find(({ nodeArch }) => addon.endsWith(`-${nodeArch}`));
  const file = target === undefined ? undefined : netlinkAddon(target);
  return file === undefined
    ? []
    : [{ kind: 'file', path: `${LIB}/${ADDON_FILE}`, mode: 0o644, data: readFileSync(file) }];
}

/** @param mtimeS unix seconds, the time of every file */
export function packageSpec(payload: Payload, arch: string, mtimeS: number): PackageSpec {
  const manifest = JSON.parse(readFileSync(`${ROOT}package.json`, 'utf8')) as { version: string; license: string };
  const run = (script: string) => `#!/bin/sh\n[ -n "\${IPKG_INSTROOT}" ] || /usr/libexec/shareagent/${script}\n`;
  return {
    name: PACKAGE_NAME,
    version: `${manifest.version}-r1`,
    arch,
    description:
      'Paid guest WiFi: exact metering, a captive portal paid by micropayment channels, signed traffic proofs.',
    license: manifest.license,
    maintainer: 'SSP ShareAgent',
    url: '',
    source: 'feeds/shareagent/shareagent',
    depends: [...BASE_DEPENDS, ...payload.depends].sort(),
    user: 'shareagent:shareagent',
    mtimeS,
    tree: treeOf([
      ...readTree(`${ROOT}openwrt/files`),
      ...payload.entries,
      // procd compares it: another build is another process.
      textFile(`${LIB}/build-id`, `${digestOf(payload.entries)}\n`),
    ]),
    conffiles: [CONFIG],
    scripts: { postinst: run('after-install'), prerm: run('before-remove') },
  };
}

export function packageFile(spec: PackageSpec, format: 'ipk' | 'apk'): string {
  const separator = format === 'ipk' ? '_' : '-';
  return `${spec.name}${separator}${spec.version}${format === 'ipk' ? `_${spec.arch}` : `.${spec.arch}`}.${format}`;
}

function digestOf(entries: readonly TreeEntry[]): string {
  const hash = createHash('sha256');
  for (const entry of entries) {
    hash.update(`${entry.path}\0`);
    if (entry.kind === 'file') hash.update(entry.data);
  }
  return hash.digest('hex');
}

/** SOURCE_DATE_EPOCH, else the time of the last commit, else 0: the same checkout gives the same bytes. */
function sourceTimeS(): number {
  const given = Number(process.env['SOURCE_DATE_EPOCH']);
  if (Number.isSafeInteger(given) && given > 0) return given;
  try {
    return Number(execFileSync('git', ['log', '-1', '--format=%ct'], { cwd: ROOT, encoding: 'utf8' }));
  } catch {
    return 0;
  }
}

async function main(args: readonly string[]): Promise<number> {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: {
      arch: { type: 'string', default: 'x86_64' },
      payload: { type: 'string', default: '' },
      key: { type: 'string', default: '' },
      out: { type: 'string', default: `${ROOT}build/package` },
    },
  });
  const [format, extra] = positionals;
  if ((format !== 'ipk' && format !== 'apk') || extra !== undefined) {
    console.error('usage: build-package ipk|apk [--arch x86_64] [--payload FOLDER] [--key FILE] [--out FOLDER]');
    return 2;
  }
  const { arch, payload, out } = values;
  // Read before the long work: what is wrong with a key is said at once.
  const text = values.key === '' ? undefined : readFileSync(values.key, 'utf8');
  const key = text === undefined || format === 'ipk' ? undefined : signingKey(text);
  const ofFeed = text === undefined || format === 'apk' ? undefined : feedKey(text);
  if (payload === '') await buildAgent();
  const agent = packageSpec(payload === '' ? thinPayload(arch) : payloadFrom(payload), arch, sourceTimeS());
  mkdirSync(out, { recursive: true });
  if (key !== undefined) writeFileSync(`${out}/${PACKAGE_NAME}.pem`, publicKeyText(key));
  const packages: FeedPackage[] = [agent, luciSpec(format, sourceTimeS())].map((spec) => ({
    spec,
    file: packageFile(spec, format),
    bytes: format === 'ipk' ? ipkOf(spec) : apkOf(spec, key),
  }));
  for (const { file, bytes } of packages) {
    writeFileSync(`${out}/${file}`, bytes);
    const sum = createHash('sha256').update(bytes).digest('hex');
    console.log(`${out}/${file}\n${(bytes.length / 1e6).toFixed(2)} MB packed, sha256 ${sum}`);
  }
  if (ofFeed !== undefined) writeFeed(out, packages, ofFeed);
  return 0;
}

/** What opkg asks a feed for, and the key that it needs for that. */
function writeFeed(out: string, packages: readonly FeedPackage[], key: FeedKey): void {
  const index = Buffer.from(opkgIndex(packages));
  writeFileSync(`${out}/Packages`, index);
  writeFileSync(`${out}/Packages.gz`, gzip(index));
  writeFileSync(`${out}/Packages.sig`, usignSignature(key, index));
  writeFileSync(`${out}/${feedKeyName(key)}`, feedKeyText(key));
  console.log(`${out}/Packages.sig: for routers with ${feedKeyName(key)} in /etc/opkg/keys`);
}

if (import.meta.main) process.exitCode = await main(process.argv.slice(2));
