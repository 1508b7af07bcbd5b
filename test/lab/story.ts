/**
 * Tells a run of the lab: one line for each step with the time it took, and at the end a table of what was promised
 * against what was measured.
 */

export type Promised = {
  readonly name: string;
  readonly promised: string;
  readonly measured: string;
  readonly isKept: boolean;
};

export class Story {
  readonly #startedMs = performance.now();
  readonly #promises: Promised[] = [];
  readonly #write: (text: string) => void;

  constructor(write: (text: string) => void) {
    this.#write = write;
  }

  get seconds(): number {
    return (performance.now() - this.#startedMs) / 1_000;
  }

  get isKept(): boolean {
    return this.#promises.length > 0 && this.#promises.every(({ isKept }) => isKept);
  }

  get promises(): readonly Promised[] {
    return this.#promises;
  }

  /** Runs a step and prints its title, its time and what it returns. */
  async step(title: string, act: () => Promise<string>): Promise<void> {
    const begunMs = performance.now();
    this.#write(`${this.#stamp()}  ${title} ...\n`);
    const figures = await act();
    const tookS = ((performance.now() - begunMs) / 1_000).toFixed(1);
    this.#write(`${this.#stamp()}    ${figures} (${tookS} s)\n`);
  }

  promise(name: string, promised: string, measured: string, isKept: boolean): void {
    this.#promises.push({ name, promised, measured, isKept });
  }

  /** The table, one promise a line. */
  table(): string {
    const rows = [
      { name: 'promise', promised: 'promised', measured: 'measured', mark: '' },
      ...this.#promises.map(({ isKept, ...rest }) => ({ ...rest, mark: isKept ? 'kept' : 'BROKEN' })),
    ];
    const width = (field: 'name' | 'promised' | 'measured'): number =>
      Math.max(...rows.map((row) => row[field].length));
    return rows
      .map((row) =>
        [
          row.name.padEnd(width('name')),
          row.promised.padEnd(width('promised')),
          row.measured.padEnd(width('measured')),
          row.mark,
        ]
          .join('  ')
          .trimEnd(),
      )
      .join('\n');
  }

  #stamp(): string {
    return `${this.seconds.toFixed(1).padStart(5)} s`;
  }
}

/** 12345678n -> "12,345,678". */
export function grouped(value: bigint | number): string {
  return value.toString().replace(/\B(?=(\d{3})+(?!\d))/g, ',');
}
