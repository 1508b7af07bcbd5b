/** `make demo` as a test: it must keep every promise it makes, on the last line of its own output. */
import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import t from 'tap';
import { elevate } from '../lab/elevate.ts';

const DEMO = fileURLToPath(new URL('../lab/demo.ts', import.meta.url));
/** The demo promises 60 s on a machine of its own and says itself when it took longer. */
const TIMEOUT_MS = 150_000;

elevate();
t.setTimeout(TIMEOUT_MS + 10_000);

t.test('make demo keeps every promise', async (t) => {
  const { code, output } = await run();
  const last = output.trimEnd().split('\n').at(-1) ?? '';
  if (code !== 0) t.comment(output);
  t.equal(code, 0);
  const figures = JSON.parse(last) as Record<string, number | boolean>;
  t.match(figures, { ok: true, overshootBytes: 0 });
  t.equal(figures['meteredBytes'], figures['wireBytes']);
  t.ok(Number(figures['proofsAccepted']) > 0 && Number(figures['vouchers']) > 2 && Number(figures['refundUnits']) > 0);
});

function run(): Promise<{ readonly code: number; readonly output: string }> {
  return new Promise((resolve) => {
    const child = spawn(process.execPath, [DEMO], {
      stdio: ['ignore', 'pipe', 'inherit'],
      env: { ...process.env, KEEP: '' },
    });
    const timer = setTimeout(() => child.kill('SIGTERM'), TIMEOUT_MS);
    let output = '';
    child.stdout.on('data', (chunk: Buffer) => {
      output += chunk.toString('utf8');
    });
    child.once('close', (code) => {
      clearTimeout(timer);
      resolve({ code: code ?? 1, output });
    });
  });
}
