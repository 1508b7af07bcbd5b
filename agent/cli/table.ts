/** Plain tables for terminals: columns line up for wide characters too, nothing but spaces between them. */
import type { CommandIo } from './command.ts';
import { displayWidth, printable } from './display-width.ts';

export type Column = {
  readonly title: string;
  readonly align: 'left' | 'right';
  /** Where the terminal is too narrow, columns with a rank are left out, the lowest first; never those without one. */
  readonly rank?: number;
};

const GAP = '  ';

export const left = (title: string, rank?: number): Column => ({
  title,
  align: 'left',
  ...(rank === undefined ? {} : { rank }),
});
export const right = (title: string): Column => ({ title, align: 'right' });

/** What a person's terminal has room for; a pipe has room for all. */
export function roomOf({ terminal, size }: Pick<CommandIo, 'terminal' | 'size'>): number {
  return terminal === undefined ? Number.POSITIVE_INFINITY : size().columns;
}

/** Title line and one line for each row; `none` if there is no row. `room`: columns of the terminal; what is left out is said. */
export function renderTable(
  columns: readonly Column[],
  rows: readonly (readonly string[])[],
  none: string,
  room = Number.POSITIVE_INFINITY,
): string {
  if (rows.length === 0) return none;
  const lines = [columns.map(({ title }) => title), ...rows.map((row) => row.map(printable))];
  const all = columns.map((column, i) => ({
    ...column,
    i,
    width: lines.reduce((widest, line) => Math.max(widest, displayWidth(line[i] ?? '')), 0),
  }));
  const shown = fitting(all, room);
  const table = lines.map((line) =>
    shown
      .map(({ align, i, width }) => pad(line[i] ?? '', width, align))
      .join(GAP)
      .trimEnd(),
  );
  const hidden = all.filter((column) => !shown.includes(column)).map(({ title }) => title);
  if (hidden.length > 0) table.push(`Not shown: ${hidden.join(', ')}. All are ${widthOf(all)} columns wide.`);
  return table.join('\n');
}

type Measured = Column & { readonly i: number; readonly width: number };

function fitting(columns: readonly Measured[], room: number): readonly Measured[] {
  if (widthOf(columns) <= room) return columns;
  const [first] = columns
    .filter(({ rank }) => rank !== undefined)
    .toSorted(({ rank: a = 0 }, { rank: b = 0 }) => a - b);
  return first === undefined
    ? columns
    : fitting(
        columns.filter((column) => column !== first),
        room,
      );
}

function widthOf(columns: readonly Measured[]): number {
  return columns.reduce((sum, { width }) => sum + width, 0) + GAP.length * (columns.length - 1);
}

/** One fact a line, names in front. */
export function renderFacts(facts: readonly (readonly [string, string])[]): string {
  const width = facts.reduce((widest, [name]) => Math.max(widest, name.length), 0);
  return facts.map(([name, value]) => `${name.padEnd(width)}${GAP}${printable(value)}`).join('\n');
}

export function pad(text: string, width: number, align: 'left' | 'right'): string {
  const space = ' '.repeat(Math.max(0, width - displayWidth(text)));
  return align === 'left' ? text + space : space + text;
}
