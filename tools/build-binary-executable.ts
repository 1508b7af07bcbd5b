/**
 * One executable of a stripped Node, the bundled agent and SQLite's addon, by `@yao-pkg/pkg --sea`. pkg would take Node from
 * nodejs.org; here it finds the one from the npm registry, checked by tools/fetch-node, in its cache. Symbols go before the
 * blob is put in: a strip afterwards breaks the executable.
 *
 * @see https://nodejs.org/docs/latest-v24.x/api/single-executable-applications.html
 */
import { execFileSync } from 'node:child_process';
import { chmodSync, copyFileSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import pkgSea from '@yao-pkg/pkg/lib-es5/sea.js';
import { ADDON_FILE } from '../openwrt/binary/load-addon.ts';
import { DIET_FLAGS } from './build-agent.ts';
import { blankToolSources, dropCodeCaches, dropUnwindTables, slimIcu } from './build-binary-diet.ts';
import type { Target } from './build-binary-target.ts';

const ROOT = fileURLToPath(new URL('..', import.meta.url));

/** Path of the pinned Node of a target, fetched if it is not there. */
export function pinnedNode({ nodeArch }: Target): string {
  if (nodeArch === process.arch) return process.execPath;
  execFileSync('sh', [`${ROOT}tools/fetch-node`, nodeArch], { stdio: ['ignore', 'inherit', 'inherit'] });
  return `${ROOT}.tools/node-${nodeArch}/bin/node`;
}

/** SQLite's addon as better-sqlite3's package brings it. `libc`: `linux` is glibc, `linuxmusl` musl. */
export function prebuiltAddon({ nodeArch }: Target, libc: 'linux' | 'linuxmusl'): string {
  return `${ROOT}node_modules/better-sqlite3/prebuilds/${libc}-${nodeArch}.node`;
}

/** Writes Node without symbols, and without what a router never reads if `isSlim`, to `path`. */
export function writeNode(target: Target, isSlim: boolean, path: string): void {
  const strip = [`${target.triple}-strip`, 'llvm-strip', ...(target.nodeArch === process.arch ? ['strip'] : [])];
  const tool = strip.find(isOnPath);
  if (tool === undefined) {
    throw new Error(
      `none of ${strip.join(', ')} is on PATH; Debian: apt-get install binutils-${target.triple} or llvm`,
    );
  }
  execFileSync(tool, ['-o', path, pinnedNode(target)]);
  if (!isSlim) return;
  const image = readFileSync(path);
  slimIcu(image);
  blankToolSources(image, builtinSources());
  dropCodeCaches(image);
  dropUnwindTables(image);
  writeFileSync(path, image);
}

export type Parts = {
  readonly target: Target;
  /** Stripped Node of the target. */
  readonly node: string;
  /** The agent as one CommonJS file. */
  readonly script: string;
  readonly output: string;
  /** A folder of this call's own, gone afterwards. */
  readonly workspace: string;
};

/** Joins the parts. The same parts give the same bytes, wherever the workspace is. */
export async function writeExecutable({ target, node, script, output, workspace }: Parts): Promise<void> {
  const temporary = join(workspace, 'tmp');
  seedCache(workspace, target, node);
  mkdirSync(temporary, { recursive: true });
  copyFileSync(script, join(temporary, basename(script)));
  copyFileSync(prebuiltAddon(target, 'linux'), join(temporary, ADDON_FILE));
  // The script's path ends up in the executable, and pkg works in a folder below TMPDIR: relative, it names no machine.
  const seaConfig = {
    main: `../${basename(script)}`,
    assets: { [ADDON_FILE]: `../${ADDON_FILE}` },
    disableExperimentalSEAWarning: true,
    useSnapshot: false,
    // Made under other V8 flags than it would be read with, and by another machine.
    useCodeCache: false,
    execArgv: DIET_FLAGS,
    execArgvExtension: 'env',
  };
  const targets = [
    { platform: 'linux' as const, arch: target.nodeArch, nodeRange: `node${process.versions.node}`, output },
  ];
  await withEnvironment({ HOME: workspace, TMPDIR: temporary }, () =>
    pkgSea.default(join(temporary, basename(script)), { targets, seaConfig }),
  );
  chmodSync(output, 0o755);
  rmSync(workspace, { recursive: true, force: true });
}

/** What pkg would leave behind after a download that it had checked. */
function seedCache(home: string, { nodeArch }: Target, node: string): void {
  const cached = join(home, `.pkg-cache/sea/node-v${process.versions.node}-linux-${nodeArch}`);
  mkdirSync(`${cached}/bin`, { recursive: true });
  copyFileSync(node, `${cached}/bin/node`);
  for (const mark of [`${cached}/bin/node.ok`, `${cached}.tar.gz`, `${cached}.tar.gz.ok`]) writeFileSync(mark, '');
}

async function withEnvironment(variables: Record<string, string>, run: () => Promise<void>): Promise<void> {
  const before = Object.keys(variables).map((name) => [name, process.env[name]] as const);
  Object.assign(process.env, variables);
  try {
    await run();
  } finally {
    for (const [name, value] of before) {
      if (value === undefined) delete process.env[name];
      else process.env[name] = value;
    }
  }
}

/** Sources of Node's own modules: those of every machine are the same. */
function builtinSources(): Record<string, string> {
  const tell = 'JSON.stringify(require("internal/test/binding").internalBinding("builtins").natives)';
  const text = execFileSync(process.execPath, ['--expose-internals', '--no-warnings', '-p', tell], {
    encoding: 'utf8',
    maxBuffer: 64 * 1024 * 1024,
  });
  return JSON.parse(text) as Record<string, string>;
}

function isOnPath(command: string): boolean {
  return (process.env['PATH'] ?? '').split(':').some((folder) => existsSync(join(folder, command)));
}
