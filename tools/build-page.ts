/**
 * Builds the guest's page into captive-portal/page/dist: one script bundled for phones of the last six years, one style sheet,
 * and the HTML, which the portal fills with texts in each language. Run as a script it builds; tests call buildPage(), which does nothing if it is fresh.
 */
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, statSync, writeFileSync } from 'node:fs';
import { fileURLToPath, URL } from 'node:url';
import { build } from 'esbuild';

const PAGE = new URL('../captive-portal/page/', import.meta.url);
const PROTOCOL = new URL('../protocol/', import.meta.url);
const OUT = new URL('dist/', PAGE);
/** iOS 14 and Chrome 80: the oldest with BigInt on both sides that still get on the air. */
export const TARGETS = ['safari14', 'chrome80', 'firefox78'];

/** Builds if any source is newer than what was built. */
export async function buildPage(): Promise<void> {
  if (!isStale()) return;
  mkdirSync(OUT, { recursive: true });
  const { outputFiles } = await build({
    entryPoints: [path('main.ts'), path('page.css')],
    outdir: fileURLToPath(OUT),
    bundle: true,
    minify: true,
    write: false,
    format: 'iife',
    target: TARGETS,
    // esbuild says no for Safari 14 because of one bug with default parameter values, which nothing here runs into.
    supported: { destructuring: true },
    logLevel: 'silent',
    legalComments: 'none',
    charset: 'utf8',
  });
  for (const { path: name, text } of outputFiles) {
    put(name.endsWith('.css') ? 'page.css' : 'page.js', text);
  }
  put('icon.svg', readFileSync(new URL('icon.svg', PAGE), 'utf8'));
  // Last: its time says when the build was complete.
  put('page.html', readFileSync(new URL('page.html', PAGE), 'utf8'));
}

/** Whole or not at all: tests in other processes may be reading the file that stands there. */
function put(name: string, text: string): void {
  const draft = new URL(`${name}.${process.pid}.tmp`, OUT);
  writeFileSync(draft, text);
  renameSync(draft, new URL(name, OUT));
}

function isStale(): boolean {
  const built = new URL('page.html', OUT);
  if (!existsSync(built)) return true;
  const builtMs = statSync(built).mtimeMs;
  const sources = [PAGE, PROTOCOL].flatMap((folder) => readdirSync(folder).map((name) => new URL(name, folder)));
  return sources.some((file) => !file.href.endsWith('/dist') && statSync(file).mtimeMs > builtMs);
}

function path(name: string): string {
  return fileURLToPath(new URL(name, PAGE));
}

if (import.meta.main) await buildPage();
