/**
 * Finds SQLite's native addon for a bundled agent, which has no node_modules to look in. Tried in this order: the path in
 * SHAREAGENT_ADDON, `better_sqlite3.node` beside the script or the executable, the copy inside a single executable.
 */
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { getRawAsset, isSea } from 'node:sea';

export const ADDON_FILE = 'better_sqlite3.node';

/**
 * The addon's exports. @throws Error if there is none, or if it does not fit this Node and C library; it names the file and
 * what to do.
 */
export function loadAddon(): unknown {
  const installed = installedAddon();
  if (installed !== undefined) return open(installed);
  if (!isSea()) {
    throw new Error(
      `SQLite's native addon is missing: put ${ADDON_FILE} beside the agent, or name its path in SHAREAGENT_ADDON`,
    );
  }
  return openEmbedded();
}

function installedAddon(): string | undefined {
  const named = process.env['SHAREAGENT_ADDON'];
  if (named !== undefined && named !== '') return named;
  // Under a loader of its own (ld-linux beside the agent), execPath is that loader: the same folder.
  const folders = [process.argv[1], process.execPath].filter((path) => path !== undefined).map(dirname);
  return folders.map((folder) => join(folder, ADDON_FILE)).find((path) => existsSync(path));
}

/**
 * dlopen wants a file. It gets one in a folder that only we can enter, gone again once it is mapped: nothing stays to be
 * cleaned up after a crash, and nobody can put another in its place.
 */
function openEmbedded(): unknown {
  const folder = mkdtempSync(join(tmpdir(), 'shareagent-'));
  try {
    const path = join(folder, ADDON_FILE);
    writeFileSync(path, new Uint8Array(getRawAsset(ADDON_FILE)), { mode: 0o500 });
    return open(path);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function open(path: string): unknown {
  const addon: { exports: unknown } = { exports: {} };
  try {
    process.dlopen(addon, path);
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new Error(
      `SQLite's native addon ${path} does not load (${reason}): it must be built for ${process.arch} and this C library, ` +
        'on a file system that allows execution; TMPDIR moves the copy that a single executable makes',
      { cause },
    );
  }
  return addon.exports;
}
