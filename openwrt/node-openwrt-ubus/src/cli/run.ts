/** `ubus-js` from its arguments to its exit code: connects, runs a command, explains failures in the words of `ubus`. */
import { DEFAULT_LIMITS, UbusConnection } from '../connection.ts';
import { statusText, UbusError } from '../status.ts';
import { type CliOutput, COMMANDS } from './commands.ts';
import { type CliOptions, parseOptions, UsageError } from './options.ts';

const USAGE = `Usage: NAME [<options>] <command> [arguments...]
Options:
 -s <socket>:		Set the unix domain socket to connect to
 -t <timeout>:		Set the timeout (in seconds) for a command to complete
 -S:			Use simplified output (for scripts)
 -v:			More verbose output
 -m <type>:		(for monitor): include a specific message type
			(can be used more than once)
 -M <r|t>		(for monitor): only capture received or transmitted traffic

Commands:
 - list [<path>]			List objects
 - call <path> <method> [<message>]	Call an object method
 - subscribe <path> [<path>...]	Subscribe to object(s) notifications
 - listen [<path>...]			Listen for events
 - send <type> [<message>]		Send an event
 - wait_for <object> [<object>...]	Wait for multiple objects to appear on ubus
 - monitor				Monitor ubus traffic

`;

/** Runs one command line, without the name of the program, and returns the exit code of the process (0..255). */
export async function runCli(name: string, argv: readonly string[], output: CliOutput): Promise<number> {
  let parsed: { options: CliOptions; rest: string[] };
  try {
    parsed = parseOptions(argv);
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    if (error.message !== '') output.warn(`${name}: ${error.message}\n`);
    return usage(name, output);
  }
  const { options, rest } = parsed;
  const [command, ...args] = rest;
  if (command === undefined) return usage(name, output);
  const result = await runCommand(command, args, options, output);
  if (result > 0 && !options.isSimple) output.warn(`Command failed: ${statusText(result)}\n`);
  if (result === -2) usage(name, output);
  return result & 0xff;
}

async function runCommand(
  command: string,
  args: readonly string[],
  options: CliOptions,
  output: CliOutput,
): Promise<number> {
  let onClosed: (reason: Error) => void = () => undefined;
  const closed = new Promise<Error>((resolve) => {
    onClosed = resolve;
  });
  const limits = { ...DEFAULT_LIMITS, maxReplies: Number.POSITIVE_INFINITY };
  let connection: UbusConnection;
  try {
    connection = await UbusConnection.open(options.socket, limits, onClosed);
  } catch (error) {
    if (!(error instanceof UbusError)) throw error;
    if (!options.isSimple) output.warn('Failed to connect to ubus\n');
    return -1;
  }
  try {
    const run = Object.hasOwn(COMMANDS, command) ? COMMANDS[command] : undefined;
    return run === undefined ? -2 : await run({ connection, options, output, closed }, args);
  } finally {
    connection.close();
  }
}

function usage(name: string, output: CliOutput): number {
  output.warn(USAGE.replace('NAME', name));
  return 1;
}
