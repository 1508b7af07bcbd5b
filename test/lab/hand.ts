/**
 * The lab's hand inside a namespace: a Node process there (hand-main.ts) that speaks JSON lines over its stdin and
 * stdout, so that a story told in one process can act from several places on the network.
 */
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { LabError } from './errors.ts';
import type { HandOperations } from './hand-protocol.ts';
import type { Host, Running } from './host.ts';
import type { Lab } from './lab.ts';

const MAIN = fileURLToPath(new URL('./hand-main.ts', import.meta.url));
const READY_MS = 60_000;
/** Longer than the longest operation; operations that can hang carry their own, shorter timeout. */
const CALL_MS = 60_000;

type Waiting = { readonly resolve: (value: unknown) => void; readonly reject: (error: Error) => void };

export class Hand {
  readonly #name: string;
  readonly #running: Running;
  readonly #waiting = new Map<number, Waiting>();
  #nextId = 0;
  readonly #listeners = new Map<string, (data: string | undefined) => void>();

  private constructor(name: string, running: Running) {
    this.#name = name;
    this.#running = running;
    const { stdout } = running.child;
    if (stdout !== null) createInterface({ input: stdout }).on('line', (line) => this.#take(line));
    void running.exited.then((code) => {
      for (const { reject } of this.#waiting.values())
        reject(new LabError('LAB_HAND', `The hand in ${name} ended with ${code}`));
      this.#waiting.clear();
    });
  }

  /** Starts the process and waits until it answers. */
  static async start(lab: Lab, host: Host): Promise<Hand> {
    const running = host.start('hand', [process.execPath, MAIN], {
      logFile: lab.path(`hand-${host.name}.log`),
      hasPipes: true,
    });
    const hand = new Hand(host.name, running);
    const timer = setTimeout(() => running.signal('SIGKILL'), READY_MS);
    await hand.call('ping', {});
    clearTimeout(timer);
    return hand;
  }

  /** @throws LabError LAB_HAND with what the operation said. */
  call<Name extends keyof HandOperations>(
    name: Name,
    input: HandOperations[Name]['input'],
  ): Promise<HandOperations[Name]['output']> {
    const id = this.#nextId;
    this.#nextId += 1;
    return new Promise<unknown>((resolve, reject) => {
      if (!this.#running.isAlive()) {
        reject(new LabError('LAB_HAND', `The hand in ${this.#name} is gone`));
        return;
      }
      const timer = setTimeout(() => {
        this.#waiting.delete(id);
        reject(new LabError('LAB_HAND', `${this.#name}: ${name} gave no answer within ${CALL_MS} ms`));
      }, CALL_MS);
      const settle = (finish: () => void): void => {
        clearTimeout(timer);
        finish();
      };
      this.#waiting.set(id, {
        resolve: (value) => settle(() => resolve(value)),
        reject: (error) => settle(() => reject(error)),
      });
      this.#running.child.stdin?.write(`${JSON.stringify({ id, name, input })}\n`);
    }) as Promise<HandOperations[Name]['output']>;
  }

  /** Opens an event stream; `listener` gets the data of each event, and undefined when it ends. */
  async follow(
    stream: string,
    url: string,
    address: string,
    listener: (data: string | undefined) => void,
  ): Promise<() => Promise<void>> {
    this.#listeners.set(stream, listener);
    await this.call('eventsOpen', { stream, url, address });
    return async () => {
      this.#listeners.delete(stream);
      await this.call('eventsClose', { stream });
    };
  }

  #take(line: string): void {
    const message = JSON.parse(line) as
      | { readonly id: number; readonly output: unknown }
      | { readonly id: number; readonly error: string }
      | { readonly stream: string; readonly data?: string };
    if ('stream' in message) {
      this.#listeners.get(message.stream)?.(message.data);
      return;
    }
    const waiting = this.#waiting.get(message.id);
    this.#waiting.delete(message.id);
    if ('error' in message) waiting?.reject(new LabError('LAB_HAND', `${this.#name}: ${message.error}`));
    else waiting?.resolve(message.output);
  }
}
