/** A line plot as SVG: logarithmic x, linear y from 0, one line per series with its name at the end. */
import type { Plot } from './report.ts';

const WIDTH = 720;
const HEIGHT = 400;
const LEFT = 64;
const RIGHT = 150;
const TOP = 48;
const BOTTOM = 56;
const COLOURS = ['#0b6e57', '#b5532a', '#4b4f9e', '#777777'];

export function svgFromPlot({ title, xLabel, yLabel, x, lines }: Plot): string {
  const maxY = Math.max(1, ...lines.flatMap(({ y }) => y)) * 1.05;
  const logs = x.map((value) => Math.log10(value));
  const span = Math.max(1e-9, (logs.at(-1) as number) - (logs[0] as number));
  const px = (i: number) => LEFT + (((logs[i] as number) - (logs[0] as number)) / span) * (WIDTH - LEFT - RIGHT);
  const py = (value: number) => HEIGHT - BOTTOM - (value / maxY) * (HEIGHT - TOP - BOTTOM);
  const grid = [0, 0.25, 0.5, 0.75, 1].map((value) => {
    const line = `<line x1="${LEFT}" x2="${WIDTH - RIGHT}" y1="${py(value)}" y2="${py(value)}" stroke="#ccc"/>`;
    return `${line}<text x="${LEFT - 8}" y="${py(value) + 4}" text-anchor="end">${value}</text>`;
  });
  const ticks = x.map(
    (value, i) => `<text x="${px(i)}" y="${HEIGHT - BOTTOM + 20}" text-anchor="middle">${value}</text>`,
  );
  const series = lines.map(({ name, y }, k) => {
    const colour = COLOURS[k % COLOURS.length];
    const points = y.map((value, i) => `${px(i)},${py(value)}`).join(' ');
    const dots = y.map((value, i) => `<circle cx="${px(i)}" cy="${py(value)}" r="3.5" fill="${colour}"/>`).join('');
    const end = `<text x="${px(y.length - 1) + 10}" y="${py(y.at(-1) as number) + 4}" fill="${colour}">${escaped(name)}</text>`;
    return `<polyline points="${points}" fill="none" stroke="${colour}" stroke-width="2"/>${dots}${end}`;
  });
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" font-family="sans-serif" font-size="13">
<rect width="${WIDTH}" height="${HEIGHT}" fill="#fff"/>
<text x="${LEFT}" y="26" font-size="16" font-weight="bold">${escaped(title)}</text>
${grid.join('')}${ticks.join('')}${series.join('')}
<text x="${(LEFT + WIDTH - RIGHT) / 2}" y="${HEIGHT - 12}" text-anchor="middle">${escaped(xLabel)}</text>
<text x="16" y="${HEIGHT / 2}" transform="rotate(-90 16 ${HEIGHT / 2})" text-anchor="middle">${escaped(yLabel)}</text>
</svg>
`;
}

function escaped(text: string): string {
  return text.replace(/&/g, '&amp;').replace(/</g, '&lt;');
}
