/** A collector of its own for a simulation: `fleet/main.ts` as a process, in a new directory, with the routers enrolled. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { type Address, parseAddress } from '../protocol/address.ts';
import type { CollectorDeployment } from './judge-proof.ts';

export type OwnCollector = {
  readonly url: string;
  readonly collector: Address;
  /** Aborted when the process ends by itself. */
  readonly ended: AbortSignal;
  /** Ends the process and removes its directory. */
  readonly stop: () => Promise<void>;
};

const MAIN = fileURLToPath(new URL('./main.ts', import.meta.url));

/** @throws Error if it does not start */
export async function startOwnCollector(
  deployment: CollectorDeployment,
  devices: readonly Address[],
): Promise<OwnCollector> {
  const directory = mkdtempSync(join(tmpdir(), 'fleet-simulate-'));
  const configPath = join(directory, 'collector.json');
  const config = {
    ...deployment,
    chainId: deployment.chainId.toString(),
    port: 0,
    directory: join(directory, 'data'),
    keyFile: join(directory, 'collector.key'),
    devices: devices.map((address) => ({ address })),
  };
  writeFileSync(configPath, JSON.stringify(config));
  const child = spawn(process.execPath, [MAIN, '--config', configPath], { stdio: ['ignore', 'pipe', 'inherit'] });
  const ended = new AbortController();
  child.once('exit', () => ended.abort());
  const abandon = (): void => {
    child.kill('SIGKILL');
    rmSync(directory, { recursive: true, force: true });
  };
  const exit = (): never => process.exit(1);
  // However the simulation ends, nothing of it stays behind.
  process.once('exit', abandon).once('SIGINT', exit).once('SIGTERM', exit);
  const stop = async (): Promise<void> => {
    process.off('exit', abandon).off('SIGINT', exit).off('SIGTERM', exit);
    if (child.exitCode === null && child.signalCode === null) {
      const closed = once(child, 'close');
      child.kill('SIGTERM');
      await closed;
    }
    rmSync(directory, { recursive: true, force: true });
  };
  try {
    const { listening, collector } = await firstLine(child);
    return { url: listening, collector, ended: ended.signal, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** {"listening":"http://..","collector":"0x.."} */
async function firstLine(child: ChildProcess): Promise<{ listening: string; collector: Address }> {
  const lines = createInterface({ input: child.stdout as NodeJS.ReadableStream });
  const [line] = (await Promise.race([once(lines, 'line'), once(lines, 'close')])) as [string | undefined];
  if (line === undefined) throw new Error('the collector ended before it listened');
  const { listening, collector } = JSON.parse(line) as { listening: string; collector: string };
  const address = parseAddress(collector);
  if (address === undefined) throw new Error(`the collector said ${line}, expected its address`);
  return { listening, collector: address };
}
