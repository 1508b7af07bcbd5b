/**
 * How a test tells the agent in the lab at which step to die: one file that the test writes and the agent's process looks
 * at before and behind each of its labelled steps, and one in which it says at which step it died.
 */
import { appendFileSync, existsSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** Within: begun, and not answered. */
export type Moment = 'before' | 'within' | 'behind';
/** "behind journal.commit voucher": a moment, an edge of the agent, and what it is asked for. */
export type Label = `${Moment} ${string}`;
/** While it is held the process waits at the step instead, and everything else in it goes on. */
export type Order = { readonly label: Label; readonly isHeld: boolean };

export class Fate {
  readonly #order: string;
  readonly #reached: string;
  readonly #steps: string;

  /** `directory`: where the agent's configuration is. */
  constructor(directory: string) {
    this.#order = join(directory, 'fate-order.json');
    this.#reached = join(directory, 'fate-reached');
    this.#steps = join(directory, 'fate-steps');
  }

  /** The test's: from now on it dies there. */
  order(order: Order): void {
    writeFileSync(`${this.#order}.new`, JSON.stringify(order));
    renameSync(`${this.#order}.new`, this.#order);
  }

  /** The test's: nobody dies any more, and whoever waits for it goes on. */
  lift(): void {
    rmSync(this.#order, { force: true });
  }

  /** The test's: where it died since the last call. */
  takeReached(): string | undefined {
    if (!existsSync(this.#reached)) return undefined;
    const label = readFileSync(this.#reached, 'utf8');
    rmSync(this.#reached);
    return label;
  }

  /** The test's: all steps that the agent has come to so far, each once: "journal.commit voucher". */
  steps(): ReadonlySet<string> {
    return new Set(readFileSync(this.#steps, 'utf8').split('\n').slice(0, -1));
  }

  /** The agent's. */
  current(): Order | undefined {
    try {
      return JSON.parse(readFileSync(this.#order, 'utf8')) as Order;
    } catch {
      return undefined;
    }
  }

  /** The agent's: it has come to a step. */
  note(step: string): void {
    appendFileSync(this.#steps, `${step}\n`);
  }

  /** The agent's last words: the order is carried out. Returns only in a process that cannot be killed. */
  die(label: string): void {
    writeFileSync(this.#reached, label);
    rmSync(this.#order);
    process.kill(process.pid, 'SIGKILL');
  }
}
