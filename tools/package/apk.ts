/**
 * The package format of apk-tools 3 (OpenWrt from 25.12): a binary document of package and file facts, then the content of
 * each file, as deflate. Without a key it is unsigned: `apk add --allow-untrusted`.
 * @see apk-v3(5); slot numbers are those of apk-tools' src/apk_adb.h
 */
import { createHash, type KeyObject } from 'node:crypto';
import { deflateRawSync } from 'node:zlib';
import { type AdbValue, AdbWriter } from './adb.ts';
import { signatureOf } from './apk-signature.ts';
import type { PackageSpec } from './spec.ts';
import { byBytes, installedSize, type Tree, type TreeEntry, textFile, treeOf } from './tree.ts';

const MAGIC = 'ADB.';
const MAGIC_DEFLATE = 'ADBd';
const SCHEMA_PACKAGE = 'pckg';
const BLOCK = { adb: 0, signature: 1, data: 2 } as const;
const BLOCK_ALIGNMENT = 8;
/** Larger blocks have another header. */
const MAX_BLOCK_BYTES = 0x3fffffff;
const UNIQUE_ID_BYTES = 20;
/** S_IFLNK of a link's target. */
const LINK_MODE = 0o120000;

type Folder = {
  readonly path: string;
  readonly mode: number;
  readonly files: readonly Exclude<TreeEntry, { kind: 'folder' }>[];
};

/** @param key of whoever makes the package, see signingKey; the same input gives the same bytes only without it */
export function apkOf(spec: PackageSpec, key?: KeyObject): Buffer {
  const folders = foldersOf(apkTree(spec));
  const document = documentOf(spec, folders);
  const parts = [Buffer.from(MAGIC), Buffer.from(SCHEMA_PACKAGE), block(BLOCK.adb, [document])];
  if (key !== undefined) parts.push(block(BLOCK.signature, [signatureOf(key, SCHEMA_PACKAGE, document)]));
  for (const [folderIndex, { files }] of folders.entries()) {
    for (const [fileIndex, file] of files.entries()) {
      if (file.kind !== 'file' || file.data.length === 0) continue;
      const place = Buffer.alloc(8);
      place.writeUInt32LE(folderIndex + 1, 0);
      place.writeUInt32LE(fileIndex + 1, 4);
      parts.push(block(BLOCK.data, [place, Buffer.from(file.data)]));
    }
  }
  return Buffer.concat([Buffer.from(MAGIC_DEFLATE), deflateRawSync(Buffer.concat(parts), { level: 9 })]);
}

/** With the lists that OpenWrt's base-files reads at installation and sysupgrade. */
function apkTree(spec: PackageSpec): Tree {
  const list = [...spec.tree.values()].filter(({ kind }) => kind !== 'folder').map(({ path }) => `/${path}\n`);
  const sums = spec.conffiles.map((path) => {
    const file = spec.tree.get(path);
    if (file?.kind !== 'file') throw new Error(`${path}: named as a conffile, but not in the package`);
    return `/${path} ${sha256(file.data).toString('hex')}\n`;
  });
  const record = (suffix: string, text: string) => textFile(`lib/apk/packages/${spec.name}.${suffix}`, text);
  return treeOf([
    ...spec.tree.values(),
    record('list', list.join('')),
    record('conffiles', spec.conffiles.map((path) => `/${path}\n`).join('')),
    record('conffiles_static', sums.join('')),
    ...(spec.user === '' ? [] : [record('rusers', `${spec.user}\n`)]),
  ]);
}

function foldersOf(tree: Tree): readonly Folder[] {
  const entries = [...tree.values()];
  const folders = [{ path: '', mode: 0o755 }, ...entries.filter((entry) => entry.kind === 'folder')];
  return folders
    .map(({ path, mode }) => ({
      path,
      mode,
      files: entries
        .filter((entry) => entry.kind !== 'folder')
        .filter((entry) => folderName(entry.path) === path)
        .sort((a, b) => byBytes(fileName(a.path), fileName(b.path))),
    }))
    .sort((a, b) => byBytes(a.path, b.path));
}

function documentOf(spec: PackageSpec, folders: readonly Folder[]): Buffer {
  const adb = new AdbWriter();
  const access = (mode: number) => adb.object({ 1: adb.int(mode), 2: adb.blob('root'), 3: adb.blob('root') });
  const file = (entry: Folder['files'][number]): AdbValue =>
    adb.object({
      1: adb.blob(fileName(entry.path)),
      2: access(entry.kind === 'file' ? entry.mode : 0o777),
      3: adb.int(entry.kind === 'file' ? entry.data.length : 0),
      4: adb.int(spec.mtimeS),
      ...(entry.kind === 'file' ? { 5: adb.blob(sha256(entry.data)) } : { 6: adb.blob(linkTarget(entry.target)) }),
    });
  const paths = folders.map((folder) =>
    adb.object({ 1: adb.blob(folder.path), 2: access(folder.mode), 3: adb.array(folder.files.map(file)) }),
  );
  const uniqueId = adb.reserve(UNIQUE_ID_BYTES);
  const info = adb.object({
    1: adb.blob(spec.name),
    2: adb.blob(spec.version),
    3: uniqueId.value,
    4: adb.blob(spec.description),
    5: adb.blob(spec.arch),
    6: adb.blob(spec.license),
    7: adb.blob(spec.source),
    8: adb.blob(spec.maintainer),
    9: adb.blob(spec.url),
    11: adb.int(spec.mtimeS),
    12: adb.int(Math.max(1, installedSize(spec.tree))),
    15: adb.array([...spec.depends].sort(byBytes).map((name) => adb.object({ 1: adb.blob(name) }))),
  });
  const { install, upgrade, remove } = apkScripts(spec);
  const scripts = adb.object({ 3: adb.blob(install), 4: adb.blob(remove), 7: adb.blob(upgrade) });
  const root = adb.object({ 1: info, 2: adb.array(paths), 3: scripts });
  // A package is known by the digest of its document, made while the digest's own place is empty.
  adb.fill(uniqueId.at, sha256(adb.finish(root)).subarray(0, UNIQUE_ID_BYTES));
  return adb.finish(root);
}

/** As OpenWrt's include/package-pack.mk composes them; apk has no `*-pkg` files, so that our part is inside. */
function apkScripts({ name, scripts }: PackageSpec) {
  const begin = (...lines: readonly string[]) => ['#!/bin/sh', ...lines];
  const functions = [
    `[ -s "\${IPKG_INSTROOT}/lib/functions.sh" ] || exit 0`,
    `. \${IPKG_INSTROOT}/lib/functions.sh`,
    `export root="\${IPKG_INSTROOT}"`,
    `export pkgname="${name}"`,
  ];
  const body = [
    `[ "\${IPKG_NO_SCRIPT}" = "1" ] && exit 0`,
    ...functions,
    'add_group_and_user',
    'default_postinst',
    withoutShebang(scripts.postinst),
  ];
  return {
    install: begin(...body).join('\n'),
    upgrade: begin('export PKG_UPGRADE=1', ...body).join('\n'),
    remove: begin(...functions, 'default_prerm', withoutShebang(scripts.prerm)).join('\n'),
  };
}

function withoutShebang(script: string): string {
  return script.replace(/^#!.*\n/, '');
}

function block(type: number, parts: readonly Buffer[]): Buffer {
  const length = parts.reduce((sum, part) => sum + part.length, 0) + 4;
  if (length > MAX_BLOCK_BYTES) throw new Error('apk: a file of more than 1 GiB');
  const head = Buffer.alloc(4);
  head.writeUInt32LE(((type << 30) | length) >>> 0);
  const padding = (BLOCK_ALIGNMENT - (length % BLOCK_ALIGNMENT)) % BLOCK_ALIGNMENT;
  return Buffer.concat([head, ...parts, Buffer.alloc(padding)]);
}

function linkTarget(target: string): Buffer {
  const mode = Buffer.alloc(2);
  mode.writeUInt16LE(LINK_MODE);
  return Buffer.concat([mode, Buffer.from(target)]);
}

function sha256(data: Uint8Array): Buffer {
  return createHash('sha256').update(data).digest();
}

function folderName(path: string): string {
  return path.includes('/') ? path.slice(0, path.lastIndexOf('/')) : '';
}

function fileName(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1);
}
