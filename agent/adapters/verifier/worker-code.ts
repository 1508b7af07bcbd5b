/**
 * Where the verifier's thread finds its code: its own file in a checkout; in a bundle, or a binary made of it, text that the
 * build put into the bundle, because there is no second file to be found.
 */
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { Worker } from 'node:worker_threads';
import type { BackendName } from '../../../verifier/backend.ts';
import type { WorkerStart } from './worker-wire.ts';

/** Set by tools/build-agent.ts; not declared at all in a checkout. */
declare const VERIFIER_WORKER_CODE: string | undefined;

/** A router has 64 MiB or less to spare: noble's numbers need a few, the rest is a bound on what can go wrong. */
const RESOURCE_LIMITS = { maxOldGenerationSizeMb: 24, maxYoungGenerationSizeMb: 2, stackSizeMb: 1 };

export function startVerifierWorker(task: WorkerStart['task'], only?: BackendName): Worker {
  const code = typeof VERIFIER_WORKER_CODE === 'undefined' ? undefined : VERIFIER_WORKER_CODE;
  const data: WorkerStart = {
    task,
    modulesUrl: ownUrl(),
    wasmPath: wasmPath(),
    ...(only === undefined ? {} : { only }),
  };
  // Nothing that the agent itself was started with (inspector, loaders, coverage) is of use to this thread.
  const options = { workerData: data, resourceLimits: RESOURCE_LIMITS, execArgv: [], name: 'verifier' };
  return code === undefined
    ? new Worker(new URL('verifier-worker.ts', import.meta.url), options)
    : new Worker(code, { ...options, eval: true });
}

/** A binary has no URL of its own script. */
function ownUrl(): string {
  return import.meta.url ?? pathToFileURL(process.execPath).href;
}

/** Beside the bundle, else beside the binary; tiny-secp256k1 in a checkout knows where its own lies. */
function wasmPath(): string {
  const beside = join(dirname(fileURLToPath(ownUrl())), 'secp256k1.wasm');
  return existsSync(beside) ? beside : join(dirname(process.execPath), 'secp256k1.wasm');
}
