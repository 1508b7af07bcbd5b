/**
 * `make test`: types, lint, unused code, unit tests (Solidity among them) with the coverage gate, end to end. Every stage runs, whatever
 * the ones before said; the last line is "N passed, N failed" over all of them. It never passes without having run tests.
 *
 * Run: npm run verify [-- STAGE ...]
 */
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { runCommand } from './support/run-command.ts';
import { countsOfSummary, countsOfTap, TapProgress, type TestCounts } from './support/test-counts.ts';
import { untestedModules } from './support/untested-modules.ts';

const ROOT = fileURLToPath(new URL('..', import.meta.url));

type Stage = {
  readonly name: string;
  readonly command: readonly string[];
  /** A file without which the stage is left out, with a message. */
  readonly needs?: string;
  /** More than any run took on two busy cores; a stage that hangs must not eat the quarter of an hour of the whole. */
  readonly maxSeconds: number;
  readonly verdict: 'exit-code' | 'tap' | 'summary-line';
};
type Outcome = TestCounts & { readonly name: string; readonly seconds: number; readonly note: string };

const STAGES: readonly Stage[] = [
  { name: 'types', command: ['npm', 'run', '--silent', 'types'], maxSeconds: 120, verdict: 'exit-code' },
  { name: 'lint', command: ['npm', 'run', '--silent', 'lint'], maxSeconds: 120, verdict: 'exit-code' },
  { name: 'unused', command: ['npm', 'run', '--silent', 'unused'], maxSeconds: 120, verdict: 'exit-code' },
  {
    name: 'unit',
    command: ['tap', 'run', '--reporter=tap', '--no-allow-incomplete-coverage'],
    maxSeconds: 480,
    verdict: 'tap',
  },
  {
    name: 'e2e',
    command: ['node', 'test/e2e/run.ts'],
    needs: 'test/e2e/run.ts',
    maxSeconds: 540,
    verdict: 'summary-line',
  },
];

/** The whole must stay below a quarter of an hour: what is left of it is the most that a late stage gets. */
const WHOLE_MS = 14 * 60_000;

const COUNTS_OF = { tap: countsOfTap, 'summary-line': countsOfSummary } as const;

process.exitCode = await main(process.argv.slice(2));

async function main(wanted: readonly string[]): Promise<number> {
  const unknown = wanted.filter((name) => STAGES.every((stage) => stage.name !== name));
  if (unknown.length > 0) {
    console.error(`run: no stage ${unknown.join(', ')}; there are ${STAGES.map((stage) => stage.name).join(', ')}`);
    return 2;
  }
  const outcomes: Outcome[] = [];
  for (const stage of STAGES) {
    if (wanted.length === 0 || wanted.includes(stage.name)) outcomes.push(await runStage(stage));
  }
  const passed = outcomes.reduce((sum, outcome) => sum + outcome.passed, 0);
  const failed = outcomes.reduce((sum, outcome) => sum + outcome.failed, 0);
  console.log('');
  for (const outcome of outcomes) console.log(line(outcome));
  console.log('');
  const summary = `${passed} passed, ${failed} failed`;
  console.log(summary);
  // For .ci/run, whose last line it must be, after anything that make has to say.
  mkdirSync(`${ROOT}/build`, { recursive: true });
  writeFileSync(`${ROOT}/build/test-summary`, `${summary}\n`);
  return failed > 0 || passed === 0 ? 1 : 0;
}

async function runStage(stage: Stage): Promise<Outcome> {
  console.log(`\n== ${stage.name}`);
  if (stage.needs !== undefined && !existsSync(`${ROOT}/${stage.needs}`)) {
    console.log(`   left out: ${stage.needs} does not exist yet`);
    return { name: stage.name, passed: 0, failed: 0, seconds: 0, note: `left out, no ${stage.needs}` };
  }
  const progress = stage.verdict === 'tap' ? new TapProgress() : undefined;
  const print = (text: string): void => {
    const shown = progress === undefined ? text : progress.filter(text);
    if (shown !== '') process.stdout.write(shown);
  };
  const maxMs = Math.max(1000, Math.min(stage.maxSeconds * 1000, WHOLE_MS - performance.now()));
  const result = await runCommand(stage.command, { cwd: ROOT, maxMs, print });
  const { passed, failed, notes } = judge(stage, result);
  return { name: stage.name, passed, failed, seconds: result.ms / 1000, note: notes.join('; ') };
}

/** A command's exit code and its own counts must agree; where they do not, that is one more failure. */
function judge(
  stage: Stage,
  result: { readonly exit: string; readonly output: string },
): TestCounts & { readonly notes: readonly string[] } {
  const isGood = result.exit === 'exit code 0';
  if (stage.verdict === 'exit-code')
    return { passed: isGood ? 1 : 0, failed: isGood ? 0 : 1, notes: isGood ? [] : [result.exit] };
  const notes: string[] = [];
  const counts = COUNTS_OF[stage.verdict](result.output);
  if (counts === undefined) notes.push('no summary line');
  if (counts !== undefined && counts.passed === 0 && counts.failed === 0) notes.push('no test ran');
  if (!isGood && (counts?.failed ?? 0) === 0) notes.push(`${result.exit} though no test failed (coverage?)`);
  if (stage.verdict === 'tap') {
    const untested = untestedModules(ROOT);
    if (untested.length > 0)
      notes.push(`${untested.length} modules that no test loads: ${untested.slice(0, 5).join(', ')} ...`);
  }
  for (const note of notes) console.log(`not ok - ${stage.name}: ${note}`);
  return { passed: counts?.passed ?? 0, failed: (counts?.failed ?? 0) + notes.length, notes };
}

function line(outcome: Outcome): string {
  const counts = `${outcome.passed} passed, ${outcome.failed} failed`;
  const note = outcome.note === '' ? '' : `  (${outcome.note})`;
  return `${outcome.name.padEnd(10)} ${counts.padEnd(24)} ${outcome.seconds.toFixed(1).padStart(6)} s${note}`;
}
