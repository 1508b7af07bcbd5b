/** Help for the whole command line and for one command. */
import type { Command, CommandOption } from './command.ts';
import { renderFacts } from './table.ts';

/** Understood by every command. */
export const GLOBAL_OPTIONS: Readonly<Record<string, CommandOption>> = {
  json: { type: 'boolean', doc: 'One JSON document instead of text; amounts (base units) and bytes as strings.' },
  config: { type: 'string', value: 'FILE', doc: 'Configuration to read instead of /etc/config/shareagent.' },
  socket: { type: 'string', value: 'PATH', doc: 'Control socket of the agent, if not as the configuration says.' },
  help: { type: 'boolean', doc: 'Help for the command.' },
};

const EXIT_CODES = 'Exit codes: 0 done, 1 failed, 2 wrong usage, 3 the agent is not running.';

export function helpText(commands: readonly Command[]): string {
  return [
    'ShareAgent: paid guest WiFi. Usage: shareagent COMMAND [OPTIONS]',
    '',
    renderFacts(commands.map(({ name, summary }) => [`  ${name}`, summary])),
    '',
    'Options of every command:',
    optionLines(GLOBAL_OPTIONS),
    '',
    EXIT_CODES,
    'More: shareagent help COMMAND',
  ].join('\n');
}

export function commandHelpText({ name, operands, summary, details, options }: Command): string {
  const synopsis = ['shareagent', name, operands, '[OPTIONS]'].filter((part) => part !== '').join(' ');
  return [
    `Usage: ${synopsis}`,
    '',
    summary,
    ...(details.length > 0 ? ['', ...details] : []),
    '',
    'Options:',
    optionLines({ ...options, ...GLOBAL_OPTIONS }),
    '',
    EXIT_CODES,
  ].join('\n');
}

function optionLines(options: Readonly<Record<string, CommandOption>>): string {
  return renderFacts(
    Object.entries(options).map(([name, { value, doc }]) => [
      `  --${name}${value === undefined ? '' : ` ${value}`}`,
      doc,
    ]),
  );
}
