import t from 'tap';
import * as v from 'valibot';
import { earningsSchema } from '../../../agent/cli/control-schema.ts';
import { type Earnings, earnings } from '../../../agent/earnings/earnings.ts';
import { buildControl, listenControl } from '../../../agent/owner/control.ts';
import { temporaryDirectory } from '../../support/temporary-directory.ts';
import { listenSample, runLine } from './recording-io.ts';
import { sampleEarnings } from './sample-earnings.ts';
import { sampleOwner, sampleProofs } from './sample-owner.ts';

type Test = Parameters<typeof listenSample>[0];

async function linesFor(t: Test, report: Earnings): Promise<readonly string[]> {
  const socketPath = `${temporaryDirectory(t)}/s`;
  const listening = await listenControl(buildControl({ owner: sampleOwner(), earnings: () => report }), socketPath);
  t.teardown(() => listening.close());
  return (await runLine(['earnings', '--socket', socketPath])).out.split('\n');
}

const EMPTY = {
  records: [],
  unsigned: [],
  open: { bytes: 0n, units: 0n },
  freeBytesToday: 0n,
  weeks: [],
  sessions: [],
  nowS: 1_795_000_800n,
};

t.test('each day is a line and a bar, and every byte that stopped has its reason', async (t) => {
  const { out, exitCode } = await runLine(['earnings', '--days', '2', '--socket', await listenSample(t)]);
  t.equal(exitCode, 0);
  t.match(out, /2026-11-18 +48.2 MB +47.9 MB +44.4 MB +41.0 MB +0 B +4.79 SSP +0.369 SSP/);
  t.match(out, /^2026-11-17 {2}#{35}={5}$/m);
  t.match(out, /^2026-11-18 {2}#+=+-+\.$/m, 'what is small is still to be seen');
  t.match(out, '  12.0 MB proven too late for the week\n      Nothing can be done for these.');
  t.match(out, /2026-11-05 00:00 +90 SSP +8.1 SSP {2}paid to the operator/);
});

t.test('the bar of a day is never longer than that of the day with most bytes', async (t) => {
  const bars = (await linesFor(t, sampleEarnings(2))).filter((line) => /^2026-11-1\d {2}[$#=.-]+$/.test(line));
  t.equal(bars.length, 2);
  for (const bar of bars) t.ok(bar.length <= '2026-11-18  '.length + 40, bar);
});

t.test('nothing metered, nothing lost, proofs held, no date', async (t) => {
  const nothing = await linesFor(t, earnings(EMPTY, 1));
  t.match(nothing, [/DAY/, /0 B/, '', 'No bytes were metered in these days.']);
  t.equal(nothing.length, 4, 'and no word of bytes that got anywhere');
  const held = earnings({ ...EMPTY, heldBecause: 'journal\x1b[2J lost', open: { bytes: 9n, units: 0n } }, 1);
  const lines = await linesFor(t, held);
  t.match(lines[0], 'No proofs are signed: journal\ufffd[2J lost');
  t.ok(lines.includes('  9 B not signed, because proofs are held'));
  const undated = { endS: 1n, isDated: false, bytes: 1_000n, units: 0n };
  const text = (await linesFor(t, earnings({ ...EMPTY, unsigned: [undated] }, 1))).join('\n');
  t.match(text, '1.00 kB in intervals without a date');
});

t.test('wrong days are a usage error; --json passes everything through', async (t) => {
  for (const days of ['0', '32', 'x', '1.5']) {
    t.match(await runLine(['earnings', '--days', days]), {
      exitCode: 2,
      err: /--days must be a whole number from 1 to 31/,
    });
  }
  const { out } = await runLine(['earnings', '--json', '--days', '1', '--socket', await listenSample(t)]);
  const document = JSON.parse(out);
  t.match(document, { days: [{ acceptedUnits: '41000' }], weeks: [{}, {}] });
  t.ok(v.is(earningsSchema, document));
});

t.test('proofs --why says what each verdict means and what to do', async (t) => {
  const [waiting, valid] = sampleProofs;
  const why = async (...records: readonly (typeof waiting | undefined)[]) => {
    const proofs = () => records.filter((record) => record !== undefined);
    return (await runLine(['proofs', '--why', '--socket', await listenSample(t, { proofs })])).out;
  };
  t.match(await why(waiting, valid), '\n\n8: proven, and waiting for the collector\n    Wait. If it stays: ');
  t.match(await why(valid), '\n\nAll of these count.');
  t.equal(await why(), 'No proofs yet.');
  const judged = (verdict: string) => ({ ...valid, receipt: { ...valid?.receipt, verdict } }) as typeof valid;
  t.match(await why(judged('gap'), judged('gap')), '7, 7: in a proof whose predecessor the collector does not have');
  t.match(await why(judged('toString')), 'judged "toString" by the collector\n    Update the agent');
  const { out } = await runLine(['proofs', '--why', '--json', '--socket', await listenSample(t)]);
  t.match(JSON.parse(out).proofs, [{ why: { todo: /^Wait/ } }, { why: undefined }]);
});
