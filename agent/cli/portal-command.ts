/** `shareagent portal preview`: the guest's page as configured, with a sample guest, without a running agent. */
import { isIPv4 } from 'node:net';
import { systemClock } from '../adapters/clock.ts';
import { configErrorText, readConfig } from '../adapters/uci/read-config.ts';
import type { AgentConfig } from '../core/config.ts';
import {
  type Answer,
  type Command,
  CommandError,
  type CommandIo,
  EXIT,
  type ExitCode,
  type Invocation,
  usageError,
} from './command.ts';
import { messageOf } from './message-of.ts';
import { previewDesk } from './preview-desk.ts';

const DEFAULT_LISTEN = '127.0.0.1';
const DEFAULT_PORT = '8080';

export const portalCommand: Command = {
  name: 'portal',
  operands: 'preview',
  summary: "Show the guest's page as configured, without selling anything.",
  details: [
    'Serves the page with a sample guest until Ctrl-C: any pass code pays, and nothing is real. It needs no running agent.',
    'To look at it from another computer give the address of the router in your own network with --listen.',
  ],
  options: {
    listen: { type: 'string', value: 'ADDRESS', doc: 'IPv4 address to serve on instead of 127.0.0.1.' },
    port: { type: 'string', value: 'PORT', doc: 'TCP port instead of 8080.' },
  },
  run: async ({ operands, flags, configPath }, io): Promise<Answer | ExitCode> => {
    if (operands.length !== 1 || operands[0] !== 'preview') throw usageError('portal takes: preview');
    const { listen, port } = placeFrom(flags);
    const reading = readConfig(configPath);
    if (!reading.ok) {
      const lines = [...reading.errors.map(configErrorText), `No preview: ${configPath} must be right.`];
      return {
        document: { ok: false, path: configPath, errors: reading.errors },
        text: lines.join('\n'),
        exitCode: EXIT.failed,
      };
    }
    await preview(reading.config, listen, port, io);
    return EXIT.ok;
  },
};

function placeFrom(flags: Invocation['flags']): { readonly listen: string; readonly port: number } {
  const { listen = DEFAULT_LISTEN, port = DEFAULT_PORT } = flags as Readonly<Record<string, string | undefined>>;
  if (!isIPv4(listen)) throw usageError(`--listen must be an IPv4 address such as ${DEFAULT_LISTEN}, got ${listen}`);
  const number = /^\d{1,5}$/.test(port) ? Number(port) : -1;
  if (number < 0 || number > 65_535) throw usageError(`--port must be from 0 to 65535, got ${port}`);
  return { listen, port: number };
}

async function preview(config: AgentConfig, listen: string, port: number, io: CommandIo): Promise<void> {
  // Loaded when needed: the other commands start without the portal.
  const { loadPageAssets } = await import('../../captive-portal/page-assets.ts');
  const { buildPortal } = await import('../../captive-portal/portal.ts');
  const clock = systemClock();
  const desk = previewDesk(config, clock);
  const log = {
    info: () => undefined,
    warn: (details: object, event: string) => io.printError(`${event} ${JSON.stringify(details)}`),
    error: (details: object, event: string) => io.printError(`${event} ${JSON.stringify(details)}`),
  };
  const { tls: _, ...portal } = config.portal;
  // The page answers to the name that the owner's browser uses.
  const app = buildPortal({
    desk,
    config: { ...config, portal: { ...portal, host: listen } },
    page: loadPageAssets(),
    clock,
    log,
  });
  const { signal } = io;
  try {
    const url = await app.listen({ host: listen, port });
    io.print(`Preview of the guest's page: ${url}/ (Ctrl-C ends it)`);
    if (!signal.aborted) await new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }));
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code !== 'EADDRINUSE' && code !== 'EADDRNOTAVAIL' && code !== 'EACCES') throw error;
    throw new CommandError(
      EXIT.failed,
      code,
      `Cannot serve on ${listen}:${port}: ${messageOf(error)}. Choose another with --listen and --port.`,
    );
  } finally {
    await app.close();
    desk.close();
  }
}
