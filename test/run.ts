/**
 * `make test`: types, lint, unused code, unit tests (Solidity among them) with the coverage gate, end to end. Every stage runs, whatever
 * the ones before said; the last line is "N passed, N failed" over all of them. It never passes without having run tests. End to end
 * mostly waits, for packets and clocks: the unit tests run beside it, and have what it leaves of the processors.
 *
 * Run: npm run verify [-- STAGE ...]
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { runCommand } from './support/run-command.ts';
import { countsOfSummary, type TestCounts } from './support/test-counts.ts';

const ROOT = fileURLToPath(new URL('..', import.meta.url));

type Stage = {
  readonly name: string;
  readonly command: readonly string[];
  /** More than any run took on two busy cores; a stage that hangs must not eat the quarter of an hour of the whole. */
  readonly maxSeconds: number;
  readonly verdict: 'exit-code' | 'summary-line';
};
type Outcome = TestCounts & { readonly name: string; readonly seconds: number; readonly note: string };

/** One group after the other, the stages of a group side by side. */
const GROUPS: readonly (readonly Stage[])[] = [
  [{ name: 'types', command: ['npm', 'run', '--silent', 'types'], maxSeconds: 120, verdict: 'exit-code' }],
  [{ name: 'lint', command: ['npm', 'run', '--silent', 'lint'], maxSeconds: 120, verdict: 'exit-code' }],
  [{ name: 'unused', command: ['npm', 'run', '--silent', 'unused'], maxSeconds: 120, verdict: 'exit-code' }],
  [
    { name: 'unit', command: ['node', 'test/run-unit.ts', '--yield'], maxSeconds: 780, verdict: 'summary-line' },
    { name: 'e2e', command: ['node', 'test/e2e/run.ts'], maxSeconds: 780, verdict: 'summary-line' },
  ],
];
const NAMES = GROUPS.flat().map(({ name }) => name);

/** The whole must stay below a quarter of an hour: what is left of it is the most that a late stage gets. */
const WHOLE_MS = 14 * 60_000;

process.exitCode = await main(process.argv.slice(2));

async function main(wanted: readonly string[]): Promise<number> {
  const unknown = wanted.filter((name) => !NAMES.includes(name));
  if (unknown.length > 0) {
    console.error(`run: no stage ${unknown.join(', ')}; there are ${NAMES.join(', ')}`);
    return 2;
  }
  const outcomes: Outcome[] = [];
  for (const group of GROUPS) {
    const stages = group.filter(({ name }) => wanted.length === 0 || wanted.includes(name));
    if (stages.length > 0) console.log(`\n== ${stages.map(({ name }) => name).join(' and ')}`);
    outcomes.push(...(await Promise.all(stages.map(runStage))));
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
  const maxMs = Math.max(1000, Math.min(stage.maxSeconds * 1000, WHOLE_MS - performance.now()));
  const print = (text: string): void => void process.stdout.write(text);
  const result = await runCommand(stage.command, { cwd: ROOT, maxMs, print });
  const { passed, failed, notes } = judge(stage, result);
  for (const note of notes) console.log(`not ok - ${stage.name}: ${note}`);
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
  const counts = countsOfSummary(result.output);
  if (counts === undefined) notes.push('no summary line');
  if (counts !== undefined && counts.passed === 0 && counts.failed === 0) notes.push('no test ran');
  if (!isGood && (counts?.failed ?? 0) === 0) notes.push(`${result.exit} though no test failed`);
  return { passed: counts?.passed ?? 0, failed: (counts?.failed ?? 0) + notes.length, notes };
}

function line(outcome: Outcome): string {
  const counts = `${outcome.passed} passed, ${outcome.failed} failed`;
  const note = outcome.note === '' ? '' : `  (${outcome.note})`;
  return `${outcome.name.padEnd(10)} ${counts.padEnd(24)} ${outcome.seconds.toFixed(1).padStart(6)} s${note}`;
}
