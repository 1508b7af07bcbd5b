/**
 * Signatures checked off the event loop: one worker thread, started by the first signature and ended when none has come
 * for a while, because an idle thread costs a router memory that it does not have.
 *
 * A call is one job and is answered whole. Jobs that wait are sent in batches; three batches are under way at a time, so
 * that the thread has work while the agent handles what came back. A thread that dies or hangs fails the jobs it had, with an
 * error that says to try again, and those that wait get a new thread.
 */
import type { Worker } from 'node:worker_threads';
import type { Address } from '../../../protocol/address.ts';
import type { BackendName } from '../../../verifier/backend.ts';
import type { BackendFact } from '../../../verifier/self-test.ts';
import type { SignatureClaim, Verifier, VerifierChoice } from '../../ports.ts';
import { VerifierError } from './verifier-error.ts';
import { startVerifierWorker } from './worker-code.ts';
import { type Examined, type FromWorker, packClaims, unpackSigners } from './worker-wire.ts';

export type WorkerVerifierOptions = {
  /** Verify with this backend only; by default the self-test chooses. */
  readonly only?: BackendName;
  /** Default 30 s: a guest who opens a channel signs again soon, an empty café does not. */
  readonly idleMs?: number;
  /** How long a batch may take, from when it is sent. Default 20 s: a signature of noble's takes 0.1 s on a router, and a busy one may stand still for long. */
  readonly hangMs?: number;
  /** Told each time a thread has chosen its backend. */
  readonly onReady?: (choice: VerifierChoice) => void;
  /** Replaces the thread, in tests. */
  readonly startWorker?: () => Worker;
};

/** Signatures that may wait: five seconds of WebAssembly on a router. More is an attack or a machine that is too slow. */
export const MAX_WAITING_CLAIMS = 1024;

const DEFAULT_IDLE_MS = 30_000;
const DEFAULT_HANG_MS = 20_000;
/** A batch takes the thread about so long: fewer signatures make too many messages, more make the first ones wait. */
const BATCH_MS = 1;
const MAX_CLAIMS_PER_BATCH = 64;
const BATCHES_UNDER_WAY = 3;

type Job = {
  readonly claims: readonly SignatureClaim[];
  readonly resolve: (signers: readonly (Address | undefined)[]) => void;
  readonly reject: (error: VerifierError) => void;
};

type Running = {
  readonly worker: Worker;
  isReady: boolean;
  /** Sent and not yet answered, in order. */
  readonly batches: (readonly Job[])[];
  timer: NodeJS.Timeout | undefined;
};

export class WorkerVerifier implements Verifier {
  readonly #options: WorkerVerifierOptions;
  #running: Running | undefined;
  #waiting: Job[] = [];
  #waitingClaims = 0;
  #choice: VerifierChoice | undefined;
  #isClosed = false;
  #isPumpDue = false;

  constructor(options: WorkerVerifierOptions = {}) {
    this.#options = options;
  }

  get choice(): VerifierChoice | undefined {
    return this.#choice;
  }

  recover(claims: readonly SignatureClaim[]): Promise<readonly (Address | undefined)[]> {
    if (claims.length === 0) return Promise.resolve([]);
    if (this.#isClosed) return Promise.reject(new VerifierError('VERIFIER_CLOSED', 'the verifier is closed'));
    if (this.#waitingClaims + claims.length > MAX_WAITING_CLAIMS) {
      const message = `${this.#waitingClaims} signatures wait already, at most ${MAX_WAITING_CLAIMS} may; try again`;
      return Promise.reject(new VerifierError('VERIFIER_BUSY', message));
    }
    return new Promise<readonly (Address | undefined)[]>((resolve, reject) => {
      this.#waiting.push({ claims, resolve, reject });
      this.#waitingClaims += claims.length;
      this.#pumpSoon();
    });
  }

  /** Ends the thread; what waits or is under way is refused. */
  async close(): Promise<void> {
    this.#isClosed = true;
    const worker = this.#running?.worker;
    this.#fail(new VerifierError('VERIFIER_CLOSED', 'the verifier is closed'));
    for (const job of this.#takeWaiting(MAX_WAITING_CLAIMS)) {
      job.reject(new VerifierError('VERIFIER_CLOSED', 'the verifier is closed'));
    }
    await worker?.terminate();
  }

  /** At the end of this turn of the event loop: what else arrives in it shares the batch. */
  #pumpSoon(): void {
    if (this.#isPumpDue) return;
    this.#isPumpDue = true;
    setImmediate(() => {
      this.#isPumpDue = false;
      this.#pump();
    });
  }

  /** Sends what waits, as far as the thread has room; starts it if there is none. */
  #pump(): void {
    if (this.#waiting.length === 0) return;
    this.#running ??= this.#start();
    const running = this.#running;
    if (!running.isReady) return;
    while (running.batches.length < BATCHES_UNDER_WAY && this.#waiting.length > 0) {
      const batch = this.#takeWaiting(claimsPerBatch(this.#choice));
      running.batches.push(batch);
      const claims = packClaims(batch.flatMap((job) => job.claims));
      running.worker.postMessage(claims);
      this.#watch(running);
    }
  }

  /** Whole jobs, at least one, up to about `most` claims. */
  #takeWaiting(most: number): readonly Job[] {
    let claims = 0;
    let count = 0;
    for (const job of this.#waiting) {
      if (count > 0 && claims + job.claims.length > most) break;
      claims += job.claims.length;
      count += 1;
    }
    this.#waitingClaims -= claims;
    return this.#waiting.splice(0, count);
  }

  #start(): Running {
    const { startWorker, only } = this.#options;
    const worker = startWorker === undefined ? startVerifierWorker('verify', only) : startWorker();
    const running: Running = { worker, isReady: false, batches: [], timer: undefined };
    const failed = (why: string, cause?: unknown) => {
      if (this.#running === running) this.#replace(why, cause);
    };
    worker.on('message', (message: FromWorker) => {
      if (this.#running === running) this.#receive(running, message);
    });
    worker.on('error', (cause) =>
      failed(`the verifying thread died: ${cause instanceof Error ? cause.message : cause}`, cause),
    );
    worker.on('exit', (code) => failed(`the verifying thread ended with code ${code}`));
    this.#watch(running);
    return running;
  }

  #receive(running: Running, message: FromWorker): void {
    switch (message.kind) {
      case 'ready':
        running.isReady = true;
        this.#choice = choiceFrom(message.backend, message.facts);
        this.#options.onReady?.(this.#choice);
        break;
      case 'unfit':
        this.#failAll(new VerifierError('VERIFIER_UNFIT', message.message));
        return;
      case 'signers':
        settle(running.batches.shift() ?? [], unpackSigners(message.signers));
        break;
    }
    this.#watch(running);
    this.#pump();
  }

  /** While something is under way the thread must answer in time; while nothing is, it may stay for a while. */
  #watch(running: Running): void {
    clearTimeout(running.timer);
    const isBusy = !running.isReady || running.batches.length > 0;
    if (isBusy) {
      running.worker.ref();
      const hangMs = this.#options.hangMs ?? DEFAULT_HANG_MS;
      const message = `the verifying thread did not answer within ${hangMs} ms`;
      running.timer = setTimeout(() => this.#replace(message), hangMs);
      return;
    }
    running.worker.unref();
    running.timer = setTimeout(() => this.#drop(), this.#options.idleMs ?? DEFAULT_IDLE_MS).unref();
  }

  /** Fails what the thread had, and gives what waits a new one. A thread that cannot even start takes all with it. */
  #replace(why: string, cause?: unknown): void {
    const isStarted = this.#running?.isReady === true;
    const error = new VerifierError('VERIFIER_FAILED', `${why}; the signature was not checked, try again`, cause);
    if (!isStarted) this.#failAll(error);
    else {
      this.#fail(error);
      this.#pump();
    }
  }

  #failAll(error: VerifierError): void {
    this.#fail(error);
    for (const job of this.#takeWaiting(MAX_WAITING_CLAIMS)) job.reject(error);
  }

  #fail(error: VerifierError): void {
    const batches = this.#running?.batches ?? [];
    this.#drop();
    for (const job of batches.flat()) job.reject(error);
  }

  #drop(): void {
    const running = this.#running;
    this.#running = undefined;
    if (running === undefined) return;
    clearTimeout(running.timer);
    void running.worker.terminate();
  }
}

function claimsPerBatch(choice: VerifierChoice | undefined): number {
  const claims = Math.round(((choice?.ratePerS ?? 0) * BATCH_MS) / 1_000);
  return Math.min(Math.max(claims, 1), MAX_CLAIMS_PER_BATCH);
}

function settle(batch: readonly Job[], signers: readonly (Address | undefined)[]): void {
  let at = 0;
  for (const { claims, resolve } of batch) {
    resolve(signers.slice(at, at + claims.length));
    at += claims.length;
  }
}

/** What each backend would do here: loaded, checked and measured in a thread of its own. @throws if the thread dies. */
export function examineBackends(): Promise<readonly BackendFact[]> {
  return new Promise((resolve, reject) => {
    const worker = startVerifierWorker('examine');
    worker.once('message', ({ facts }: Examined) => resolve(facts));
    worker.once('error', reject);
    worker.once('exit', (code) => reject(new VerifierError('VERIFIER_FAILED', `the thread ended with code ${code}`)));
  });
}

function choiceFrom(backend: BackendName, facts: readonly BackendFact[]): VerifierChoice {
  const fact = facts.find(({ name }) => name === backend);
  return { backend, ratePerS: fact?.ok === true ? Math.round(fact.ratePerS) : 0 };
}
