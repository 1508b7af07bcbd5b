/** What test runners say of themselves: tap's closing comment, and the line "N passed, N failed" of our own runners. */

export type TestCounts = { readonly passed: number; readonly failed: number };

/** From the last `# { total: 60, pass: 58, fail: 2, skip: 1 }`; undefined if there is none. Skipped tests are not counted. */
export function countsOfTap(output: string): TestCounts | undefined {
  const fields = [...output.matchAll(/^# \{ (total: [^}]*) \}/gm)].at(-1)?.[1];
  if (fields === undefined) return undefined;
  const count = (name: string): number => Number(new RegExp(`\\b${name}: (\\d+)`).exec(fields)?.[1] ?? 0);
  return { passed: count('pass'), failed: count('fail') };
}

/** From the last line "N passed, N failed", perhaps with a remark in brackets; undefined if there is none. */
export function countsOfSummary(output: string): TestCounts | undefined {
  const match = [...output.matchAll(/^(\d+) passed, (\d+) failed(?: \([^)]*\))?$/gm)].at(-1);
  return match === undefined ? undefined : { passed: Number(match[1]), failed: Number(match[2]) };
}

/**
 * Of one TAP program, read from its checks; a skipped one is not counted. `isComplete` unless it ended before its plan, or had
 * nothing to check.
 */
export function countsOfProgram(output: string): { readonly counts: TestCounts; readonly isComplete: boolean } {
  let passed = 0;
  let failed = 0;
  let skipped = 0;
  let isPlanned = false;
  /** Indentation of the plan that ended a subtest just now: the next line sums that subtest up and is no check of its own. */
  let ended: number | undefined;
  for (const line of output.split('\n')) {
    const match = /^( *)(?:(not )?ok \d+(.*)|1\.\.\d+)/.exec(line);
    if (match === null) continue;
    const [, { length: indent } = '', not, rest] = match;
    if (rest === undefined) {
      isPlanned ||= indent === 0;
      ended = indent;
      continue;
    }
    const isSum = ended === indent + 4;
    ended = undefined;
    if (/ # (?:SKIP|TODO)\b/i.test(rest)) skipped += 1;
    else if (not !== undefined) failed += isSum && failed > 0 ? 0 : 1;
    else if (!isSum) passed += 1;
  }
  return { counts: { passed, failed }, isComplete: isPlanned && passed + failed + skipped > 0 };
}

/**
 * Cuts a TAP stream down to what a person wants to see go by: one line for each file, each failure with its diagnostics,
 * the coverage table and the totals.
 */
export class TapProgress {
  #rest = '';
  /** Indentation of the failure whose diagnostics are being printed. */
  #failure: string | undefined;

  filter(text: string): string {
    const lines = (this.#rest + text).split('\n');
    this.#rest = lines.pop() ?? '';
    const shown = lines.filter((line) => this.#isShown(line));
    return shown.map((line) => `${line}\n`).join('');
  }

  #isShown(line: string): boolean {
    const [, indent, word] = /^( *)(not ok|ok|#|1\.\.|TAP|)/.exec(line) as unknown as [string, string, string];
    if (word === 'not ok') {
      this.#failure = indent;
      return true;
    }
    if (this.#failure !== undefined && (line.startsWith(`${this.#failure}  `) || line.trim() === ''))
      return word === '';
    this.#failure = undefined;
    if (/^ {0,2}\S.*\|.*\|/.test(line)) return true;
    if (indent !== '') return false;
    return word === 'ok' || (word === '' && line.trim() !== '') || /^# (\{|time)/.test(line);
  }
}
