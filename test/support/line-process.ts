/** A child process that is asked in lines of JSON and answers each with one, after a first line that says it is ready. */
import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import type { Readable, Writable } from 'node:stream';

type Answer = Readonly<Record<string, unknown>>;

export class LineProcess {
  readonly #child: ChildProcessByStdio<Writable, Readable, null>;
  readonly #lines: AsyncIterator<string>;

  /** Resolves after its first line. @throws Error if it ends before */
  static async start(command: string, args: readonly string[]): Promise<LineProcess> {
    const started = new LineProcess(command, args);
    await started.#next();
    return started;
  }

  private constructor(command: string, args: readonly string[]) {
    this.#child = spawn(command, args, { stdio: ['pipe', 'pipe', 'inherit'] });
    this.#lines = createInterface({ input: this.#child.stdout })[Symbol.asyncIterator]();
  }

  async ask(order: object): Promise<Answer> {
    this.#child.stdin.write(`${JSON.stringify(order)}\n`);
    return await this.#next();
  }

  /** Ends its standard input and waits until it has exited. */
  async close(): Promise<void> {
    const { exitCode, signalCode } = this.#child;
    if (exitCode !== null || signalCode !== null) return;
    const exited = new Promise((resolve) => this.#child.once('exit', resolve));
    this.#child.stdin.end();
    await exited;
  }

  async #next(): Promise<Answer> {
    const { value, done } = await this.#lines.next();
    if (done === true) throw new Error(`${this.#child.spawnargs.join(' ')} ended without an answer`);
    return JSON.parse(value) as Answer;
  }
}
