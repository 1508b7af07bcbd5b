/** Plain tables for terminals: columns line up for wide characters too, nothing but spaces between them. */
import { displayWidth, printable } from './display-width.ts';

export type Column = { readonly title: string; readonly align: 'left' | 'right' };

const GAP = '  ';

export const left = (title: string): Column => ({ title, align: 'left' });
export const right = (title: string): Column => ({ title, align: 'right' });

/** Title line and one line for each row; `none` if there is no row. */
export function renderTable(columns: readonly Column[], rows: readonly (readonly string[])[], none: string): string {
  if (rows.length === 0) return none;
  const lines = [columns.map(({ title }) => title), ...rows.map((row) => row.map(printable))];
  const widths = columns.map((_, i) =>
    lines.reduce((widest, line) => Math.max(widest, displayWidth(line[i] ?? '')), 0),
  );
  return lines
    .map((line) =>
      columns
        .map(({ align }, i) => pad(line[i] ?? '', widths[i] ?? 0, align))
        .join(GAP)
        .trimEnd(),
    )
    .join('\n');
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
