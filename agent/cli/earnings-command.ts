/** `shareagent earnings`: from the byte on the air to the reward, and why a byte earned nothing. */
import { type Command, usageError } from './command.ts';
import { askAgentFor } from './control-client.ts';
import { type EarningsAnswer, earningsSchema } from './control-schema.ts';
import { printable } from './display-width.ts';
import { bytesText, sspText, utcText } from './quantity.ts';
import { left, renderTable, right } from './table.ts';

type Day = EarningsAnswer['days'][number];

const DAY_COLUMNS = [
  left('DAY (UTC)'),
  right('METERED'),
  right('PAID'),
  right('PROVEN'),
  right('ACCEPTED'),
  right('REWARDED'),
  right('CHARGED'),
  right('REWARD'),
];
const WEEK_COLUMNS = [left('WEEK FROM (UTC)'), right('CLAIMED ON CHAIN'), right('REWARD'), left('STATE')];
const SESSION_COLUMNS = [
  right('SESSION'),
  right('METERED'),
  right('FREE'),
  right('OPEN'),
  right('UNSIGNED'),
  right('WAITING'),
  right('JUDGED'),
  right('CHARGED'),
];
const DEFAULT_DAYS = '7';
const MAX_DAYS = 31;
const BAR_CELLS = 40;
const WEEK_S = 604_800n;
const WEEK_STATES: Readonly<Record<string, string>> = {
  running: 'not over yet: the reward if nothing more is claimed',
  claimable: 'to be claimed',
  paid: 'paid to the operator',
};
/** Of a byte: the furthest it got. ASCII, since serial consoles lack block characters. */
const MARKS = { rewarded: '$', accepted: '#', proven: '=', paid: '-', metered: '.' } as const;

export const earningsCommand: Command = {
  name: 'earnings',
  operands: '',
  summary: 'What was metered, paid, proven, accepted, rewarded; and why not.',
  details: [
    'One line a day, a bar a day, and for every byte that got no further the reason and what to do.',
    'METERED bytes are PAID unless they were free, PROVEN once signed, ACCEPTED once the collector says valid,',
    "REWARDED once the week's reward was paid out. REWARD is the day's part of its week's.",
  ],
  options: {
    days: { type: 'string', value: 'N', doc: `How many days back, 1..${MAX_DAYS}; default ${DEFAULT_DAYS}.` },
    sessions: { type: 'boolean', doc: 'Session by session instead.' },
  },
  run: async ({ flags, socketPath }) => {
    const days = String(flags['days'] ?? DEFAULT_DAYS);
    if (!/^[1-9][0-9]?$/.test(days) || Number(days) > MAX_DAYS) {
      throw usageError(`--days must be a whole number from 1 to ${MAX_DAYS}, got ${days}`);
    }
    const { document, value } = await askAgentFor(earningsSchema, { socketPath, path: `/earnings?days=${days}` });
    return { document, text: flags['sessions'] === true ? sessionsText(value) : earningsText(value) };
  },
};

function earningsText(answer: EarningsAnswer): string {
  const { days, weeks, undatedBytes, heldBecause } = answer;
  return [
    ...(heldBecause === undefined ? [] : [`No proofs are signed: ${printable(heldBecause)}`, '']),
    renderTable(DAY_COLUMNS, days.map(dayRow), 'No days.'),
    '',
    ...plot(days),
    '',
    ...lossLines(days),
    ...(undatedBytes === 0n ? [] : [`${bytesText(undatedBytes)} in intervals without a date: the clock was not set.`]),
    ...(weeks.length === 0 ? [] : ['', renderTable(WEEK_COLUMNS, weeks.map(weekRow), '')]),
  ]
    .join('\n')
    .trimEnd();
}

function dayRow(day: Day): readonly string[] {
  return [
    day.date,
    bytesText(day.meteredBytes),
    bytesText(day.paidBytes),
    bytesText(day.provenBytes),
    bytesText(day.acceptedBytes),
    bytesText(day.rewardedBytes),
    sspText(day.paidUnits),
    day.rewardedUnits === undefined ? '-' : sspText(day.rewardedUnits),
  ];
}

function weekRow({ epoch, claimedUnits, rewardUnits, state }: EarningsAnswer['weeks'][number]): readonly string[] {
  return [utcText(epoch * WEEK_S), sspText(claimedUnits), sspText(rewardUnits), WEEK_STATES[state] ?? state];
}

/** One bar a day, the longest for the day with most bytes; each mark says how far those bytes got. */
function plot(days: readonly Day[]): readonly string[] {
  const most = days.reduce((max, { meteredBytes }) => (meteredBytes > max ? meteredBytes : max), 0n);
  if (most === 0n) return ['No bytes were metered in these days.'];
  const legend = Object.entries(MARKS).map(([stage, mark]) => `${mark} ${stage}`);
  return [
    ...days.map((day) => `${day.date}  ${bar(day, most)}`.trimEnd()),
    `            ${legend.join('  ')}, and no further`,
  ];
}

function bar(day: Day, most: bigint): string {
  const cells = (bytes: bigint): number =>
    bytes === 0n ? 0 : Math.max(1, Math.round((Number(bytes) / Number(most)) * BAR_CELLS));
  const ends = [
    [MARKS.rewarded, day.rewardedBytes],
    [MARKS.accepted, day.acceptedBytes],
    [MARKS.proven, day.provenBytes],
    [MARKS.paid, day.paidBytes],
    [MARKS.metered, day.meteredBytes],
  ] as const;
  let text = '';
  let before = 0n;
  for (const [mark, end] of ends) {
    // At least one cell for what is there, however small beside the rest.
    const length = Math.max(cells(end), text.length + (end > before ? 1 : 0));
    text = text.padEnd(length, mark);
    before = end;
  }
  return text;
}

/** All days together, the largest first. */
function lossLines(days: readonly Day[]): readonly string[] {
  if (days.every(({ meteredBytes }) => meteredBytes === 0n)) return [];
  const sums = new Map<string, { bytes: bigint; readonly what: string; readonly todo: string }>();
  for (const { reason, bytes, what, todo } of days.flatMap(({ losses }) => losses)) {
    const known = sums.get(reason) ?? { bytes: 0n, what, todo };
    known.bytes += bytes;
    sums.set(reason, known);
  }
  if (sums.size === 0) return ['Every byte got all the way.'];
  const sorted = [...sums.values()].sort((a, b) => (a.bytes > b.bytes ? -1 : 1));
  return ['What got no further, and why:'].concat(
    sorted.flatMap(({ bytes, what, todo }) => [`  ${bytesText(bytes)} ${printable(what)}`, `      ${printable(todo)}`]),
  );
}

function sessionsText({ sessions }: EarningsAnswer): string {
  const rows = sessions.map((session) => [
    `${session.id}`,
    bytesText(session.meteredBytes),
    bytesText(session.freeBytes),
    bytesText(session.openBytes),
    bytesText(session.unsignedBytes),
    bytesText(session.waitingBytes),
    bytesText(session.judgedBytes),
    sspText(session.chargedUnits),
  ]);
  return renderTable(SESSION_COLUMNS, rows, 'No sessions.');
}
