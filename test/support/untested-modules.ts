/**
 * The hole in a coverage gate: a module that no test loads has no coverage to be incomplete. Here such modules are found, by
 * comparing what tap recorded with what is on disk.
 */
import { existsSync, globSync, readdirSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { GATED_ROOMS } from '../../tools/coverage-map.ts';

/** Modules of protocol/ and agent/core/ with code in them that no test of the last `tap run` in `root` loaded. */
export function untestedModules(root: string): string[] {
  const loaded = modulesLoadedByTests(root);
  return GATED_ROOMS.flatMap((room) => globSync(`${room}/**/*.ts`, { cwd: root }))
    .filter((path) => !loaded.has(path) && hasRuntimeCode(readFileSync(join(root, path), 'utf8')))
    .sort();
}

/** False for a module that only imports, and declares or re-exports types: nothing of it exists at run time. */
export function hasRuntimeCode(source: string): boolean {
  const withoutComments = source.replace(/\/\*[\s\S]*?\*\//g, '').replace(/^\s*\/\/.*$/gm, '');
  return /^(?:export )?(?:async )?(?:const|let|function|class|enum)\b/m.test(withoutComments);
}

function modulesLoadedByTests(root: string): Set<string> {
  const folder = join(root, '.tap', 'coverage');
  const loaded = new Set<string>();
  // Absent if tap did not get as far as running a test.
  for (const name of existsSync(folder) ? readdirSync(folder) : []) {
    const { result } = JSON.parse(readFileSync(join(folder, name), 'utf8')) as { result: { url: string }[] };
    for (const { url } of result) if (url.startsWith('file:')) loaded.add(relative(root, fileURLToPath(url)));
  }
  return loaded;
}
