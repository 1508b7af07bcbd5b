/**
 * Runs every test/e2e/*.e2e.ts, two at a time (each builds networks of its own and mostly waits; their time limits leave
 * room for a busy machine), then prints "N passed, N failed". Arguments select files by a part of their name.
 */
import { spawn } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { elevate } from '../lab/elevate.ts';

/** More than any file may take; a hanging one is a failure, not a hanging run. */
const FILE_TIMEOUT_MS = 180_000;
/** More would only wait for the two processors of a small machine. */
const LANES = 2;
const SHOWN_LINES = 60;
const LINES_OF_FAILURE = 25;

elevate();
const directory = fileURLToPath(new URL('.', import.meta.url));
const wanted = process.argv.slice(2);
const files = readdirSync(directory)
  .filter((name) => name.endsWith('.e2e.ts'))
  .filter((name) => wanted.length === 0 || wanted.some((part) => name.includes(part)))
  .sort();
let failed = 0;
const startedMs = performance.now();
const waiting = [...files];
await Promise.all(Array.from({ length: LANES }, runLane));
const seconds = ((performance.now() - startedMs) / 1_000).toFixed(0);
process.stdout.write(`${files.length - failed} passed, ${failed} failed (${seconds} s)\n`);
process.exit(failed === 0 && files.length > 0 ? 0 : 1);

async function runLane(): Promise<void> {
  for (let name = waiting.shift(); name !== undefined; name = waiting.shift()) {
    const { isOk, summary, seconds, output } = await runFile(name);
    process.stdout.write(`${isOk ? 'ok    ' : 'FAILED'} ${name} ${summary} ${seconds.toFixed(1)} s\n`);
    if (isOk) continue;
    failed += 1;
    process.stdout.write(`${excerpt(output)}\n`);
  }
}

/** Every failed check with what follows it, and the end. */
function excerpt(output: string): string {
  const lines = output.split('\n');
  const isShown = new Set<number>();
  for (const [i, line] of lines.entries()) {
    const isFailure = /^\s*not ok /.test(line);
    for (let j = i; isFailure && j < i + LINES_OF_FAILURE; j++) isShown.add(j);
  }
  return lines.filter((_, i) => isShown.has(i) || i >= lines.length - SHOWN_LINES).join('\n');
}

type FileResult = {
  readonly isOk: boolean;
  readonly summary: string;
  readonly output: string;
  readonly seconds: number;
};

/** Runs the file as the TAP program that it is; tap's own runner would run it in a worker without the terminal. */
function runFile(name: string): Promise<FileResult> {
  return new Promise((resolve) => {
    const begunMs = performance.now();
    const child = spawn(process.execPath, [`${directory}${name}`], {
      stdio: ['ignore', 'pipe', 'pipe'],
      // tap's own limit, in seconds, is half a minute: the limit of a file is this runner's business.
      env: { ...process.env, TAP_TIMEOUT: String(FILE_TIMEOUT_MS / 1_000) },
    });
    let output = '';
    let isLate = false;
    const take = (chunk: Buffer): void => {
      output += chunk.toString('utf8');
    };
    child.stdout.on('data', take);
    child.stderr.on('data', take);
    const timer = setTimeout(() => {
      isLate = true;
      // The lab cleans up on SIGTERM.
      child.kill('SIGTERM');
      setTimeout(() => child.kill('SIGKILL'), 5_000).unref();
    }, FILE_TIMEOUT_MS);
    child.once('close', (code) => {
      clearTimeout(timer);
      const count = output.split('\n').filter((line) => /^\s+ok \d+/.test(line)).length;
      const summary = isLate ? `(killed after ${FILE_TIMEOUT_MS / 1_000} s)` : `(${count} checks)`;
      const seconds = (performance.now() - begunMs) / 1_000;
      resolve({ isOk: code === 0 && !isLate && count > 0, summary, output, seconds });
    });
  });
}
