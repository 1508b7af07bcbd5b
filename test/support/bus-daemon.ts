/** A bus for integration tests: a real ubusd where there is one (UBUSD, or on the PATH), else the stand-in in this process. */
import { rmSync } from 'node:fs';
import { realDaemonCommand, startRealDaemon } from './real-ubusd.ts';
import { UbusDaemon } from './ubus-daemon/daemon.ts';

export type BusDaemon = { readonly isReal: boolean; readonly close: () => Promise<void> };

/** Listens on a unix socket when it resolves. */
export async function startBusDaemon(path: string): Promise<BusDaemon> {
  const command = realDaemonCommand();
  if (command === undefined) {
    const daemon = await UbusDaemon.start(path);
    return { isReal: false, close: () => daemon.close() };
  }
  rmSync(path, { force: true });
  return { isReal: true, close: await startRealDaemon(command, path) };
}
