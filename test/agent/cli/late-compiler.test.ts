/** The last compiler stays out of an idle process, and takes what is hot once it is busy: seen from inside a Node of its own. */
import { spawnSync } from 'node:child_process';
import t from 'tap';
import { DIET_FLAGS } from '../../../tools/build-agent.ts';

const MODULE = new URL('../../../agent/cli/late-compiler.ts', import.meta.url).href;
/** Bit of %GetOptimizationStatus: the function runs optimised code. */
const OPTIMISED = 1 << 4;

/** Calls a function 60,000 times while it is refused, then for a while with pauses; says whether it was compiled before and after. */
const SCRIPT = `
  const { compileOnceBusy } = await import('${MODULE}');
  const hot = (a) => { let sum = 0; for (let i = 0; i < 8; i++) sum += a ^ i; return sum; };
  const isCompiled = () => (%GetOptimizationStatus(hot) & ${OPTIMISED}) !== 0;
  const work = (ms) => { const end = performance.now() + ms; while (performance.now() < end) hot(end); };
  for (let i = 0; i < 60_000; i++) hot(i);
  const before = isCompiled();
  compileOnceBusy({ startMs: 0, lookMs: 20, busyMs: BUSY });
  let after = false;
  for (let round = 0; round < 40 && !after; round++) {
    work(15);
    await new Promise((done) => setTimeout(done, 10));
    after = isCompiled();
  }
  console.log(JSON.stringify({ before, after }));
`;

function ran(flags: readonly string[], busyMs: number): unknown {
  const argv = [
    ...flags,
    '--allow-natives-syntax',
    '--input-type=module',
    '--eval',
    SCRIPT.replace('BUSY', `${busyMs}`),
  ];
  const { NODE_OPTIONS: _, ...env } = process.env;
  const { stdout, stderr } = spawnSync(process.execPath, argv, { env, encoding: 'utf8' });
  try {
    return JSON.parse(stdout);
  } catch {
    throw new Error(`node said: ${stderr}`);
  }
}

t.test('what was refused is compiled once there is work', (t) => {
  t.same(ran(DIET_FLAGS, 1), { before: false, after: true });
  t.end();
});

t.test('below that it stays as it is', (t) => {
  t.same(ran(DIET_FLAGS, 1_000_000), { before: false, after: false });
  t.end();
});

t.test('without the filter it is compiled at once', (t) => {
  const unfiltered = DIET_FLAGS.filter((flag) => !flag.startsWith('--turbo-filter'));
  t.match(ran(unfiltered, 1_000_000), { before: true });
  t.end();
});
