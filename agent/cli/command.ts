/** What a subcommand of `shareagent` is, and how it answers. */
import type { AgentConfig } from '../core/config.ts';
import type { DoctorProbe } from './doctor/probe.ts';
import type { Terminal } from './terminal.ts';

/** Exit codes, documented in docs/cli.md. */
export const EXIT = { ok: 0, failed: 1, usage: 2, notRunning: 3 } as const;
export type ExitCode = (typeof EXIT)[keyof typeof EXIT];

/** The outside of the command line; agent/cli/shareagent.ts gives the real one, tests a recording one. */
export type CommandIo = {
  /** One line (or several) on standard output. */
  readonly print: (text: string) => void;
  /** The same on standard error. */
  readonly printError: (text: string) => void;
  /** Absent when standard input or output is not a terminal. */
  readonly terminal?: Terminal;
  /** A line from the person at the terminal; absent without one. Hidden: what is typed does not show. */
  readonly ask?: (question: string, options: { readonly isHidden: boolean }) => Promise<string>;
  readonly size: () => { readonly columns: number; readonly rows: number };
  readonly isColour: boolean;
  /** Aborted by SIGINT and SIGTERM. */
  readonly signal: AbortSignal;
  readonly monotonicMs: () => number;
  readonly sleep: (ms: number, signal: AbortSignal) => Promise<void>;
  /** `configPath` is read again when the configuration changes. */
  readonly runAgent: (config: AgentConfig, signal: AbortSignal, configPath: string) => Promise<void>;
  readonly probe: DoctorProbe;
};

export type Invocation = {
  /** What stands after the command and is no option. */
  readonly operands: readonly string[];
  readonly flags: Readonly<Record<string, string | boolean | undefined>>;
  readonly isJson: boolean;
  readonly configPath: string;
  /** From --socket, else as the configuration says. */
  readonly socketPath: string;
};

/** The same facts twice: for scripts (--json) and for people. */
export type Answer = { readonly document: unknown; readonly text: string; readonly exitCode?: ExitCode };

export type CommandOption = { readonly type: 'string' | 'boolean'; readonly value?: string; readonly doc: string };

export type Command = {
  readonly name: string;
  /** Operands as help shows them, e.g. "[end ID]". */
  readonly operands: string;
  readonly summary: string;
  /** Further lines of help. */
  readonly details: readonly string[];
  readonly options: Readonly<Record<string, CommandOption>>;
  /** Returns an exit code if the command wrote its output itself. */
  readonly run: (invocation: Invocation, io: CommandIo) => Promise<Answer | ExitCode>;
};

/** A failure that a person can do something about: told in one sentence, without a stack. */
export class CommandError extends Error {
  override readonly name = 'CommandError';
  readonly exitCode: ExitCode;
  /** Stable, for --json. */
  readonly code: string;

  constructor(exitCode: ExitCode, code: string, message: string, options: { cause?: unknown } = {}) {
    super(message, options);
    this.exitCode = exitCode;
    this.code = code;
  }
}

export function usageError(message: string): CommandError {
  return new CommandError(EXIT.usage, 'usage', message);
}
