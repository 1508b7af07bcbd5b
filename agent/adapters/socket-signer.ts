/**
 * The node's key in another process: a hardware key store, or whatever holds it. Asked over a unix socket, one connection and
 * one line of JSON each way: {"address":true} -> {"address":"0x.."}; {"sign":"0x.."} -> {"signature":"0x.."} (EIP-2098, of that
 * 32-byte digest); {"error":".."} instead where it will not. The agent signs as it goes, so its one thread waits for the
 * answer: a thread of its own talks to the socket meanwhile. Guests wait with it, so a signer that was silent once is left
 * alone for a while: whatever it does, it holds up the agent for a small part of the time.
 *
 * @see docs/wallet.md
 */
import { MessageChannel, type MessagePort, receiveMessageOnPort, Worker } from 'node:worker_threads';
import { type Address, parseAddress } from '../../protocol/address.ts';
import { type Hex, hexFromBytes, isHexOfLength } from '../../protocol/hex.ts';
import type { Signer } from '../ports.ts';
import { assertSigns, KeyError } from './device-key.ts';

export type SocketSignerOptions = {
  /** For one answer, once the agent runs. Default 1 s. */
  readonly timeoutMs?: number;
  /** For the two answers at the start, when a key store may have to be woken and no guest waits. Default 5 s. */
  readonly startTimeoutMs?: number;
  /** After no answer in time, nothing is asked for so long. Default 20 s. */
  readonly restMs?: number;
};

/** `isLate`: false if the socket said so itself; there was nothing to wait for. */
type Answer = { readonly n: number; readonly line?: string; readonly problem?: string; readonly isLate?: boolean };

/** The thread keeps the time. Beyond it only what a busy machine needs to wake two threads. */
const THREAD_SLACK_MS = 2_000;

/** As text, because a bundle has no second file. No answer is longer than a few hundred bytes. */
const THREAD = `
const { workerData: { path, flag, port } } = require('node:worker_threads');
const { connect } = require('node:net');
port.on('message', ({ n, line, timeoutMs }) => {
  let text = '', isDone = false;
  const end = (answer) => {
    if (isDone) return;
    isDone = true;
    clearTimeout(timer);
    socket.destroy();
    port.postMessage({ n, ...answer });
    Atomics.store(flag, 0, n);
    Atomics.notify(flag, 0);
  };
  const timer = setTimeout(() => end({ problem: 'no answer within ' + timeoutMs + ' ms' }), timeoutMs);
  const socket = connect(path, () => socket.write(line + '\\n'));
  socket.setEncoding('latin1');
  socket.on('data', (chunk) => {
    text += chunk;
    const at = text.indexOf('\\n');
    if (at >= 0) end({ line: text.slice(0, at) });
    else if (text.length > 4096) end({ problem: 'an answer of more than 4096 bytes', isLate: false });
  });
  socket.on('error', (error) => end({ problem: error.message, isLate: false }));
  socket.on('close', () => end({ problem: 'it hung up without an answer', isLate: false }));
});
`;

/**
 * Asks for the address and makes a trial signature at once: a signer that is not there, or not its own, ends the start.
 *
 * @throws KeyError KEY_SIGNER_AWAY if it does not answer, KEY_SIGNER_REFUSED if it will not or makes no sense
 */
export function socketSigner(path: string, options: SocketSignerOptions = {}): Signer {
  const { timeoutMs = 1_000, startTimeoutMs = 5_000, restMs = 20_000 } = options;
  const asker = new Asker(path, restMs);
  const address: Address | undefined = addressFrom(asker.ask({ address: true }, startTimeoutMs)['address']);
  if (address === undefined) throw refused(path, 'an "address" of 0x and 40 hex digits');
  const signing = (patienceMs: number): Signer['sign'] => {
    return (digest) => {
      const { signature } = asker.ask({ sign: hexFromBytes(digest) }, patienceMs);
      if (!isHexOfLength(signature, 64)) throw refused(path, 'a "signature" of 0x and 128 hex digits (EIP-2098)');
      return signature;
    };
  };
  assertSigns({ address, sign: signing(startTimeoutMs) }, path);
  return { address, sign: signing(timeoutMs) };
}

type Question = { readonly address: true } | { readonly sign: Hex };

class Asker {
  readonly #path: string;
  readonly #restMs: number;
  readonly #flag = new Int32Array(new SharedArrayBuffer(4));
  readonly #port: MessagePort;
  #n = 0;
  #restsUntilMs = Number.NEGATIVE_INFINITY;

  constructor(path: string, restMs: number) {
    const { port1, port2 } = new MessageChannel();
    const workerData = { path, flag: this.#flag, port: port2 };
    const thread = new Worker(THREAD, { eval: true, workerData, transferList: [port2], execArgv: [], name: 'signer' });
    thread.unref();
    port1.unref();
    this.#path = path;
    this.#restMs = restMs;
    this.#port = port1;
  }

  /** Blocks. @throws KeyError */
  ask(question: Question, timeoutMs: number): Readonly<Record<string, unknown>> {
    const restMs = this.#restsUntilMs - performance.now();
    if (restMs > 0) throw this.#away(`it gave no answer before and is asked again in ${Math.ceil(restMs / 1000)} s`);
    this.#n += 1;
    this.#port.postMessage({ n: this.#n, line: JSON.stringify(question), timeoutMs });
    const answered = answerTo(this.#n, this.#port, this.#flag, timeoutMs + THREAD_SLACK_MS);
    const { line, problem = 'its thread does not answer' } = answered;
    if (line === undefined) {
      if (answered.isLate !== false) this.#restsUntilMs = performance.now() + this.#restMs;
      throw this.#away(problem);
    }
    const answer = objectFrom(line);
    if (answer === undefined) throw refused(this.#path, 'one line with a JSON object');
    if (typeof answer['error'] === 'string') throw refused(this.#path, 'a signature', answer['error']);
    return answer;
  }

  #away(why: string): KeyError {
    const hint = 'is its process running, and may this user open it?';
    return new KeyError(`the signer at ${this.#path} cannot be asked (${why}): ${hint}`, { code: 'KEY_SIGNER_AWAY' });
  }
}

/** Blocks. Answers to earlier questions, which came too late, are dropped. */
function answerTo(n: number, port: MessagePort, flag: Int32Array<SharedArrayBuffer>, waitMs: number): Partial<Answer> {
  const untilMs = performance.now() + waitMs;
  for (;;) {
    const seen = Atomics.load(flag, 0);
    for (let next = receiveMessageOnPort(port); next !== undefined; next = receiveMessageOnPort(port)) {
      const answer = next.message as Answer;
      if (answer.n === n) return answer;
    }
    const leftMs = untilMs - performance.now();
    if (leftMs <= 0 || Atomics.wait(flag, 0, seen, leftMs) === 'timed-out') return {};
  }
}

function objectFrom(line: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const value: unknown = JSON.parse(line);
    return typeof value === 'object' && value !== null ? { ...value } : undefined;
  } catch {
    return undefined;
  }
}

function addressFrom(value: unknown): Address | undefined {
  return typeof value === 'string' ? parseAddress(value) : undefined;
}

function refused(path: string, expected: string, got = 'something else'): KeyError {
  const message = `the signer at ${path} must answer ${expected}, it said: ${got.slice(0, 200)}`;
  return new KeyError(message, { code: 'KEY_SIGNER_REFUSED' });
}
