/**
 * The verifier's thread as text, for a bundle to carry (agent/adapters/verifier/worker-code.ts): a bundle, or a binary made
 * of it, is one script. CommonJS, because that is what a worker evaluates.
 */
import { fileURLToPath } from 'node:url';
import { build, type Plugin } from 'esbuild';

const ROOT = fileURLToPath(new URL('..', import.meta.url));

/** To be put beside a bundle, or beside a binary, as secp256k1.wasm; without it the verifier does with noble. */
export const WASM_FILE = `${ROOT}node_modules/tiny-secp256k1/lib/secp256k1.wasm`;

/** Goes into esbuild's `define` as VERIFIER_WORKER_CODE, by JSON.stringify. */
export async function bundleVerifierWorker(): Promise<string> {
  const { outputFiles } = await build({
    entryPoints: [`${ROOT}agent/adapters/verifier/verifier-worker.ts`],
    write: false,
    bundle: true,
    platform: 'node',
    target: 'node24',
    format: 'cjs',
    minify: true,
    charset: 'ascii',
    legalComments: 'none',
    plugins: [wasmBeside],
    logLevel: 'warning',
  });
  const [code] = outputFiles;
  if (code === undefined) throw new Error('esbuild wrote no verifier worker');
  return code.text;
}

/** tiny-secp256k1 reads its .wasm file beside its own script; a thread made of text is told where it lies. */
const wasmBeside: Plugin = {
  name: 'wasm-beside',
  setup({ onLoad }) {
    onLoad({ filter: /tiny-secp256k1\/lib\/wasm_path\.js$/ }, () => ({
      contents: `import { workerData } from 'node:worker_threads'; export const path = () => workerData.wasmPath;`,
    }));
  },
};
