/**
 * How an nft process is started. Never through a shell with anything in the command that is not ours: the arguments are
 * constants and paths from the configuration.
 */
import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { NftError } from './nft-error.ts';

export type NftPlace = {
  /** The nft binary; default "nft" from PATH. */
  readonly nftPath: string;
  /** Private directory (0700) for the transactions that go by file. */
  readonly runtimeDir: string;
  /** Network namespace by name; tests only. */
  readonly netns?: string;
};

export type NftOutcome = { readonly stdout: string; readonly stderr: string; readonly pid: number };

/** nft with 1,000 sessions needs about 0.1 s; ten seconds is a machine in great trouble. */
export const NFT_TIMEOUT_MS = 10_000;

/** Starts nft with its errors in order among its answers, as one stream. */
export function startNftDialogue(place: NftPlace): ChildProcessWithoutNullStreams {
  return spawnInPlace(place, ['sh', '-c', 'exec "$0" -j -i 2>&1', place.nftPath]);
}

/** Its complaints come among the events: an event that it cannot print is one all the same. */
export function startNftMonitor(place: NftPlace): ChildProcessWithoutNullStreams {
  return spawnInPlace(place, ['sh', '-c', 'exec "$0" monitor 2>&1', place.nftPath]);
}

/**
 * Runs nft once. `onStart` gets the process id while it runs.
 * @throws NftError NFT_MISSING, NFT_NO_ANSWER, or NFT_REFUSED with what nft wrote.
 */
export function runNft(place: NftPlace, args: readonly string[], onStart?: (pid: number) => void): Promise<NftOutcome> {
  return new Promise((resolve, reject) => {
    const child = spawnInPlace(place, [place.nftPath, ...args]);
    if (child.pid !== undefined) onStart?.(child.pid);
    const timer = setTimeout(() => {
      child.kill('SIGKILL');
      reject(new NftError(`nft did not end within ${NFT_TIMEOUT_MS} ms`, { code: 'NFT_NO_ANSWER' }));
    }, NFT_TIMEOUT_MS);
    let stdout = '';
    let stderr = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      stdout += text;
    });
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      stderr += text;
    });
    child.once('error', (cause) => {
      clearTimeout(timer);
      reject(new NftError(`nft cannot be run from "${place.nftPath}"`, { code: 'NFT_MISSING', cause }));
    });
    child.once('close', (code) => {
      clearTimeout(timer);
      if (code === 0) resolve({ stdout, stderr, pid: child.pid ?? 0 });
      else reject(new NftError(`nft ended with ${code ?? 'a signal'}`, { code: 'NFT_REFUSED', stderr }));
    });
  });
}

/** glibc gives memory back after each listing and asks for it again for the next; keeping it saves an eighth of the time. */
const KEEP_MEMORY = 'glibc.malloc.trim_threshold=8388608:glibc.malloc.mmap_threshold=8388608';

function spawnInPlace(place: NftPlace, command: readonly string[]): ChildProcessWithoutNullStreams {
  const [file = '', ...args] = place.netns === undefined ? command : ['ip', 'netns', 'exec', place.netns, ...command];
  // nft -i keeps a history of its commands in $HOME; there is nothing in it that should reach a disk.
  const env = { PATH: process.env['PATH'], HOME: '/nonexistent', LC_ALL: 'C', GLIBC_TUNABLES: KEEP_MEMORY };
  return spawn(file, args, { stdio: ['pipe', 'pipe', 'pipe'], env });
}
