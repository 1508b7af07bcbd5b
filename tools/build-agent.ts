/**
 * Bundles the agent into dist/: one script with all packages but the native addon inside, and the guest's page beside it.
 * A router starts this: one file instead of a thousand saves flash, memory and half of the start time.
 *
 * Run: node tools/build-agent.ts
 */
import { cpSync, mkdirSync, rmSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { buildPage } from './build-page.ts';

const ROOT = fileURLToPath(new URL('..', import.meta.url));

/**
 * V8 settings for a small router: measured in docs/benchmarks.md (bench footprint). The two quick compilers are
 * off: they take 4 MiB, and what runs often enough to matter here (signatures) reaches the last one anyway.
 */
export const DIET_FLAGS = [
  '--max-semi-space-size=1',
  '--optimize-for-size',
  '--v8-pool-size=0',
  '--max-old-space-size=64',
  '--no-sparkplug',
  '--no-maglev',
];

/** glibc keeps an arena for each thread otherwise, 10 MiB in all. */
export const DIET_ENVIRONMENT = ['MALLOC_ARENA_MAX=1'];

/** Path of the bundled command. */
export const BUNDLE = `${ROOT}dist/shareagent.mjs`;

export async function buildAgent(): Promise<void> {
  await buildPage();
  rmSync(`${ROOT}dist`, { recursive: true, force: true });
  mkdirSync(`${ROOT}dist/page`, { recursive: true });
  await build({
    entryPoints: [`${ROOT}agent/cli/shareagent.ts`],
    outfile: BUNDLE,
    bundle: true,
    platform: 'node',
    target: 'node24',
    format: 'esm',
    minify: true,
    keepNames: true,
    // One character beyond Latin-1, as in a licence comment, makes V8 hold the whole script in two bytes a character.
    charset: 'ascii',
    legalComments: 'external',
    external: ['better-sqlite3'],
    // CommonJS packages inside an ES module ask for require.
    banner: {
      js: "import { createRequire as makeRequire } from 'node:module'; const require = makeRequire(import.meta.url);",
    },
    logLevel: 'warning',
  });
  cpSync(`${ROOT}captive-portal/page/dist`, `${ROOT}dist/page/dist`, { recursive: true });
}

if (import.meta.main) await buildAgent();
