/** `shareagent run`: the agent itself, in the foreground; procd starts it. */
import { configErrorText, readConfig } from '../adapters/uci/read-config.ts';
import { type Answer, type Command, EXIT, type ExitCode } from './command.ts';

export const runCommand: Command = {
  name: 'run',
  operands: '',
  summary: 'Run the agent in the foreground until SIGTERM or SIGINT.',
  details: ['Log lines are JSON on standard output. What guests have paid for stays in the kernel after the end.'],
  options: {},
  run: async ({ configPath }, io): Promise<Answer | ExitCode> => {
    const reading = readConfig(configPath);
    if (!reading.ok) {
      const lines = [...reading.errors.map(configErrorText), `Not started: ${configPath} must be right.`];
      return {
        document: { ok: false, path: configPath, errors: reading.errors },
        text: lines.join('\n'),
        exitCode: EXIT.failed,
      };
    }
    if (!reading.config.isEnabled) {
      const text = `Not started: shareagent.agent.enabled is 0 in ${configPath}.`;
      return { document: { ok: true, path: configPath, notStarted: 'disabled' }, text };
    }
    await io.runAgent(reading.config, io.signal);
    return EXIT.ok;
  },
};
