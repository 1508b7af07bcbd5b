/** What a package puts on the router: files, folders and links with their modes; all of it belongs to root. */
import { lstatSync, readdirSync, readFileSync, readlinkSync } from 'node:fs';

export type TreeEntry =
  | { readonly kind: 'folder'; readonly path: string; readonly mode: number }
  | { readonly kind: 'file'; readonly path: string; readonly mode: number; readonly data: Uint8Array }
  | { readonly kind: 'link'; readonly path: string; readonly target: string };

/** Paths without a leading slash, e.g. `etc/init.d/shareagent`; the package's root itself is not an entry. */
export type Tree = ReadonlyMap<string, TreeEntry>;

/** The mode that a file or folder of the checkout gets, whatever the umask was: executable or not is all git keeps. */
const FILE_MODE = { plain: 0o644, executable: 0o755 };
const FOLDER_MODE = 0o755;

/** @returns the entries of `folder`, under `prefix` (e.g. `usr/lib/shareagent`). @throws on devices, sockets and pipes */
export function readTree(folder: string, prefix = ''): TreeEntry[] {
  return readdirSync(folder)
    .sort(byBytes)
    .flatMap((name): TreeEntry[] => {
      const path = prefix === '' ? name : `${prefix}/${name}`;
      const source = `${folder}/${name}`;
      const facts = lstatSync(source);
      if (facts.isSymbolicLink()) return [{ kind: 'link', path, target: readlinkSync(source) }];
      if (facts.isDirectory()) return [{ kind: 'folder', path, mode: FOLDER_MODE }, ...readTree(source, path)];
      if (!facts.isFile()) throw new Error(`${source}: a package holds files, folders and links only`);
      const mode = (facts.mode & 0o100) === 0 ? FILE_MODE.plain : FILE_MODE.executable;
      return [{ kind: 'file', path, mode, data: readFileSync(source) }];
    });
}

/** One tree of all entries, with every folder on the way, in the order of their bytes. @throws if a path comes twice */
export function treeOf(entries: readonly TreeEntry[]): Tree {
  const all = new Map<string, TreeEntry>();
  for (const entry of entries) {
    const before = all.get(entry.path);
    if (before !== undefined && (before.kind !== 'folder' || entry.kind !== 'folder')) {
      throw new Error(`${entry.path}: two entries of the package want to be there`);
    }
    for (const folder of foldersTo(entry.path)) {
      if (!all.has(folder)) all.set(folder, { kind: 'folder', path: folder, mode: FOLDER_MODE });
    }
    all.set(entry.path, entry);
  }
  return new Map([...all].sort(([a], [b]) => byBytes(a, b)));
}

export function textFile(path: string, text: string, mode: number = FILE_MODE.plain): TreeEntry {
  return { kind: 'file', path, mode, data: Buffer.from(text) };
}

/** Bytes of all files. */
export function installedSize(tree: Tree): number {
  return [...tree.values()].reduce((sum, entry) => sum + (entry.kind === 'file' ? entry.data.length : 0), 0);
}

/** The order of C's strcmp, which package tools expect; JavaScript's own compares UTF-16. */
export function byBytes(a: string, b: string): number {
  return Buffer.compare(Buffer.from(a), Buffer.from(b));
}

function foldersTo(path: string): string[] {
  const parts = path.split('/');
  return parts.slice(1).map((_, depth) => parts.slice(0, depth + 1).join('/'));
}
