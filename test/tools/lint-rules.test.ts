/** The linter must say no: each rule that ARCHITECTURE.md and the style lean on is shown a file that breaks it. */
import { execFileSync } from 'node:child_process';
import { copyFileSync, cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import t from 'tap';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const IMPORTS = 'lint/style/noRestrictedImports';
const GLOBALS = 'lint/style/noRestrictedGlobals';

/** [file, source, the rule that must refuse it, or undefined if it must pass] */
const SNIPPETS: readonly (readonly [path: string, source: string, rule: string | undefined])[] = [
  ['protocol/good.ts', "import { sha256 } from '@noble/hashes/sha2.js';\nexport const x = sha256;\n", undefined],
  ['protocol/node.ts', "import { readFileSync } from 'node:fs';\nexport const x = readFileSync;\n", IMPORTS],
  ['protocol/agent.ts', "import type { A } from '../agent/ports.ts';\nexport type X = A;\n", IMPORTS],
  ['protocol/micro.ts', "import { addr } from 'micro-eth-signer';\nexport const x = addr;\n", IMPORTS],
  ['protocol/dynamic.ts', "export const x = await import('node:fs');\n", IMPORTS],
  ['protocol/clock.ts', 'export const x = (): number => Date.now();\n', GLOBALS],
  ['protocol/timer.ts', 'export const x = (f: () => void): unknown => setTimeout(f, 1);\n', GLOBALS],
  ['protocol/buffer.ts', 'export const x = Buffer.alloc(1);\n', GLOBALS],
  ['agent/core/good.ts', "import type { Hex } from '../../protocol/good.ts';\nexport type X = Hex;\n", undefined],
  ['agent/core/edge.ts', "import { x } from '../adapters/good.ts';\nexport const y = x;\n", IMPORTS],
  ['agent/core/ports.ts', "import type { A } from '../ports.ts';\nexport type X = A;\n", IMPORTS],
  [
    'agent/core/library.ts',
    "import { keccak_256 } from '@noble/hashes/sha3.js';\nexport const x = keccak_256;\n",
    IMPORTS,
  ],
  ['agent/core/random.ts', 'export const x = (): number => Math.random();\n', 'lint/nursery/noJsRestrictedProperties'],
  ['agent/core/process.ts', "export const x = (): unknown => process.env['A'];\n", GLOBALS],
  ['agent/core/network.ts', "export const x = (): unknown => fetch('a');\n", GLOBALS],
  ['agent/adapters/good.ts', "import { readFileSync } from 'node:fs';\nexport const x = readFileSync;\n", undefined],
  ['agent/adapters/names.ts', "import { x } from '../core/names.ts';\nexport const y = x;\n", undefined],
  ['agent/adapters/nft/deep.ts', "import { x } from '../../core/names.ts';\nexport const y = x;\n", undefined],
  ['agent/adapters/decides.ts', "import { x } from '../core/handle.ts';\nexport const y = x;\n", IMPORTS],
  ['agent/adapters/nft/decides.ts', "import { x } from '../../core/handle.ts';\nexport const y = x;\n", IMPORTS],
  ['agent/adapters/root.ts', "import { x } from '../main.ts';\nexport const y = x;\n", IMPORTS],
  ['agent/driver.ts', "import { x } from './adapters/good.ts';\nexport const y = x;\n", IMPORTS],
  ['agent/guest/edge.ts', "import { x } from '../adapters/good.ts';\nexport const y = x;\n", IMPORTS],
  ['agent/guest/root.ts', "import { x } from '../main.ts';\nexport const y = x;\n", IMPORTS],
  ['agent/adapters/guest.ts', "import { x } from '../guest/desk.ts';\nexport const y = x;\n", IMPORTS],
  ['agent/guest/desk.ts', "import { x } from '../../captive-portal/good.ts';\nexport const y = x;\n", IMPORTS],
  ['agent/main.ts', "import { x } from './adapters/good.ts';\nexport const y = x;\n", undefined],
  ['agent/cli/run.ts', "import { x } from '../adapters/good.ts';\nconsole.log(x);\n", undefined],
  ['agent/cli/tool.ts', "import { x } from '../../tools/good.ts';\nexport const y = x;\n", IMPORTS],
  ['agent/loud.ts', "console.log('a');\n", 'lint/suspicious/noConsole'],
  ['captive-portal/good.ts', "import type { A } from '../agent/ports.ts';\nexport type X = A;\n", undefined],
  ['captive-portal/value.ts', "import { x } from '../agent/core/names.ts';\nexport const y = x;\n", 'plugin'],
  ['captive-portal/edge.ts', "import type { A } from '../agent/adapters/good.ts';\nexport type X = A;\n", IMPORTS],
  ['captive-portal/page/good.ts', "import { x } from '../../protocol/good.ts';\nexport const y = x;\n", undefined],
  ['captive-portal/page/library.ts', "import * as v from 'valibot';\nexport const y = v;\n", IMPORTS],
  ['captive-portal/page/agent.ts', "import type { A } from '../../agent/ports.ts';\nexport type X = A;\n", IMPORTS],
  ['captive-portal/page/server.ts', "import { x } from '../good.ts';\nexport const y = x;\n", IMPORTS],
  ['fleet/good.ts', "import { x } from '../protocol/good.ts';\nexport const y = x;\n", undefined],
  ['fleet/agent.ts', "import { x } from '../agent/core/names.ts';\nexport const y = x;\n", IMPORTS],
  ['fleet/test.ts', "import { x } from '../test/good.ts';\nexport const y = x;\n", IMPORTS],
  ['contracts/agent.ts', "import { x } from '../agent/core/names.ts';\nexport const y = x;\n", IMPORTS],
  ['openwrt/node-openwrt-ubus/good.ts', "import { connect } from 'node:net';\nexport const x = connect;\n", undefined],
  ['openwrt/node-openwrt-ubus/ours.ts', "import { x } from '../../protocol/good.ts';\nexport const y = x;\n", IMPORTS],
  ['openwrt/node-openwrt-ubus/library.ts', "import * as v from 'valibot';\nexport const y = v;\n", IMPORTS],
  ['test/good.ts', "import { x } from '../agent/adapters/good.ts';\nconsole.log(x);\n", undefined],
  ['fleet/a.ts', "import { b } from './b.ts';\nexport const a = (): unknown => b;\n", 'lint/suspicious/noImportCycles'],
  ['fleet/b.ts', "import { a } from './a.ts';\nexport const b = (): unknown => a;\n", 'lint/suspicious/noImportCycles'],
  ['fleet/floating.ts', 'const f = async () => await 1;\nf();\n', 'lint/nursery/noFloatingPromises'],
  [
    'fleet/exhaustive.ts',
    "export function x(k: 'a' | 'b'): void {\n  switch (k) {\n    case 'a':\n      break;\n  }\n}\n",
    'lint/nursery/useExhaustiveSwitchCases',
  ],
  ['fleet/long.ts', `${'// a line\n'.repeat(300)}export const x = 1;\n`, 'lint/style/noExcessiveLinesPerFile'],
  [
    'fleet/long-function.ts',
    `export function x(): number {\n  let n = 0;\n${'  n++;\n'.repeat(60)}  return n;\n}\n`,
    'lint/complexity/noExcessiveLinesPerFunction',
  ],
  ['fleet/CamelCase.ts', 'export const x = 1;\n', 'lint/style/useFilenamingConvention'],
  ['fleet/default.ts', 'export default 1;\n', 'lint/style/noDefaultExport'],
  ['fleet/barrel.ts', "export * from './long.ts';\n", 'lint/performance/noReExportAll'],
  ['fleet/enum.ts', 'export enum X {\n  A = 1,\n}\n', 'lint/style/noEnum'],
  ['fleet/any.ts', 'export const x = (y: any): unknown => y;\n', 'lint/suspicious/noExplicitAny'],
  ['fleet/bang.ts', 'export const x = (y?: number): number => y!;\n', 'lint/style/noNonNullAssertion'],
  [
    'fleet/fs.ts',
    "import { readFileSync } from 'fs';\nexport const x = readFileSync;\n",
    'lint/style/useNodejsImportProtocol',
  ],
  ['fleet/type.ts', "import { A } from './long.ts';\nexport type X = A;\n", 'lint/style/useImportType'],
  ['fleet/dev.ts', "import fc from 'fast-check';\nexport const x = fc;\n", 'lint/correctness/noUndeclaredDependencies'],
  ['fleet/string.ts', "export const x = (): never => {\n  throw 'a';\n};\n", 'lint/style/useThrowOnlyError'],
  ['fleet/await.ts', 'export async function x(): Promise<number> {\n  return 1;\n}\n', 'lint/suspicious/useAwait'],
];

const diagnostics = lint();

for (const [path, , rule] of SNIPPETS) {
  t.test(rule === undefined ? `${path} is allowed` : `${path} is refused by ${rule}`, (t) => {
    const found = diagnostics.get(path) ?? [];
    if (rule === undefined) t.strictSame(found, []);
    else t.ok(found.includes(rule), `found ${found.join(', ') || 'nothing'}`);
    t.end();
  });
}

/** Rules broken, by file: one run of biome over a small copy of the house that holds only the snippets. */
function lint(): Map<string, string[]> {
  const house = mkdtempSync(join(tmpdir(), 'shareagent-lint-'));
  try {
    for (const name of ['biome.json', 'package.json', '.gitignore']) copyFileSync(join(ROOT, name), join(house, name));
    cpSync(join(ROOT, 'tools', 'types-only-imports.grit'), join(house, 'tools', 'types-only-imports.grit'));
    for (const [path, source] of SNIPPETS) {
      mkdirSync(dirname(join(house, path)), { recursive: true });
      writeFileSync(join(house, path), source);
    }
    return rulesByFile(runBiome(house));
  } finally {
    rmSync(house, { recursive: true });
  }
}

function runBiome(house: string): string {
  const biome = join(ROOT, 'node_modules', '.bin', 'biome');
  const args = ['lint', '--reporter=json', '--max-diagnostics=none', '--diagnostic-level=warn'];
  try {
    return execFileSync(biome, args, { cwd: house, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
  } catch (error) {
    // Broken rules are an exit code of 1; the report is on stdout all the same.
    return (error as { stdout: string }).stdout;
  }
}

function rulesByFile(report: string): Map<string, string[]> {
  const found = new Map<string, string[]>();
  const { diagnostics: all } = JSON.parse(report) as {
    diagnostics: { category: string; location: { path: string | { file: string } } }[];
  };
  for (const { category, location } of all) {
    const path = typeof location.path === 'string' ? location.path : location.path.file;
    found.set(path, [...(found.get(path) ?? []), category]);
  }
  return found;
}
