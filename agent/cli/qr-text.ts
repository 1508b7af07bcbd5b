/** QR codes on paper and in a terminal. */
import { qrModules } from '../../captive-portal/page/qr.ts';

/** Light modules around the code; readers want four. */
const QUIET = 4;

/** Two rows of modules a line, light on dark: most terminals are dark, and readers take the code either way round. */
export function qrText(text: string): string {
  const rows = qrModules(text);
  const isDark = (x: number, y: number) => rows[y]?.[x] === true;
  const lines: string[] = [];
  for (let y = -QUIET; y < rows.length + QUIET; y += 2) {
    let line = '';
    for (let x = -QUIET; x < rows.length + QUIET; x++) line += halfBlock(isDark(x, y), isDark(x, y + 1));
    lines.push(line);
  }
  return lines.join('\n');
}

/** One SVG element; its size is the style sheet's. */
export function qrSvg(text: string): string {
  const rows = qrModules(text);
  const size = rows.length + 2 * QUIET;
  const path = rows.flatMap((row, y) => row.map((dark, x) => (dark ? `M${x + QUIET} ${y + QUIET}h1v1h-1z` : '')));
  return `<svg viewBox="0 0 ${size} ${size}" role="img" aria-label="QR"><path d="${path.join('')}"/></svg>`;
}

/** The light half is drawn. */
function halfBlock(isTopDark: boolean, isBottomDark: boolean): string {
  if (isTopDark) return isBottomDark ? ' ' : '\u2584';
  return isBottomDark ? '\u2580' : '\u2588';
}
