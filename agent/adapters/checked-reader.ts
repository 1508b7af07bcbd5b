/**
 * A reading taken from the kernel directly once that was found to give what a tool prints: the tool's reading must fit between
 * two direct ones, the first time and again the first time that there is something in it. Where the tool is not installed the
 * kernel is believed.
 */
export type Ways<T> = {
  /** Undefined if the tool is to be asked. */
  direct(): readonly T[] | undefined | Promise<readonly T[] | undefined>;
  /** Undefined if there is nothing of that name. */
  tool(): Promise<readonly T[] | undefined>;
  /** Whether the tool's reading can be of a moment between two others. */
  isBetween(before: readonly T[], printed: readonly T[], after: readonly T[]): boolean;
  /** What was read directly is right, and was not empty. */
  onAgreed(): void;
  /** What was read directly is wrong: `direct` must give undefined from now on. */
  onDiffering(): void;
};

export class CheckedReader<T> {
  readonly #ways: Ways<T>;
  #checked: 'never' | 'empty' | 'filled' = 'never';

  constructor(ways: Ways<T>) {
    this.#ways = ways;
  }

  /** Undefined if there is no such thing. @throws what the tool throws */
  async read(): Promise<readonly T[] | undefined> {
    const before = await this.#ways.direct();
    const isChecked = this.#checked === 'filled' || (this.#checked === 'empty' && before?.length === 0);
    if (before !== undefined && isChecked) return before;
    const printed = await this.#ways.tool().catch((error: unknown) => {
      // A jail may hold no such program: then nothing contradicts the kernel.
      if (before !== undefined && isMissingProgram(error)) return before;
      throw error;
    });
    if (printed === before) return before;
    if (before !== undefined && printed !== undefined) await this.#check(before, printed);
    return printed;
  }

  async #check(before: readonly T[], printed: readonly T[]): Promise<void> {
    const after = await this.#ways.direct();
    if (after === undefined) return;
    if (!this.#ways.isBetween(before, printed, after)) {
      this.#ways.onDiffering();
      return;
    }
    this.#checked = printed.length > 0 ? 'filled' : 'empty';
    if (printed.length > 0) this.#ways.onAgreed();
  }
}

/** As node:child_process rejects where there is no such program. */
function isMissingProgram(error: unknown): boolean {
  if (!(error instanceof Error) || !('code' in error) || error.code !== 'ENOENT') return false;
  return 'syscall' in error && String(error.syscall).startsWith('spawn');
}
