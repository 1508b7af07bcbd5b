/** Runs one command in its own process group, streams its output, and ends the whole group when time is up. */
import { spawn } from 'node:child_process';

export type CommandResult = {
  /** "exit code 0", "ended by SIGKILL", "stopped after 120 s". */
  readonly exit: string;
  /** The last part of stdout and stderr together, in order of arrival. */
  readonly output: string;
  readonly ms: number;
};

/** Enough for every summary; a stage that prints without end must not fill the memory. */
const MAX_KEPT_CHARACTERS = 4_000_000;
const ENDING: readonly NodeJS.Signals[] = ['SIGINT', 'SIGTERM', 'SIGHUP'];
/** Time to tear down namespaces and child processes before the group is killed. */
const GRACE_MS = 10_000;

export function runCommand(
  command: readonly string[],
  options: {
    readonly cwd: string;
    readonly maxMs: number;
    readonly print: (text: string) => void;
    readonly env?: NodeJS.ProcessEnv;
  },
): Promise<CommandResult> {
  const startedMs = performance.now();
  const child = spawn(command[0] as string, command.slice(1), {
    cwd: options.cwd,
    env: options.env ?? process.env,
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  let overtime: string | undefined;
  const take = (text: string): void => {
    output = (output + text).slice(-MAX_KEPT_CHARACTERS);
    options.print(text);
  };
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', take);
  const endGroup = (signal: NodeJS.Signals): void => {
    if (child.pid === undefined) return;
    try {
      process.kill(-child.pid, signal);
    } catch (error) {
      // ESRCH: the group is gone already, which is what we want.
      if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
    }
  };
  const timer = setTimeout(() => {
    overtime = `stopped after ${Math.round(options.maxMs / 1000)} s`;
    endGroup('SIGTERM');
    setTimeout(endGroup, GRACE_MS, 'SIGKILL').unref();
  }, options.maxMs);
  // The group is not the terminal's: whatever ends us must be passed on, and then ends the whole run.
  const passOn = (signal: NodeJS.Signals): void => {
    endGroup(signal);
    child.once('close', () => process.exit(1));
  };
  for (const signal of ENDING) process.once(signal, passOn);
  return new Promise((resolve) => {
    const finish = (exit: string): void => {
      clearTimeout(timer);
      for (const signal of ENDING) process.removeListener(signal, passOn);
      resolve({ exit: overtime ?? exit, output, ms: performance.now() - startedMs });
    };
    child.on('error', (error) => finish(`did not start: ${error.message}`));
    child.on('close', (code, signal) => finish(signal === null ? `exit code ${code}` : `ended by ${signal}`));
  });
}
