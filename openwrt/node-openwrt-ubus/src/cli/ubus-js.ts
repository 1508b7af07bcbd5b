#!/usr/bin/env node
/** `ubus-js`: the ubus command in JavaScript, the same output and exit codes. */
import { isatty } from 'node:tty';
import { runCli } from './run.ts';

// The reader of a pipe may be gone: `ubus-js listen | head -1`.
process.stdout.on('error', () => process.exit(0));

process.exitCode = await runCli('ubus-js', process.argv.slice(2), {
  print: (text) => process.stdout.write(text, 'latin1'),
  warn: (text) => process.stderr.write(text),
  isTerminal: isatty(2),
  interrupted: () =>
    new Promise((resolve) => {
      for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => resolve());
    }),
});
