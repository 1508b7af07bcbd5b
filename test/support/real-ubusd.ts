/** The real ubusd, where there is one: UBUSD names it, or it is on the PATH. */
import { spawn } from 'node:child_process';
import { accessSync, constants, existsSync } from 'node:fs';
import { delimiter, dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

const START_MS = 30_000;

/** Path of a real ubusd; undefined if there is none. @throws Error if UBUSD names something that can not be run */
export function realDaemonCommand(): string | undefined {
  const named = process.env['UBUSD'];
  if (named !== undefined && named !== '') {
    if (!isExecutable(named)) throw new Error(`UBUSD must name an executable ubusd, got ${named}`);
    return named;
  }
  return onPath('ubusd');
}

/** Path of the real `ubus` command: UBUS names it, or it stands beside the daemon or on the PATH. */
export function realCommand(): string | undefined {
  const daemon = realDaemonCommand();
  const candidates = [process.env['UBUS'], daemon === undefined ? undefined : join(dirname(daemon), 'ubus')];
  return candidates.find((path) => path !== undefined && isExecutable(path)) ?? onPath('ubus');
}

function onPath(name: string): string | undefined {
  const folders = (process.env['PATH'] ?? '').split(delimiter);
  return folders.map((folder) => join(folder, name)).find(isExecutable);
}

/** Starts it on a socket of its own and resolves, once it listens, with what ends it. */
export async function startRealDaemon(
  command: string,
  path: string,
  options: readonly string[] = [],
): Promise<() => Promise<void>> {
  const child = spawn(command, ['-s', path, ...options], { stdio: 'ignore' });
  const exited = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  const startedMs = performance.now();
  while (!existsSync(path)) {
    if (child.exitCode !== null || performance.now() - startedMs > START_MS)
      throw new Error(`${command} -s ${path} does not listen (exit code ${child.exitCode})`);
    await sleep(10);
  }
  return async () => {
    child.kill();
    await exited;
  };
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
