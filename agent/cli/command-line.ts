/**
 * Arguments to a command and its output: finds the command, checks the options, prints text or JSON, and turns every
 * failure into one sentence and an exit code.
 */
import { existsSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { nearestName } from '../adapters/uci/nearest-name.ts';
import { controlSocketIn, DEFAULT_CONFIG_PATH } from '../adapters/uci/read-config.ts';
import { jsonText } from '../owner/json-text.ts';
import { channelsCommand } from './channels-command.ts';
import {
  type Command,
  CommandError,
  type CommandIo,
  type CommandOption,
  EXIT,
  type ExitCode,
  type Invocation,
  usageError,
} from './command.ts';
import { configCommand } from './config-command.ts';
import { doctorCommand } from './doctor/doctor-command.ts';
import { earningsCommand } from './earnings-command.ts';
import { enrolCommand } from './enrol-command.ts';
import { faucetCommand } from './faucet-command.ts';
import { commandHelpText, GLOBAL_OPTIONS, helpText } from './help-text.ts';
import { identityCommand } from './identity-command.ts';
import { passCommand } from './pass-command.ts';
import { portalCommand } from './portal-command.ts';
import { proofsCommand } from './proofs-command.ts';
import { reloadCommand } from './reload-command.ts';
import { runCommand } from './run-command.ts';
import { sessionsCommand } from './sessions-command.ts';
import { statusCommand } from './status-command.ts';
import { topCommand } from './top-command.ts';
import { versionCommand } from './version-command.ts';
import { walletCommand } from './wallet-command.ts';

const helpCommand: Command = {
  name: 'help',
  operands: '[COMMAND]',
  summary: 'Help for all commands, or one.',
  details: [],
  options: {},
  run: ({ operands }) => {
    const documented = operands[0] === undefined ? COMMANDS : [commandNamed(operands[0])];
    const document = {
      commands: documented.map(({ name, operands: shown, summary }) => ({ name, operands: shown, summary })),
    };
    const [only] = documented;
    const text = operands[0] === undefined || only === undefined ? helpText(COMMANDS) : commandHelpText(only);
    return Promise.resolve({ document, text });
  },
};

export const COMMANDS: readonly Command[] = [
  runCommand,
  statusCommand,
  sessionsCommand,
  channelsCommand,
  proofsCommand,
  passCommand,
  walletCommand,
  faucetCommand,
  earningsCommand,
  identityCommand,
  enrolCommand,
  topCommand,
  doctorCommand,
  configCommand,
  portalCommand,
  reloadCommand,
  versionCommand,
  helpCommand,
];

/** Runs one command line (without node and script) to its exit code. Does not throw for what the user can mend. */
export async function runCommandLine(args: readonly string[], io: CommandIo): Promise<ExitCode> {
  const isJson = args.includes('--json');
  try {
    const { command, invocation } = invocationFrom(args);
    const answer = await command.run(invocation, io);
    if (typeof answer === 'number') return answer;
    io.print(invocation.isJson ? jsonText(answer.document) : answer.text);
    return answer.exitCode ?? EXIT.ok;
  } catch (error) {
    if (!(error instanceof CommandError)) throw error;
    const message = `${error.message}${missingConfig(args, error)}`;
    if (isJson) io.print(jsonText({ error: { code: error.code, message } }));
    io.printError(`shareagent: ${message}`);
    return error.exitCode;
  }
}

/** Where the socket is, the configuration says: with none at the named place the wrong socket was asked. */
function missingConfig(args: readonly string[], { exitCode }: CommandError): string {
  const named = args.findLast((_, i) => args[i - 1] === '--config') ?? '';
  if (exitCode !== EXIT.notRunning || named === '' || existsSync(named)) return '';
  return `. There is no ${named}: is --config right?`;
}

type Parsed = { readonly command: Command; readonly invocation: Invocation };

function invocationFrom(args: readonly string[]): Parsed {
  const name = commandIn(args);
  if (name === undefined) return topLevel(args);
  const command = commandNamed(name.text);
  const rest = args.toSpliced(name.index, 1);
  const { flags, operands } = flagsIn(rest, { ...command.options, ...GLOBAL_OPTIONS }, command);
  if (flags['help'] === true) return { command: helpCommand, invocation: invocationOf([command.name], flags) };
  if (command.operands === '' && operands.length > 0) throw usageError(`${command.name} takes no "${operands[0]}"`);
  return { command, invocation: invocationOf(operands, flags) };
}

/** No command at all: --version, or help. */
function topLevel(args: readonly string[]): Parsed {
  const options = { ...GLOBAL_OPTIONS, version: { type: 'boolean', doc: '' } as const };
  const { flags } = flagsIn(args, options, undefined);
  return { command: flags['version'] === true ? versionCommand : helpCommand, invocation: invocationOf([], flags) };
}

function invocationOf(operands: readonly string[], flags: Invocation['flags']): Invocation {
  const configPath = typeof flags['config'] === 'string' ? flags['config'] : DEFAULT_CONFIG_PATH;
  const socketPath = typeof flags['socket'] === 'string' ? flags['socket'] : controlSocketIn(configPath);
  return { operands, flags, isJson: flags['json'] === true, configPath, socketPath };
}

function commandNamed(name: string): Command {
  const command = COMMANDS.find((known) => known.name === name);
  if (command !== undefined) return command;
  const nearest = nearestName(
    name,
    COMMANDS.map((known) => known.name),
  );
  const hint = nearest === undefined ? 'see: shareagent help' : `did you mean "${nearest}"?`;
  throw usageError(`unknown command "${name.slice(0, 40)}", ${hint}`);
}

/** The first argument that is neither an option nor the value of a global one. */
function commandIn(args: readonly string[]): { readonly text: string; readonly index: number } | undefined {
  const tokens = tokensOf(args, GLOBAL_OPTIONS);
  const first = tokens.find((token) => token.kind === 'positional');
  return first?.kind === 'positional' ? { text: first.value, index: first.index } : undefined;
}

function flagsIn(
  args: readonly string[],
  options: Readonly<Record<string, CommandOption>>,
  command: Command | undefined,
): { readonly flags: Invocation['flags']; readonly operands: readonly string[] } {
  const flags: Record<string, string | boolean> = Object.create(null);
  const operands: string[] = [];
  for (const token of tokensOf(args, options)) {
    if (token.kind === 'positional') operands.push(token.value);
    if (token.kind !== 'option') continue;
    const option = Object.hasOwn(options, token.name) ? options[token.name] : undefined;
    if (option === undefined) throw usageError(unknownOption(token.rawName, Object.keys(options), command));
    if (option.type === 'boolean' && token.value !== undefined) throw usageError(`${token.rawName} takes no value`);
    const isMissing = token.value === undefined || (token.inlineValue === false && token.value.startsWith('-'));
    if (option.type === 'string' && isMissing) throw usageError(`${token.rawName} needs a value: ${option.value}`);
    flags[token.name] = token.value ?? true;
  }
  return { flags, operands };
}

function unknownOption(rawName: string, known: readonly string[], command: Command | undefined): string {
  const nearest = nearestName(rawName.replace(/^-+/, ''), known);
  const where = command === undefined ? '' : ` for ${command.name}`;
  const hint =
    nearest === undefined
      ? `see: shareagent help${command === undefined ? '' : ` ${command.name}`}`
      : `did you mean --${nearest}?`;
  return `unknown option ${rawName.slice(0, 40)}${where}, ${hint}`;
}

function tokensOf(args: readonly string[], options: Readonly<Record<string, CommandOption>>) {
  const types = Object.entries(options).map(([name, { type }]) => {
    return [name, name === 'help' ? ({ type, short: 'h' } as const) : { type }] as const;
  });
  return parseArgs({
    args: [...args],
    options: Object.fromEntries(types),
    strict: false,
    allowPositionals: true,
    tokens: true,
  }).tokens;
}
