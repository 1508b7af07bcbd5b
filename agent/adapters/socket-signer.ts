/**
 * The node's key in another process: a hardware key store, or whatever holds it. Asked over a unix socket, one connection and
 * one line of JSON each way: {"address":true} -> {"address":"0x.."}; {"sign":"0x.."} -> {"signature":"0x.."} (EIP-2098, of that
 * 32-byte digest); {"error":".."} instead where it will not. The agent signs as it goes, so its one thread waits for the
 * answer: a thread of its own talks to the socket meanwhile.
 *
 * @see docs/wallet.md
 */
import { MessageChannel, type MessagePort, receiveMessageOnPort, Worker } from 'node:worker_threads';
import { type Address, parseAddress } from '../../protocol/address.ts';
import { type Hex, hexFromBytes, isHexOfLength } from '../../protocol/hex.ts';
import type { Signer } from '../ports.ts';
import { assertSigns, KeyError } from './device-key.ts';

export type SocketSignerOptions = {
  /** For one answer. A guest's open waits for several of them. Default 5 s. */
  readonly timeoutMs?: number;
};

type Answer = { readonly n: number; readonly line?: string; readonly problem?: string };

/** As text, because a bundle has no second file. No answer is longer than a few hundred bytes. */
const THREAD = `
const { workerData: { path, flag, port, timeoutMs } } = require('node:worker_threads');
const { connect } = require('node:net');
port.on('message', ({ n, line }) => {
  let text = '', isDone = false;
  const end = (answer) => {
    if (isDone) return;
    isDone = true;
    socket.destroy();
    port.postMessage({ n, ...answer });
    Atomics.store(flag, 0, n);
    Atomics.notify(flag, 0);
  };
  const socket = connect(path, () => socket.write(line + '\\n'));
  socket.setEncoding('latin1').setTimeout(timeoutMs, () => end({ problem: 'no answer within ' + timeoutMs + ' ms' }));
  socket.on('data', (chunk) => {
    text += chunk;
    const at = text.indexOf('\\n');
    if (at >= 0) end({ line: text.slice(0, at) });
    else if (text.length > 4096) end({ problem: 'an answer of more than 4096 bytes' });
  });
  socket.on('error', (error) => end({ problem: error.message }));
  socket.on('close', () => end({ problem: 'it hung up without an answer' }));
});
`;

/**
 * Asks for the address and makes a trial signature at once: a signer that is not there, or not its own, ends the start.
 *
 * @throws KeyError KEY_SIGNER_AWAY if it does not answer, KEY_SIGNER_REFUSED if it will not or makes no sense
 */
export function socketSigner(path: string, { timeoutMs = 5_000 }: SocketSignerOptions = {}): Signer {
  const ask = askerAt(path, timeoutMs);
  const address: Address | undefined = addressFrom(ask({ address: true })['address']);
  if (address === undefined) throw refused(path, 'an "address" of 0x and 40 hex digits');
  const signer: Signer = {
    address,
    sign(digest) {
      const { signature } = ask({ sign: hexFromBytes(digest) });
      if (!isHexOfLength(signature, 64)) throw refused(path, 'a "signature" of 0x and 128 hex digits (EIP-2098)');
      return signature;
    },
  };
  assertSigns(signer, path);
  return signer;
}

type Question = { readonly address: true } | { readonly sign: Hex };

function askerAt(path: string, timeoutMs: number): (question: Question) => Readonly<Record<string, unknown>> {
  const flag = new Int32Array(new SharedArrayBuffer(4));
  const { port1, port2 } = new MessageChannel();
  const workerData = { path, flag, port: port2, timeoutMs };
  const thread = new Worker(THREAD, { eval: true, workerData, transferList: [port2], execArgv: [], name: 'signer' });
  thread.unref();
  port1.unref();
  let n = 0;
  return (question) => {
    n += 1;
    port1.postMessage({ n, line: JSON.stringify(question) });
    const { line, problem = 'its thread does not answer' } = answerTo(n, port1, flag, timeoutMs + 1_000);
    if (line === undefined) {
      const message = `the signer at ${path} cannot be asked (${problem}): is its process running, and may this user open it?`;
      throw new KeyError(message, { code: 'KEY_SIGNER_AWAY' });
    }
    const answer = objectFrom(line);
    if (answer === undefined) throw refused(path, 'one line with a JSON object');
    if (typeof answer['error'] === 'string') throw refused(path, 'a signature', answer['error']);
    return answer;
  };
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
