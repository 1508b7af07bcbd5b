/**
 * The verifier's thread: chooses a backend when it starts, then recovers signers. Holds no state, so that it can be ended
 * and started anew at any time.
 */
import { type MessagePort, parentPort, workerData } from 'node:worker_threads';
import { type Backend, type BackendName, recoverAddress } from '../../../verifier/backend.ts';
import { BACKEND_NAMES } from '../../../verifier/backends.ts';
import { useWasmKeccak } from '../../../verifier/keccak-wasm.ts';
import { type BackendFact, type Choice, chooseBackend, examineBackend } from '../../../verifier/self-test.ts';
import { type Examined, type FromWorker, SIGNER_BYTES, unpackClaims, type WorkerStart } from './worker-wire.ts';

const port = parentPort as MessagePort;
const start = workerData as WorkerStart;
// Not awaited at top level: the bundle runs this as CommonJS text.
void (start.task === 'examine' ? examineAll(start) : serve(start));

async function serve({ modulesUrl, only }: WorkerStart): Promise<void> {
  let backend: Backend;
  try {
    const choice = await (only === undefined ? chooseBackend(modulesUrl) : takeBackend(only, modulesUrl));
    backend = choice.backend;
    hashFaster();
    send({ kind: 'ready', backend: backend.name, facts: choice.facts });
  } catch (cause) {
    send({ kind: 'unfit', message: cause instanceof Error ? cause.message : String(cause) });
    return;
  }
  port.on('message', (claims: Uint8Array) => send({ kind: 'signers', signers: signersOf(backend, claims) }));
}

async function takeBackend(only: BackendName, modulesUrl: string): Promise<Choice> {
  const { fact, backend } = await examineBackend(only, modulesUrl);
  if (backend !== undefined) return { backend, facts: [fact] };
  throw new Error(`signature backend ${only} cannot be used: ${fact.ok ? 'unknown reason' : fact.why}`);
}

async function examineAll({ modulesUrl }: WorkerStart): Promise<void> {
  const facts: BackendFact[] = [];
  for (const name of BACKEND_NAMES) facts.push((await examineBackend(name, modulesUrl)).fact);
  send({ kind: 'examined', facts });
}

/** This thread hashes more than any other. Where WebAssembly is not to be had, or wrong, noble goes on hashing. */
function hashFaster(): void {
  try {
    useWasmKeccak();
  } catch {
    // useKeccak256 has left noble in its place.
  }
}

function signersOf(backend: Backend, packed: Uint8Array): Uint8Array {
  const claims = unpackClaims(packed);
  const signers = new Uint8Array(claims.length * SIGNER_BYTES);
  for (const [i, { digest, signature }] of claims.entries()) {
    const signer = recoverAddress(backend, digest, signature);
    if (signer === undefined) continue;
    signers[i * SIGNER_BYTES] = 1;
    signers.set(signer, i * SIGNER_BYTES + 1);
  }
  return signers;
}

function send(message: FromWorker | Examined): void {
  port.postMessage(message);
}
