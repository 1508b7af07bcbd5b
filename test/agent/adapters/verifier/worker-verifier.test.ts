import { Worker } from 'node:worker_threads';
import t from 'tap';
import {
  examineBackends,
  MAX_WAITING_CLAIMS,
  WorkerVerifier,
  type WorkerVerifierOptions,
} from '../../../../agent/adapters/verifier/worker-verifier.ts';
import type { SignatureClaim } from '../../../../agent/ports.ts';
import { messageDigest } from '../../../../protocol/eip712.ts';
import { keccak256, keccak256Text } from '../../../../protocol/keccak.ts';
import { addressFromSecretKey, signDigest } from '../../../../protocol/signature.ts';

type Test = { readonly teardown: (end: () => unknown) => void };

const KEY = new Uint8Array(32).fill(7);
const SIGNER = addressFromSecretKey(KEY);
const CLAIM = claimOf('a voucher');
const NOBODYS = { ...CLAIM, signature: `0x${'00'.repeat(64)}` } as const;
const READY = `const { parentPort } = require('node:worker_threads');
  parentPort.postMessage({ kind: 'ready', backend: 'noble', facts: [{ name: 'noble', ok: true, ratePerS: 5 }] });`;

function claimOf(text: string) {
  const digest = keccak256Text(text);
  return { digest, signature: signDigest(digest, KEY) };
}

function verifierFor(t: Test, options: WorkerVerifierOptions = {}): WorkerVerifier {
  const verifier = new WorkerVerifier(options);
  t.teardown(() => verifier.close());
  return verifier;
}

/** Threads made of `codes`, one after the other; the last one serves for all that follow. */
function threadsOf(...codes: readonly string[]) {
  const started: Worker[] = [];
  const startWorker = () => {
    const code = codes[Math.min(started.length, codes.length - 1)] as string;
    const worker = new Worker(code, { eval: true, execArgv: [] });
    started.push(worker);
    return worker;
  };
  return { started, startWorker };
}

t.test('signers come back in the order of the claims, also of calls made at once', async (t) => {
  const verifier = verifierFor(t);
  t.equal(verifier.choice, undefined, 'no thread before the first signature');
  t.same(await verifier.recover([]), []);
  const calls = Array.from({ length: 40 }, (_, i) =>
    verifier.recover(i % 3 === 0 ? [NOBODYS, claimOf(`${i}`)] : [CLAIM]),
  );
  const answers = await Promise.all(calls);
  for (const [i, answer] of answers.entries()) t.same(answer, i % 3 === 0 ? [undefined, SIGNER] : [SIGNER]);
  t.match(verifier.choice, { backend: /native|wasm/, ratePerS: Number });
});

t.test("what is no 64 bytes of hex, or no digest, is nobody's", async (t) => {
  const verifier = verifierFor(t);
  const { digest, signature } = CLAIM;
  const claims = [
    { digest, signature: '0x' },
    { digest, signature: `${signature}00` },
    { digest, signature: signature.slice(0, -1) },
    { digest, signature: `${signature.slice(0, -2)}zz` },
    { digest, signature: signature.slice(2) },
    { digest: digest.subarray(1), signature },
    CLAIM,
  ] as readonly SignatureClaim[];
  t.same(await verifier.recover(claims), [...claims.slice(1).map(() => undefined), SIGNER]);
});

t.test(
  "a message is hashed in the thread, beside digests, whatever its length; a malformed one is nobody's",
  async (t) => {
    const verifier = verifierFor(t);
    const separator = keccak256Text('a domain');
    const claimUnder = (struct: Uint8Array): SignatureClaim => {
      const message = { separator, struct };
      return { message, signature: signDigest(messageDigest(message), KEY) };
    };
    const words = (count: number) => new Uint8Array(32 * count).fill(count);
    const good = [1, 4, 8, 255].map((count) => claimUnder(words(count)));
    const signature = signDigest(keccak256(separator), KEY);
    const malformed: readonly SignatureClaim[] = [
      { message: { separator, struct: words(0) }, signature },
      claimUnder(words(256)),
      claimUnder(words(4).subarray(1)),
      { message: { separator: separator.subarray(1), struct: words(4) }, signature },
    ];
    const answers = await verifier.recover([CLAIM, ...good, ...malformed, claimUnder(words(4))]);
    t.same(answers, [SIGNER, ...good.map(() => SIGNER), ...malformed.map(() => undefined), SIGNER]);
    const { message } = claimUnder(words(4)) as { readonly message: { separator: Uint8Array; struct: Uint8Array } };
    const [other] = await verifier.recover([{ message: { ...message, struct: words(5) }, signature }]);
    t.not(other, SIGNER, 'under another message');
  },
);

t.test('a backend may be asked for by name; one that cannot be used is an error that says why', async (t) => {
  const chosen: string[] = [];
  const verifier = verifierFor(t, { only: 'noble', onReady: ({ backend }) => void chosen.push(backend) });
  t.same(await verifier.recover([CLAIM]), [SIGNER]);
  t.same(chosen, ['noble']);
  const unfit = threadsOf(
    `require('node:worker_threads').parentPort.postMessage({ kind: 'unfit', message: 'wrong sums' });`,
  );
  await t.rejects(verifierFor(t, unfit).recover([CLAIM]), { code: 'VERIFIER_UNFIT', message: 'wrong sums' });
});

t.test('a thread that dies fails what it had, and the next call gets another', async (t) => {
  const threads = threadsOf(
    `${READY} parentPort.on('message', () => process.exit(3));`,
    `${READY}
    parentPort.on('message', () => parentPort.postMessage({ kind: 'signers', signers: new Uint8Array(21) }));`,
  );
  const verifier = verifierFor(t, threads);
  await t.rejects(verifier.recover([CLAIM]), { code: 'VERIFIER_FAILED', message: /ended with code 3.*try again/ });
  t.same(await verifier.recover([CLAIM]), [undefined]);
  t.equal(threads.started.length, 2);
});

t.test('a thread that throws before it is ready fails all that waits, and is not started in a circle', async (t) => {
  const threads = threadsOf(`throw new Error('no memory');`);
  const verifier = verifierFor(t, threads);
  const calls = await Promise.allSettled([verifier.recover([CLAIM]), verifier.recover([CLAIM])]);
  for (const call of calls)
    t.match(call, { status: 'rejected', reason: { code: 'VERIFIER_FAILED', message: /no memory/ } });
  t.equal(threads.started.length, 1);
});

t.test('a thread that hangs is replaced; what waited behind is served by the new one', async (t) => {
  const threads = threadsOf(
    // Blocked, not busy: the new one must have a processor.
    `${READY} parentPort.on('message', () => Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0));`,
    `${READY}
    parentPort.on('message', () => parentPort.postMessage({ kind: 'signers', signers: new Uint8Array(21) }));`,
  );
  const verifier = verifierFor(t, { ...threads, hangMs: 4_000 });
  const first = verifier.recover([CLAIM]);
  await t.rejects(first, { code: 'VERIFIER_FAILED', message: /did not answer within 4000 ms/ });
  t.same(await verifier.recover([CLAIM]), [undefined]);
});

t.test('more than may wait is refused at once', async (t) => {
  const verifier = verifierFor(t, threadsOf(`setInterval(() => undefined, 1000);`));
  const waiting = Array.from({ length: MAX_WAITING_CLAIMS / 64 }, () =>
    verifier.recover(Array.from({ length: 64 }, () => CLAIM)),
  );
  for (const call of waiting) call.catch(() => undefined);
  await t.rejects(verifier.recover([CLAIM]), { code: 'VERIFIER_BUSY', message: /1024 signatures wait/ });
  await verifier.close();
  for (const call of waiting) await t.rejects(call, { code: 'VERIFIER_CLOSED' });
  await t.rejects(verifier.recover([CLAIM]), { code: 'VERIFIER_CLOSED' });
});

t.test('a thread with nothing to do is ended, and started again when it is needed', async (t) => {
  const threads = threadsOf(`${READY}
    parentPort.on('message', () => parentPort.postMessage({ kind: 'signers', signers: new Uint8Array(21) }));`);
  const verifier = verifierFor(t, { ...threads, idleMs: 1 });
  await verifier.recover([CLAIM]);
  // Neither an idle thread nor the timer that ends it keeps a program running.
  const awake = setInterval(() => undefined, 1_000);
  await new Promise((ended) => threads.started[0]?.once('exit', ended));
  clearInterval(awake);
  t.same(await verifier.recover([CLAIM]), [undefined]);
  t.equal(threads.started.length, 2);
});

t.test('doctor can have every backend examined', async (t) => {
  t.match(await examineBackends(), [{ name: 'native' }, { name: 'wasm', ok: true }, { name: 'noble', ok: true }]);
});
