/**
 * Runs the unit tests, a process each, two at a time, then prints "N passed, N failed". The rooms with a coverage gate run under tap,
 * which measures it; all others run as the programs that they are, from a cache of compiled code, which halves what they cost.
 * Arguments select files by a part of their path, without the gate. `--yield`: whatever else runs goes first.
 */
import { globSync, writeFileSync } from 'node:fs';
import { availableParallelism, setPriority } from 'node:os';
import { fileURLToPath } from 'node:url';
import { GATED_ROOMS } from '../tools/coverage-map.ts';
import { withCodeCache, withoutCodeCache } from './support/code-cache.ts';
import { inLanes, longestFirst } from './support/lanes.ts';
import { runCommand } from './support/run-command.ts';
import { reportOf, runTapProgram } from './support/tap-program.ts';
import { countsOfTap, TapProgress } from './support/test-counts.ts';
import { untestedModules } from './support/untested-modules.ts';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const TESTS = 'test/{protocol,verifier,agent,captive-portal,contracts,fleet,openwrt,tools}/**/*.test.ts';
/** Only for what hangs: on a machine with a load of 12 a file of eight processes took 61 s. */
const MAX_SECONDS = 600;
const LANES = Math.max(2, availableParallelism());
const NICENESS = 5;
const COVERAGE = 'coverage of protocol/ and agent/core/';
/** Five seconds and more of a processor. */
const LONG: readonly string[] = [
  'test/contracts/compile.test.ts',
  'test/contracts/forge.test.ts',
  'test/fleet/main.test.ts',
  'test/agent/settlement/tick-settlement.test.ts',
  'test/openwrt/package/guest-network.test.ts',
  'test/agent/settlement/chain-trouble.test.ts',
  'test/agent/settlement/chain-fault-points.test.ts',
  'test/fleet/simulate.test.ts',
  'test/fleet/survive-kill.test.ts',
  'test/agent/proofs/month-offline.test.ts',
];

let passed = 0;
let failed = 0;
process.exitCode = await main(process.argv.slice(2));

async function main(args: readonly string[]): Promise<number> {
  const wanted = args.filter((arg) => arg !== '--yield');
  if (args.includes('--yield')) giveWay();
  const files = globSync(TESTS, { cwd: ROOT });
  const isGated = (file: string): boolean => GATED_ROOMS.some((room) => file.startsWith(`test/${room}/`));
  const startedMs = performance.now();
  if (wanted.length > 0) {
    await runPrograms(files.filter((file) => wanted.some((part) => file.includes(part))));
  } else {
    await runPrograms([COVERAGE, ...files.filter((file) => !isGated(file))], files.filter(isGated).sort());
    checkAllTested();
  }
  const seconds = ((performance.now() - startedMs) / 1_000).toFixed(0);
  process.stdout.write(`${passed} passed, ${failed} failed (${seconds} s)\n`);
  return failed > 0 || passed === 0 ? 1 : 0;
}

async function runPrograms(files: readonly string[], gated: readonly string[] = []): Promise<void> {
  const env = withCodeCache(process.env);
  await inLanes(LANES, longestFirst(files, [COVERAGE, ...LONG]), async (file) => {
    if (file === COVERAGE) return runGated(gated);
    const result = await runTapProgram(file, { maxSeconds: MAX_SECONDS, env, cwd: ROOT });
    process.stdout.write(reportOf(file, result));
    passed += result.counts.passed;
    failed += result.counts.failed;
  });
}

/** One lane's worth of tap: it counts what it ran, and ends with another code than 0 if a statement was not covered. */
async function runGated(files: readonly string[]): Promise<void> {
  const progress = new TapProgress();
  const result = await runCommand(
    ['tap', 'run', '--jobs=1', '--reporter=tap', '--no-allow-incomplete-coverage', ...files],
    {
      cwd: ROOT,
      env: withoutCodeCache(process.env),
      maxMs: files.length * MAX_SECONDS * 1_000,
      print: (text) => void process.stdout.write(progress.filter(text)),
    },
  );
  const counts = countsOfTap(result.output);
  passed += counts?.passed ?? 0;
  failed += counts?.failed ?? 0;
  if (counts === undefined || counts.passed === 0) fail(`tap has not said what it ran: ${result.exit}`);
  else if (counts.failed === 0 && result.exit !== 'exit code 0') fail(`${result.exit} though no test failed`);
}

function checkAllTested(): void {
  const untested = untestedModules(ROOT);
  if (untested.length > 0) fail(`no test loads ${untested.slice(0, 5).join(', ')}${untested.length > 5 ? ' ...' : ''}`);
}

function fail(what: string): void {
  failed += 1;
  process.stdout.write(`not ok - ${COVERAGE}: ${what}\n`);
}

/** Children inherit both. Linux groups processes by session first, and a stage is a session: its own niceness has a file. */
function giveWay(): void {
  setPriority(NICENESS);
  try {
    writeFileSync('/proc/self/autogroup', String(NICENESS));
  } catch {
    // A kernel without such groups: then the priority alone decides.
  }
}
