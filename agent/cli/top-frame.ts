/** One frame of `shareagent top`: lines of text that fit a terminal of any size, 80x24 by design. */
import type { SessionAnswer } from './control-schema.ts';
import { fitWidth, printable } from './display-width.ts';
import { bytesText, counted, durationText, rateText, sspText } from './quantity.ts';
import { firstOf } from './sessions-command.ts';
import { pad } from './table.ts';
import type { Rate, TopRates, TopSample } from './top-sample.ts';

export type TopFrame = {
  /** Absent until the agent has answered once. */
  readonly sample?: TopSample;
  readonly rates: TopRates;
  /** Why the newest try failed; the sample is then an old one. */
  readonly trouble?: string;
  readonly columns: number;
  readonly rows: number;
  readonly isColour: boolean;
};

type Paint = (text: string, style: keyof typeof STYLES) => string;
type SessionColumn = {
  readonly title: string;
  readonly width: number;
  readonly align: 'left' | 'right';
  readonly cell: (session: SessionAnswer, rate: Rate | undefined) => string;
};

const STYLES = { bold: '1', reverse: '7', red: '31', green: '32', yellow: '33' } as const;
const BAR_CELLS = 10;
const KEYS = 'q quit';

/** Together 79 columns with single spaces between. */
const SESSION_COLUMNS: readonly SessionColumn[] = [
  { title: 'ID', width: 4, align: 'right', cell: ({ id }) => `${id}` },
  { title: 'GUEST', width: 17, align: 'left', cell: ({ macs }) => firstOf(macs.slice(0, 1)) },
  { title: 'PHASE', width: 7, align: 'left', cell: ({ phase }) => phase },
  { title: 'DOWN', width: 9, align: 'right', cell: (_, rate) => (rate === undefined ? '-' : rateText(rate.down)) },
  { title: 'UP', width: 9, align: 'right', cell: (_, rate) => (rate === undefined ? '-' : rateText(rate.up)) },
  { title: 'USED', width: 7, align: 'right', cell: ({ downBytes, upBytes }) => bytesText(downBytes + upBytes) },
  { title: 'CREDIT LEFT', width: 12, align: 'left', cell: (session) => barText(leftOf(session)) },
  { title: 'BYTES', width: 7, align: 'right', cell: ({ bytesRemaining }) => bytesText(bytesRemaining) },
];

/** A frame that fills the terminal, with the keys in its last line. */
export function renderTop(frame: TopFrame): readonly string[] {
  const lines = renderTopContent({ ...frame, rows: frame.rows - 1 });
  const blank = Array.from({ length: Math.max(0, frame.rows - 1 - lines.length) }, () => '');
  return [...lines, ...blank, fitWidth(KEYS, frame.columns)];
}

/** The same without filling up: at most `rows` lines. */
export function renderTopContent(frame: TopFrame): readonly string[] {
  const paint: Paint = (text, style) => (frame.isColour ? `\x1b[${STYLES[style]}m${text}\x1b[0m` : text);
  const head = headLines(frame, paint);
  return [...head, ...sessionLines(frame, paint, frame.rows - head.length)].slice(0, Math.max(0, frame.rows));
}

/** Share of the credit (or, without a channel, of the trial) that is left: 0..1. */
export function leftOf(session: SessionAnswer): number {
  const { phase, creditUnits, chargedUnits, bytesRemaining, downBytes, upBytes } = session;
  // What was not used has gone back.
  if (phase === 'settled') return 0;
  if (creditUnits > 0n) return Math.max(0, Number(creditUnits - chargedUnits) / Number(creditUnits));
  const all = bytesRemaining + downBytes + upBytes;
  return all > 0n ? Number(bytesRemaining) / Number(all) : 0;
}

function headLines({ sample, rates, trouble, columns }: TopFrame, paint: Paint): readonly string[] {
  const fit = (text: string): string => fitWidth(printable(text), columns);
  const alarm = trouble === undefined ? [] : [paint(fit(trouble), 'red')];
  if (sample === undefined) return [paint(fit('ShareAgent'), 'bold'), ...alarm];
  const { status } = sample;
  const selling = status.notSelling === undefined ? 'selling' : `not selling: ${status.notSelling}`;
  const title = `ShareAgent ${status.version}  up ${durationText(status.uptimeMs)}  ${selling}`;
  const hints = [
    ...(status.isBusConnected ? [] : ['ubus is not connected']),
    ...(status.isClockSynced ? [] : ['clock is not known good']),
  ];
  return [
    paint(fit(title), status.notSelling === undefined ? 'bold' : 'red'),
    fit(
      `${counted(status.sessions, 'session')}, ${counted(status.openChannels, 'open channel')}  down ${rateText(rates.total.down)} (${bytesText(status.downBytes)})  up ${rateText(rates.total.up)} (${bytesText(status.upBytes)})`,
    ),
    fit(
      `earned ${sspText(status.earnedUnits)} in open channels, ${sspText(status.settledUnits)} settled  proofs ${status.proofs.acknowledged}/${status.proofs.closed}, ${status.proofs.waiting} waiting`,
    ),
    ...(hints.length > 0 ? [paint(fit(hints.join(', ')), 'yellow')] : []),
    ...alarm,
    '',
  ];
}

function sessionLines({ sample, rates, columns }: TopFrame, paint: Paint, room: number): readonly string[] {
  if (sample === undefined || room < 2) return [];
  if (sample.sessions.length === 0) return [fitWidth('No sessions.', columns)];
  const activity = ({ id }: SessionAnswer): number => {
    const rate = rates.bySession.get(id);
    return rate === undefined ? 0 : rate.down + rate.up;
  };
  const busiest = sample.sessions.toSorted((a, b) => activity(b) - activity(a) || a.id - b.id);
  const shown = busiest.length > room - 1 ? busiest.slice(0, room - 2) : busiest;
  const title = SESSION_COLUMNS.map((column) => pad(column.title, column.width, column.align)).join(' ');
  const rows = shown.map((session) => sessionLine(session, rates.bySession.get(session.id), columns, paint));
  const hidden = busiest.length - shown.length;
  return [
    paint(fitWidth(title, columns).padEnd(Math.min(columns, title.length)), 'reverse'),
    ...rows,
    ...(hidden > 0 ? [fitWidth(`${counted(hidden, 'more session')}`, columns)] : []),
  ];
}

function sessionLine(session: SessionAnswer, rate: Rate | undefined, columns: number, paint: Paint): string {
  const cells = SESSION_COLUMNS.map(({ width, align, cell }) => {
    return pad(fitWidth(printable(cell(session, rate)), width), width, align);
  });
  const share = leftOf(session);
  const line = fitWidth(cells.join(' '), columns);
  const bar = barText(share);
  // Painted after fitting: escape sequences have no width.
  return line.includes(bar)
    ? line.replace(bar, paint(bar, share > 0.1 ? 'green' : share > 0 ? 'yellow' : 'red'))
    : line;
}

/** ASCII, since serial consoles and small fonts lack block characters. Any credit left shows at least one cell. */
function barText(share: number): string {
  const cells = share > 0 ? Math.max(1, Math.round(share * BAR_CELLS)) : 0;
  return `[${'#'.repeat(cells)}${'.'.repeat(BAR_CELLS - cells)}]`;
}
