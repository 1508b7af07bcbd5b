/** A terminal's text as an SVG picture: for the README, drawn from a run and never by hand. */

const FONT_PX = 12;
const CHARACTER_PX = 7.23;
const LINE_PX = 17;
const MARGIN_PX = 18;
const COLOURS: readonly { readonly pattern: RegExp; readonly colour: string }[] = [
  { pattern: /^\$ /, colour: '#9ece6a' },
  { pattern: /BROKEN$/, colour: '#f7768e' },
  { pattern: /kept$/, colour: '#9ece6a' },
  { pattern: /\.\.\.$/, colour: '#7aa2f7' },
  { pattern: /^promise /, colour: '#bb9af7' },
];
const PLAIN = '#c0caf5';

export function terminalPicture(command: string, text: string): string {
  const lines = [command, ...text.trimEnd().split('\n')];
  const width = Math.ceil(Math.max(...lines.map((line) => line.length)) * CHARACTER_PX + 2 * MARGIN_PX);
  const height = lines.length * LINE_PX + 2 * MARGIN_PX;
  const rows = lines.map((line, i) => {
    const y = MARGIN_PX + (i + 1) * LINE_PX - 4;
    const colour = COLOURS.find(({ pattern }) => pattern.test(line))?.colour ?? PLAIN;
    return `<text x="${MARGIN_PX}" y="${y}" fill="${colour}" xml:space="preserve">${escaped(line)}</text>`;
  });
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" role="img" aria-label="Output of make demo">
<rect width="100%" height="100%" rx="8" fill="#1a1b26"/>
<g font-family="ui-monospace, SFMono-Regular, Menlo, Consolas, 'DejaVu Sans Mono', monospace" font-size="${FONT_PX}">
${rows.join('\n')}
</g>
</svg>
`;
}

function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}
