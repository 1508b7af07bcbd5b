/**
 * A private development chain for tests and the demo: its own anvil process on a port the system chooses, with the
 * contracts deployed. Ends when the test ends, whatever way: the process's life hangs on our end of a pipe.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { type Deployment, type DeployOptions, deployContracts } from '../../contracts/deploy.ts';
import type { Address } from '../../protocol/address.ts';
import { bytesFromHex } from '../../protocol/hex.ts';
import { addressFromSecretKey } from '../../protocol/signature.ts';

export type Account = { readonly address: Address; readonly secretKey: Uint8Array };

export type Anvil = {
  readonly rpcUrl: string;
  readonly chainId: bigint;
  /** Ten accounts with 10,000 coins each, the same in every run; the first has deployed and holds all SSP. */
  readonly accounts: readonly Account[];
  /** One JSON-RPC call past the adapter: evm_increaseTime, anvil_reorg, eth_getBalance, ... @throws Error on an error. */
  request(method: string, ...params: readonly unknown[]): Promise<unknown>;
  /** Ends this process and no other. */
  stop(): Promise<void>;
};

export type AnvilWithContracts = Anvil & { readonly deployment: Deployment };

export type AnvilOptions = {
  readonly chainId?: bigint;
  /** Address to listen on. Default 127.0.0.1. */
  readonly host?: string;
  /** Default: any free one. */
  readonly port?: number;
  /** More of anvil's own options, e.g. ['--block-time', '1']. */
  readonly extra?: readonly string[];
};

/** anvil's default, the best known mnemonic of all: never send real money there. */
const MNEMONIC = 'test test test test test test test test test test test junk';
/** The shell ends anvil when its own standard input closes, so that not even kill -9 of the test leaves it behind. */
const LEASH = '"$@" </dev/null & pid=$!; cat >/dev/null; kill "$pid" 2>/dev/null; wait "$pid"';

export async function startAnvil(options: AnvilOptions = {}): Promise<Anvil> {
  const { chainId = 31_337n, host = '127.0.0.1', port = 0, extra = [] } = options;
  const args = [
    '--host',
    host,
    '--port',
    String(port),
    '--chain-id',
    String(chainId),
    '--mnemonic',
    MNEMONIC,
    ...extra,
  ];
  const child = spawn('sh', ['-c', LEASH, 'sh', anvilPath(), ...args], { stdio: ['pipe', 'pipe', 'inherit'] });
  const exited = once(child, 'exit');
  const { accounts, boundPort } = await readBanner(child, exited);
  const rpcUrl = `http://${host}:${boundPort}`;
  return {
    rpcUrl,
    chainId,
    accounts,
    request: (method, ...params) => request(rpcUrl, method, params),
    async stop() {
      child.stdin.end();
      await exited;
    },
  };
}

/** anvil with SspToken and ShareChannels deployed by its first account. */
export async function startAnvilWithContracts(options: AnvilOptions & DeployOptions = {}): Promise<AnvilWithContracts> {
  const anvil = await startAnvil(options);
  const [deployer] = anvil.accounts;
  if (deployer === undefined) throw new Error('anvil printed no accounts');
  try {
    return { ...anvil, deployment: await deployContracts(anvil.rpcUrl, deployer.secretKey, options) };
  } catch (error) {
    await anvil.stop();
    throw error;
  }
}

/** The binary of npm's platform package: the wrapper in node_modules/.bin would outlive a kill of its parent. */
function anvilPath(): string {
  const arch = process.arch === 'x64' ? 'amd64' : process.arch;
  const path = `../../node_modules/@foundry-rs/anvil-${process.platform}-${arch}/bin/anvil`;
  return fileURLToPath(new URL(path, import.meta.url));
}

/** Keys and port from what anvil prints at its start. */
async function readBanner(
  child: ChildProcess,
  exited: Promise<unknown>,
): Promise<{ accounts: readonly Account[]; boundPort: number }> {
  if (child.stdout === null) throw new Error('anvil: no standard output');
  const accounts: Account[] = [];
  const lines = createInterface({ input: child.stdout });
  const listening = (async () => {
    for await (const line of lines) {
      const key = /^\(\d+\) (0x[0-9a-f]{64})$/.exec(line)?.[1];
      if (key !== undefined) {
        const secretKey = bytesFromHex(key);
        accounts.push({ address: addressFromSecretKey(secretKey), secretKey });
      }
      const port = /^Listening on .*:(\d+)$/.exec(line)?.[1];
      if (port !== undefined) return Number(port);
    }
    throw new Error('anvil ended before it listened');
  })();
  const boundPort = await Promise.race([
    listening,
    exited.then(() => Promise.reject(new Error('anvil ended at once'))),
  ]);
  // Its log of every request goes nowhere, but must be read or anvil blocks on a full pipe.
  child.stdout.resume();
  return { accounts, boundPort };
}

async function request(rpcUrl: string, method: string, params: readonly unknown[]): Promise<unknown> {
  const response = await fetch(rpcUrl, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ jsonrpc: '2.0', id: 1, method, params }),
  });
  const answer = (await response.json()) as { result?: unknown; error?: { message: string } };
  if (answer.error !== undefined) throw new Error(`${method}: ${answer.error.message}`);
  return answer.result;
}
