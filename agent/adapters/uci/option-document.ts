/** docs/configuration.md: every option of the table as a reference for owners. */
import type { Option, SectionSpec } from './option-spec.ts';
import { OPTION_TABLE } from './option-table.ts';

const HEAD = `# Configuration

<!-- Generated: shareagent config document > docs/configuration.md -->

ShareAgent reads \`/etc/config/shareagent\`, a UCI file like every other on OpenWrt; \`--config FILE\` names another one for
development. \`shareagent config check\` reports everything that is wrong with it at once, each with option, line, what is
expected and what was found, and \`shareagent config default\` prints the commented default file.

- An unknown section or option is an error, so that a misspelt price never silently becomes the default.
- An empty value means "not set".
- Options without a default must be set before \`agent.enabled\` may be 1.
- Prices are SSP with at most 4 decimals (the token's own precision). MB is 1,000,000 bytes.
- Change an option with \`uci set shareagent.price.per_mb='0.2'\`, then \`uci commit shareagent\` and
  \`service shareagent reload\`. Sessions that run keep the price that they were opened with.

Several prices and packages:

\`\`\`
config window 'night'
	option from '22:00'
	option to '06:00'
	option per_mb '0.05'

config package
	option name 'Coffee break'
	option price '5'

config package
	option name 'All day'
	option price '20'
\`\`\`
`;

export function renderOptionDocument(): string {
  const sections: readonly (readonly [string, SectionSpec])[] = Object.entries(OPTION_TABLE);
  return [HEAD, ...sections.map(([type, spec]) => renderSection(type, spec))].join('\n');
}

function renderSection(type: string, spec: SectionSpec): string {
  const times = spec.max === 1 ? `\`config ${type} '${type}'\`` : `\`config ${type}\`, at most ${spec.max} times`;
  const rows = Object.entries(spec.options).map(([name, option]) => {
    const cells = [`\`${name}\``, option.doc, option.kind.unit, option.kind.range, defaultText(option)];
    return `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;
  });
  const head = ['| option | what | unit | range | default |', '|---|---|---|---|---|'];
  return [`## ${type}`, '', `${times}. ${spec.doc}`, '', ...head, ...rows, ''].join('\n');
}

function defaultText(option: Option<unknown>): string {
  switch (option.presence) {
    case 'default':
      return `\`${option.text}\``;
    case 'list':
      return option.texts.length === 0
        ? `none, e.g. \`${option.example ?? ''}\` (list, at most ${option.max})`
        : `${option.texts.map((text) => `\`${text}\``).join(' ')} (list, at most ${option.max})`;
    case 'required':
      return `must be set, e.g. \`${option.example}\``;
    case 'optional':
      return `not set, e.g. \`${option.example}\``;
  }
}
