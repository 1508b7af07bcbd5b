/** Options of the ubus command: getopt "m:M:vs:t:S", anywhere on the line, as with glibc (musl takes them in front only). */
import { DEFAULT_SOCKET } from '../client.ts';
import { MessageType } from '../message.ts';

export type CliOptions = {
  readonly socket: string;
  /** Seconds for call and wait_for. */
  readonly timeoutS: number;
  /** Seconds for listen and subscribe; 0 is without end. */
  readonly listenS: number;
  readonly isSimple: boolean;
  readonly isVerbose: boolean;
  /** Message types that monitor shows; empty is all. */
  readonly types: ReadonlySet<number>;
  /** Only messages that ubusd received ('r') or sent ('t'). */
  readonly direction: 'r' | 't' | undefined;
};

/** What the real command's getopt and checks refuse: usage is printed. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}

/** Options and what is left of the line. @throws UsageError with getopt's words, or none */
export function parseOptions(argv: readonly string[]): { options: CliOptions; rest: string[] } {
  const rest: string[] = [];
  const types = new Set<number>();
  let options: CliOptions = {
    socket: DEFAULT_SOCKET,
    timeoutS: 30,
    listenS: 0,
    isSimple: false,
    isVerbose: false,
    types,
    direction: undefined,
  };
  for (let i = 0; i < argv.length; i++) {
    const argument = argv[i] as string;
    if (argument === '--') {
      rest.push(...argv.slice(i + 1));
      break;
    }
    if (!argument.startsWith('-') || argument === '-') {
      rest.push(argument);
      continue;
    }
    for (let at = 1; at < argument.length; at++) {
      const letter = argument[at] as string;
      if (letter === 'v') options = { ...options, isVerbose: true };
      else if (letter === 'S') options = { ...options, isSimple: true };
      else if ('stmM'.includes(letter)) {
        const attached = argument.slice(at + 1);
        if (attached === '') i += 1;
        const value = attached === '' ? argv[i] : attached;
        if (value === undefined) throw new UsageError(`option requires an argument -- '${letter}'`);
        options = { ...options, ...valueOption(letter, value, types) };
        break;
      } else throw new UsageError(`invalid option -- '${letter}'`);
    }
  }
  return { options, rest };
}

function valueOption(letter: string, value: string, types: Set<number>): Partial<CliOptions> {
  if (letter === 's') return { socket: value };
  if (letter === 't') {
    const seconds = Number.parseInt(value, 10) || 0;
    return { timeoutS: seconds, listenS: seconds };
  }
  if (letter === 'm') {
    types.add(messageType(value));
    return {};
  }
  const [direction] = value;
  if (direction !== 'r' && direction !== 't') throw new UsageError('');
  return { direction };
}

function messageType(name: string): number {
  const type = MessageType[name.toUpperCase() as keyof typeof MessageType];
  if (name !== name.toLowerCase() || type === undefined || type === MessageType.MONITOR) throw new UsageError('');
  return type;
}
