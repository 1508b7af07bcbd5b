import fc from 'fast-check';
import t from 'tap';
import type { SessionAnswer, StatusAnswer } from '../../../agent/cli/control-schema.ts';
import { displayWidth } from '../../../agent/cli/display-width.ts';
import { leftOf, renderTop, renderTopContent, type TopFrame } from '../../../agent/cli/top-frame.ts';
import { ratesBetween, type TopSample } from '../../../agent/cli/top-sample.ts';
import { sampleSessions, sampleStatus } from './sample-owner.ts';

const status = sampleStatus as unknown as StatusAnswer;
const sessions = sampleSessions as unknown as readonly SessionAnswer[];
const [first, second, third] = sessions as readonly [SessionAnswer, SessionAnswer, SessionAnswer];
const sample: TopSample = { atMs: 1_000, status, sessions };
const later: TopSample = {
  ...sample,
  atMs: 3_000,
  sessions: [
    first,
    { ...second, downBytes: second.downBytes + 2_500_000n },
    { ...third, upBytes: third.upBytes + 1_000n },
  ],
};
const noRates = ratesBetween(undefined, sample);
const frame = (overrides: Partial<TopFrame> = {}): TopFrame => ({
  sample,
  rates: noRates,
  columns: 80,
  rows: 24,
  isColour: false,
  ...overrides,
});

/** Text without its colours. */
function plain(line: string): string {
  return line.replaceAll(new RegExp(`${String.fromCharCode(27)}\\[[0-9]+m`, 'g'), '');
}

t.test('a frame at 80x24 shows totals, rates, and the busiest session first', (t) => {
  const lines = renderTop(frame({ sample: later, rates: ratesBetween(sample, later) }));
  t.equal(lines.length, 24);
  t.same(lines.slice(0, 9), [
    'ShareAgent 0.1.0  up 1d 2h  selling',
    '3 sessions, 2 open channels  down 1.25 MB/s (1.23 GB)  up 500 B/s (98.8 MB)',
    'earned 12.3456 SSP in open channels, 900 SSP settled  proofs 11/12, 1 waiting',
    '',
    '  ID GUEST             PHASE        DOWN        UP    USED CREDIT LEFT    BYTES',
    '   2 aa:bb:cc:00:00:02 grace   1.25 MB/s     0 B/s 12.5 MB [..........]     0 B',
    '   3 aa:bb:cc:00:00:04 trial       0 B/s   500 B/s  301 kB [#######...]  700 kB',
    '   1 aa:bb:cc:00:00:01 active      0 B/s     0 B/s 42.5 MB [##........] 7.50 MB',
    '',
  ]);
  t.equal(lines.at(-1), 'q quit');
  t.end();
});

t.test('what is wrong is shown above the sessions', (t) => {
  const wrong = { ...status, notSelling: 'offload is on\x1b', isBusConnected: false, isClockSynced: false };
  const lines = renderTop(frame({ sample: { ...sample, status: wrong }, trouble: 'The agent is not running.' }));
  t.equal(lines[0], 'ShareAgent 0.1.0  up 1d 2h  not selling: offload is on\ufffd');
  t.same(lines.slice(3, 6), ['ubus is not connected, clock is not known good', 'The agent is not running.', '']);
  t.end();
});

t.test('before the first answer only the trouble is shown', (t) => {
  const { sample: _, ...none } = frame({ trouble: 'The agent is not running.' });
  t.same(
    renderTop(none).filter((line) => line !== ''),
    ['ShareAgent', 'The agent is not running.', 'q quit'],
  );
  t.end();
});

t.test('no sessions is a sentence, and a single frame is not filled up', (t) => {
  const lines = renderTopContent(frame({ sample: { ...sample, sessions: [] }, rows: 10_000 }));
  t.equal(lines.length, 5);
  t.equal(lines.at(-1), 'No sessions.');
  t.end();
});

t.test('sessions that do not fit are counted', (t) => {
  const many = Array.from({ length: 30 }, (_, i) => ({ ...first, id: i + 1 }));
  const lines = renderTop(frame({ sample: { ...sample, sessions: many } }));
  t.equal(lines.length, 24);
  t.match(lines[21], /^ {2}17 /);
  t.equal(lines[22], '13 more sessions');
  t.end();
});

t.test('colours change nothing but colours', (t) => {
  const coloured = renderTop(frame({ isColour: true }));
  t.same(coloured.map(plain), renderTop(frame()));
  const [title] = coloured;
  t.equal(title, '\x1b[1mShareAgent 0.1.0  up 1d 2h  selling\x1b[0m');
  t.match(coloured[5], '\x1b[32m[##........]\x1b[0m');
  t.match(coloured[6], '\x1b[31m[..........]\x1b[0m');
  const low = { ...first, chargedUnits: 49_999n };
  t.match(
    renderTop(frame({ isColour: true, sample: { ...sample, sessions: [low] } }))[5],
    '\x1b[33m[#.........]\x1b[0m',
  );
  t.end();
});

t.test('the share that is left comes from the credit, without a channel from the trial', (t) => {
  t.equal(leftOf(first), 0.15);
  t.equal(leftOf(second), 0);
  t.equal(leftOf(third), 0.7);
  t.equal(leftOf({ ...first, phase: 'settled' }), 0, 'the rest has gone back');
  t.equal(leftOf({ ...first, chargedUnits: 60_000n }), 0);
  t.equal(leftOf({ ...third, downBytes: 0n, upBytes: 0n, bytesRemaining: 0n }), 0);
  t.end();
});

t.test('property: a frame fits a terminal of any size', (t) => {
  const text = fc.string({ unit: 'grapheme', maxLength: 40 });
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 120 }),
      fc.integer({ min: 1, max: 40 }),
      text,
      text,
      (columns, rows, guest, trouble) => {
        const named = sessions.map((session) => ({ ...session, macs: [guest], phase: trouble }));
        const lines = renderTop(
          frame({ columns, rows, trouble, sample: { ...sample, sessions: named }, isColour: true }),
        );
        return lines.length === rows && lines.every((line) => displayWidth(plain(line)) <= columns);
      },
    ),
  );
  t.end();
});

t.test('rates need two samples of the same session, and a counter that went back is no traffic', (t) => {
  t.same(noRates, { total: { down: 0, up: 0 }, bySession: new Map() });
  t.same(ratesBetween(sample, { ...later, atMs: sample.atMs }), noRates, 'no time has passed');
  const { total, bySession } = ratesBetween(later, { ...sample, atMs: 4_000 });
  t.same(total, { down: 0, up: 0 });
  t.same([...bySession.keys()], [1, 2, 3]);
  const fresh = { ...first, id: 99 };
  t.notOk(ratesBetween(sample, { ...later, sessions: [fresh] }).bySession.has(99));
  t.end();
});
