/** `shareagent run`: the agent itself, in the foreground; procd starts it. */
import { existsSync } from 'node:fs';
import { rotationPath } from '../adapters/rotation-path.ts';
import { configErrorText, readConfig } from '../adapters/uci/read-config.ts';
import type { AgentConfig } from '../core/config.ts';
import { type Answer, type Command, CommandError, type CommandIo, EXIT, type ExitCode } from './command.ts';
import { messageOf } from './message-of.ts';

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
    try {
      await completeRotation(reading.config, io);
      await io.runAgent(reading.config, io.signal, configPath);
    } catch (error) {
      throw startFailure(error);
    }
    return EXIT.ok;
  },
};

/** Of a change of keys that was cut off; what it takes is loaded only where there ever was one. */
async function completeRotation(config: AgentConfig, io: CommandIo): Promise<void> {
  if (!existsSync(rotationPath(config.storage.deviceKeyPath))) return;
  const { completeBeforeStart } = await import('./rotate-key.ts');
  await completeBeforeStart(config, io);
}

/** Errors with a code (journal, nft, socket, file system) are the router's; all others, and Node's own ERR_*, are bugs and keep their stack. */
function startFailure(error: unknown): unknown {
  if (!(error instanceof Error && 'code' in error && typeof error.code === 'string')) return error;
  if (error.code.startsWith('ERR_')) return error;
  const message = `The agent cannot run: ${messageOf(error)} (${error.code}). Look further with: shareagent doctor`;
  return new CommandError(EXIT.failed, error.code, message, { cause: error });
}
