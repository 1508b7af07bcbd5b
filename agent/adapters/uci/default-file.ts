/**
 * The commented file that the package installs as /etc/config/shareagent. Only what an owner is likely to change is a
 * live line: whatever stands there would otherwise keep an old default for ever, since package upgrades leave it alone.
 */
import type { Option, SectionSpec } from './option-spec.ts';
import { OPTION_TABLE } from './option-table.ts';
import { quoteUci } from './uci-text.ts';

const HEAD = `# Paid guest WiFi: ShareAgent. Every option, its unit, range and default.
# A line that starts with # is a comment; the commented options show the default or, where there is none, an example.
# Check what you wrote: shareagent config check. What the router itself needs: shareagent doctor.
`;
/** Widest comment line. */
const LINE_WIDTH = 118;

export function renderDefaultFile(): string {
  const sections: readonly (readonly [string, SectionSpec])[] = Object.entries(OPTION_TABLE);
  return [HEAD, ...sections.map(([type, spec]) => renderSection(type, spec))].join('\n');
}

/** A section that may come several times is an example, so all of it is commented out. */
function renderSection(type: string, spec: SectionSpec): string {
  const isExample = spec.max > 1;
  const head = isExample ? `#config ${type}` : `config ${type} '${type}'`;
  const options = Object.entries(spec.options).flatMap(([name, option]) => {
    const isLive = !isExample && spec.shown.includes(name);
    return [...comment(option.doc, '\t'), ...comment(facts(option), '\t'), ...linesOf(name, option, isLive), ''];
  });
  return [...comment(spec.doc, ''), head, ...options].join('\n');
}

function linesOf(name: string, option: Option<unknown>, isLive: boolean): readonly string[] {
  const mark = isLive ? '\t' : '#\t';
  if (option.presence === 'list' && option.texts.length === 0)
    return [`#\tlist ${name} ${quoteUci(option.example ?? '')}`];
  if (option.presence === 'list') return option.texts.map((text) => `${mark}list ${name} ${quoteUci(text)}`);
  const text = option.presence === 'default' ? option.text : isLive ? '' : option.example;
  return [`${mark}option ${name} ${quoteUci(text)}`];
}

function facts(option: Option<unknown>): string {
  const { unit, range } = option.kind;
  return `${unit === '' ? '' : `Unit: ${unit}. `}Range: ${range}. ${defaultText(option)}`;
}

function defaultText(option: Option<unknown>): string {
  switch (option.presence) {
    case 'default':
      return `Default: ${option.text}.`;
    case 'list':
      return `Default: ${option.texts.join(' ') || 'none'}. At most ${option.max}.`;
    case 'required':
      return 'No default: must be set.';
    case 'optional':
      return 'Default: not set.';
  }
}

function comment(text: string, indent: string): readonly string[] {
  const lines: string[] = [];
  let line = `${indent}#`;
  for (const word of text.split(' ')) {
    if (line.length + word.length + 1 > LINE_WIDTH) {
      lines.push(line);
      line = `${indent}#`;
    }
    line += ` ${word}`;
  }
  return [...lines, line];
}
