/** Runs a test file as the TAP program that it is, without tap's own runner, whose loaders cost a third of a second a file. */
import { spawn } from 'node:child_process';
import { countsOfProgram, type TestCounts } from './test-counts.ts';

export type TapProgramResult = {
  readonly isOk: boolean;
  readonly counts: TestCounts;
  /** "(12 checks)", or what was wrong besides failed checks: "(killed after 180 s)". */
  readonly summary: string;
  /** stdout and stderr in order of arrival. */
  readonly output: string;
  readonly seconds: number;
};

export type TapProgramOptions = {
  /** More than the file may ever take; one that hangs is a failure, not a hanging run. */
  readonly maxSeconds: number;
  readonly env?: NodeJS.ProcessEnv;
  readonly cwd?: string;
};

/** The lab takes its networks down on SIGTERM. */
const GRACE_MS = 5_000;
const SHOWN_LINES = 60;
const LINES_OF_FAILURE = 25;

export function runTapProgram(path: string, options: TapProgramOptions): Promise<TapProgramResult> {
  const { maxSeconds, env = process.env, cwd = process.cwd() } = options;
  return new Promise((resolve) => {
    const begunMs = performance.now();
    const child = spawn(process.execPath, [path], {
      cwd,
      stdio: ['ignore', 'pipe', 'pipe'],
      // tap's own limit is half a minute: the limit of a file is its runner's business.
      env: { ...env, TAP_TIMEOUT: String(maxSeconds) },
    });
    let output = '';
    let isLate = false;
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8').on('data', (text: string) => {
        output += text;
      });
    }
    const timer = setTimeout(() => {
      isLate = true;
      child.kill('SIGTERM');
      setTimeout(() => child.kill('SIGKILL'), GRACE_MS).unref();
    }, maxSeconds * 1_000);
    child.once('close', (code, signal) => {
      clearTimeout(timer);
      const verdict = judge(output, isLate ? `killed after ${maxSeconds} s` : (signal ?? code));
      resolve({ ...verdict, output, seconds: (performance.now() - begunMs) / 1_000 });
    });
  });
}

/** A program that ended well, but checked nothing or did not get to its plan, has not passed. */
function judge(output: string, end: string | number | null): Omit<TapProgramResult, 'output' | 'seconds'> {
  const { counts, isComplete } = countsOfProgram(output);
  const isOk = end === 0 && counts.failed === 0 && isComplete;
  const checks = `${counts.passed + counts.failed} checks`;
  if (isOk) return { isOk, counts, summary: `(${checks})` };
  const reason = end === 0 && !isComplete ? 'incomplete' : typeof end === 'number' ? `exit code ${end}` : end;
  const failed = Math.max(1, counts.failed);
  return { isOk, counts: { passed: counts.passed, failed }, summary: `(${checks}, ${failed} failed, ${reason})` };
}

/** "ok     NAME (12 checks) 1.2 s", and of a failed one every failed check with what follows it, and the end. */
export function reportOf(name: string, result: TapProgramResult): string {
  const line = `${result.isOk ? 'ok    ' : 'FAILED'} ${name} ${result.summary} ${result.seconds.toFixed(1)} s\n`;
  return result.isOk ? line : `${line}${excerpt(result.output)}\n`;
}

function excerpt(output: string): string {
  const lines = output.split('\n');
  const isShown = new Set<number>();
  for (const [i, line] of lines.entries()) {
    const isFailure = /^\s*not ok /.test(line);
    for (let j = i; isFailure && j < i + LINES_OF_FAILURE; j++) isShown.add(j);
  }
  return lines.filter((_, i) => isShown.has(i) || i >= lines.length - SHOWN_LINES).join('\n');
}
