/**
 * Bundles the agent into dist/: one script with all packages but the native addon inside, and the guest's page beside it.
 * A router starts this: one file instead of a thousand saves flash, memory and half of the start time.
 *
 * Run: node tools/build-agent.ts
 */
import { copyFileSync, cpSync, existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { type BuildOptions, build, type Plugin } from 'esbuild';
import { ADDON_FILE, compiledAddon } from '../openwrt/node-netlink/src/addon.ts';
import { buildPage } from './build-page.ts';
import { bundleVerifierWorker, WASM_FILE } from './bundle-verifier-worker.ts';

const ROOT = fileURLToPath(new URL('..', import.meta.url));

/**
 * The last compiler takes no function until there is work (agent/cli/late-compiler.ts): its 6 MiB of machine code are then not read at
 * the start, nor while nobody is there. By the filter, and not by higher thresholds: a function keeps the threshold that held when its
 * count began, but one that the filter refuses begins anew, so that everything is as usual once the filter is gone.
 */
const LATE_COMPILER = '--turbo-filter=~';

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
  LATE_COMPILER,
];

/**
 * glibc keeps an arena for each thread otherwise, 10 MiB in all, and gives back only what is more than twice the largest piece
 * ever freed: to state the default of that bound keeps it there. openwrt/binary/shareagent.sh says the same.
 */
export const DIET_ENVIRONMENT = ['MALLOC_ARENA_MAX=1', 'MALLOC_TRIM_THRESHOLD_=131072'];

const VERIFIER_WORKER = `${ROOT}agent/adapters/verifier/verifier-worker.ts`;

/** fastify asks for it at its start and uses it never: nobody here speaks HTTP/2, and Node's is 0.2 MB of script. */
const withoutHttp2: Plugin = {
  name: 'without-http2',
  setup({ onResolve, onLoad }) {
    onResolve({ filter: /^node:http2$/ }, () => ({ path: 'node:http2', namespace: 'absent' }));
    onLoad({ filter: /./, namespace: 'absent' }, () => ({ contents: 'module.exports = {};' }));
  },
};

/** Path of the bundled command. */
export const BUNDLE = `${ROOT}dist/shareagent.cjs`;

const COMMON: BuildOptions = {
  entryPoints: [`${ROOT}agent/cli/shareagent.ts`],
  bundle: true,
  platform: 'node',
  target: 'node24',
  // CommonJS: an ES module that imports node:http makes Node read all that http exports, and with it load undici.
  format: 'cjs',
  banner: { js: "'use strict'; const OWN_URL = require('node:url').pathToFileURL(__filename).href;" },
  // Names stay as they are written: esbuild's keepNames defines each anew at run time, which takes 2 MiB.
  minifyWhitespace: true,
  minifySyntax: true,
  // One character beyond Latin-1, as in a licence comment, makes V8 hold the whole script in two bytes a character.
  charset: 'ascii',
  legalComments: 'external',
  logLevel: 'warning',
  // Paths in comments and in the list of inputs do not depend on where the build was started.
  absWorkingDir: ROOT,
};

/** Of the script, or of the executable that it is in. */
const OWN_URL = { 'import.meta.url': 'OWN_URL' };

export async function buildAgent(): Promise<void> {
  rmSync(`${ROOT}dist`, { recursive: true, force: true });
  await bundleAgent(`${ROOT}agent/cli/shareagent.ts`, `${ROOT}dist`);
}

/** The bundle of a script that starts the agent, and what it needs beside it, in a folder below the checkout's. @returns its path */
export async function bundleAgent(entryPoint: string, folder: string): Promise<string> {
  await buildPage();
  mkdirSync(`${folder}/page`, { recursive: true });
  const outfile = `${folder}/shareagent.cjs`;
  await build({
    ...COMMON,
    entryPoints: [entryPoint],
    outfile,
    external: ['better-sqlite3'],
    define: { ...OWN_URL, VERIFIER_WORKER_CODE: JSON.stringify(await bundleVerifierWorker()) },
    plugins: [withoutHttp2],
  });
  copyFileSync(WASM_FILE, `${folder}/secp256k1.wasm`);
  const netlink = compiledAddon();
  if (netlink !== undefined && existsSync(netlink)) copyFileSync(netlink, `${folder}/${ADDON_FILE}`);
  cpSync(`${ROOT}captive-portal/page/dist`, `${folder}/page/dist`, { recursive: true });
  return outfile;
}

/** What a binary says of itself (`shareagent --version`), and how it is wrapped. */
export type SoloBundle = {
  readonly outfile: string;
  readonly commit: string;
  /** Triples that this build was made for, as in `x86_64-linux-gnu`. */
  readonly targets: readonly string[];
};

/**
 * One script with the guest's page and all packages inside; only the native addon is looked for outside (load-addon.ts).
 * @returns the source files that went into it and into the verifier's thread, relative to the checkout
 */
export async function bundleSolo({ outfile, commit, targets }: SoloBundle): Promise<string[]> {
  await buildPage();
  const worker = await build({
    ...COMMON,
    entryPoints: [VERIFIER_WORKER],
    outdir: 'unwritten',
    define: OWN_URL,
    metafile: true,
    write: false,
  });
  const { metafile } = await build({
    ...COMMON,
    outfile,
    metafile: true,
    define: {
      ...OWN_URL,
      BUILD_COMMIT: JSON.stringify(commit),
      BUILD_TARGETS: JSON.stringify(targets.join(' ')),
      VERIFIER_WORKER_CODE: JSON.stringify(await bundleVerifierWorker()),
    },
    plugins: [pageInside, addonOutside, withoutHttp2],
  });
  const inputs = [...Object.keys(metafile.inputs), ...Object.keys(worker.metafile.inputs)];
  return [...new Set(inputs)].sort();
}

/** The guest's page as text, in place of the module that reads its files. */
const pageInside: Plugin = {
  name: 'page-inside',
  setup({ onLoad }) {
    onLoad({ filter: /captive-portal\/page-assets\.ts$/ }, () => {
      const text = (name: string) => readFileSync(`${ROOT}captive-portal/page/dist/${name}`, 'utf8');
      const page = {
        html: text('page.html'),
        script: text('page.js'),
        style: text('page.css'),
        icon: text('icon.svg'),
      };
      return { contents: `export const loadPageAssets = () => (${JSON.stringify(page)});`, loader: 'js' };
    });
  },
};

/** better-sqlite3 looks for its addon in node_modules; a binary has its own way. */
const addonOutside: Plugin = {
  name: 'addon-outside',
  setup({ onLoad }) {
    onLoad({ filter: /better-sqlite3\/lib\/binding\.js$/ }, () => ({
      contents: `const { loadAddon } = require('${ROOT}openwrt/binary/load-addon.ts');
        let addon;
        exports.getBinding = () => (addon ??= loadAddon());`,
      loader: 'js',
    }));
  },
};

if (import.meta.main) await buildAgent();
