/** `make demo` as a test: it must keep every promise it makes, on the last line of its own output. */
import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import t from 'tap';
import { elevate } from '../lab/elevate.ts';

const DEMO = fileURLToPath(new URL('../lab/demo.ts', import.meta.url));
/**
 * The demo promises 60 s on a machine of its own and says itself when it took longer: half of that it waits for packets and clocks.
 * Beside other tests the promise is one of processor time.
 */
const MOST_PROCESSOR_SECONDS = 30;
const TIMEOUT_MS = 170_000;
const TIMED = '"$@"; code=$?; times >&2; exit $code';

elevate();
t.setTimeout(TIMEOUT_MS + 10_000);

t.test('make demo keeps every promise', async (t) => {
  const { code, output, processorSeconds } = await run();
  const last = output.trimEnd().split('\n').at(-1) ?? '';
  if (code !== 0) t.comment(output);
  t.equal(code, 0);
  t.ok(processorSeconds < MOST_PROCESSOR_SECONDS, `${processorSeconds} s of processor time`);
  const figures = JSON.parse(last) as Record<string, number | boolean>;
  t.match(figures, { ok: true, overshootBytes: 0 });
  t.equal(figures['meteredBytes'], figures['wireBytes']);
  t.ok(Number(figures['proofsAccepted']) > 0 && Number(figures['vouchers']) > 2 && Number(figures['refundUnits']) > 0);
});

type Run = { readonly code: number; readonly output: string; readonly processorSeconds: number };

function run(): Promise<Run> {
  return new Promise((resolve) => {
    const child = spawn('sh', ['-c', TIMED, 'sh', process.execPath, DEMO], {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...process.env, KEEP: '', DEMO_MOST_SECONDS: String(TIMEOUT_MS / 1_000) },
    });
    const timer = setTimeout(() => child.kill('SIGTERM'), TIMEOUT_MS);
    let output = '';
    child.stdout.on('data', (chunk: Buffer) => {
      output += chunk.toString('utf8');
    });
    let complaints = '';
    child.stderr.on('data', (chunk: Buffer) => {
      complaints += chunk.toString('utf8');
    });
    child.once('close', (code) => {
      clearTimeout(timer);
      process.stderr.write(complaints);
      resolve({ code: code ?? 1, output, processorSeconds: processorSecondsOf(complaints) });
    });
  });
}

/** The last line of the shell's `times`: what its children took, as 0m5.47s 0m1.53s. */
function processorSecondsOf(said: string): number {
  const times = [...(said.trimEnd().split('\n').at(-1) ?? '').matchAll(/(\d+)m([\d.]+)s/g)];
  return times.length === 2
    ? times.reduce((sum, [, minutes, seconds]) => sum + Number(minutes) * 60 + Number(seconds), 0)
    : Number.NaN;
}
