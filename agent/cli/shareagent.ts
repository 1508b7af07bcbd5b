#!/usr/bin/env node
/** The `shareagent` executable: gives the command line its real terminal, clock and agent. */
import process from 'node:process';
import { setTimeout as delay } from 'node:timers/promises';
import { type CommandIo, EXIT } from './command.ts';
import { runCommandLine } from './command-line.ts';
import { systemProbe } from './doctor/system-probe.ts';
import { compileOnceBusy } from './late-compiler.ts';
import { questionsAt, terminalOf } from './terminal.ts';

const { stdin, stdout, stderr } = process;
const isTerminal = stdin.isTTY === true && stdout.isTTY === true;

const io: CommandIo = {
  print: (text) => {
    stdout.write(`${text}\n`);
  },
  printError: (text) => {
    stderr.write(`${text}\n`);
  },
  ...(isTerminal ? { terminal: terminalOf(stdin, stdout), ask: questionsAt(stdin, stdout) } : {}),
  // A serial console reports no size (0).
  size: () => ({ columns: stdout.columns || 80, rows: stdout.rows || 24 }),
  isColour: stdout.isTTY === true && process.env['NO_COLOR'] === undefined && process.env['TERM'] !== 'dumb',
  // Signals are only taken over by the commands that ask for this.
  get signal() {
    return terminationSignal();
  },
  monotonicMs: () => performance.now(),
  sleep: (ms, signal) => delay(ms, undefined, { signal }).catch(() => undefined),
  // Loaded when needed: the other commands start without adapters, portal and ledger.
  runAgent: async (config, signal, configPath) => {
    const { runAgent } = await import('../main.ts');
    compileOnceBusy();
    await runAgent(config, signal, configPath);
  },
  probe: systemProbe,
};

// `shareagent sessions | head` closes the pipe early, which is no error.
stdout.on('error', (error: NodeJS.ErrnoException) => {
  process.exit(error.code === 'EPIPE' ? EXIT.ok : EXIT.failed);
});

runCommandLine(process.argv.slice(2), io).then(
  (exitCode) => {
    process.exitCode = exitCode;
  },
  (error: unknown) => {
    stderr.write(`shareagent: ${error instanceof Error ? error.stack : String(error)}\n`);
    process.exitCode = EXIT.failed;
  },
);

/** Aborted by the first SIGINT or SIGTERM; the second ends the process as usual. */
function terminationSignal(): AbortSignal {
  const controller = new AbortController();
  process.once('SIGINT', () => controller.abort());
  process.once('SIGTERM', () => controller.abort());
  return controller.signal;
}
