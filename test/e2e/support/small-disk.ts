/**
 * A real file system of a few MiB that a test can fill to the last byte and empty again: ext4 on a loop device, or tmpfs where no
 * loop device is to be had. It is mounted in a mount namespace of its own, which lives as long as its keeper, a process that dies
 * with this one: nothing is left.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, mkdirSync, mkdtempSync, openSync, rmSync, truncateSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const MIB = 1 << 20;
const EXT4 = `mkfs.ext4 -q -F -m 0 -O ^resize_inode "$1" && mount -o loop "$1" "$2"`;
const SCRIPT = `{ ${EXT4}; } 2>/dev/null || mount -t tmpfs -o size="$3" tmpfs "$2" || exit 1
findmnt -n -o FSTYPE "$2"; exec setpriv --pdeathsig KILL sleep 600`;
const NAMESPACE = ['unshare', '--mount', '--propagation', 'private'];
/** So many bytes at a time, the last ones one by one block. */
const STEPS = [256 * 1024, 4096, 512, 1];

export class SmallDisk {
  /** As the programs below see it. */
  readonly root: string;
  readonly #directory: string;
  #keeper: Keeper | undefined;

  constructor() {
    this.#directory = mkdtempSync(join(tmpdir(), 'small-disk-'));
    // Also where a test breaks outside its tests.
    process.once('exit', () => rmSync(this.#directory, { recursive: true, force: true }));
    this.root = join(this.#directory, 'mounted');
    mkdirSync(this.root);
  }

  /** `start`: the keeper, in other namespaces than ours. @returns "ext4" or "tmpfs" @throws Error if neither can be mounted */
  async mount(mebibytes: number, start: (argv: readonly string[]) => ChildProcess = startHere): Promise<string> {
    const image = join(this.#directory, 'disk.img');
    closeSync(openSync(image, 'w'));
    truncateSync(image, mebibytes * MIB);
    const keeper = start([...NAMESPACE, 'sh', '-c', SCRIPT, 'sh', image, this.root, `${mebibytes}m`]);
    const { stdout, pid } = keeper;
    if (stdout === null || pid === undefined) throw new Error('the keeper of the disk could not be started');
    const ended = once(keeper, 'exit');
    const said = await Promise.race([once(stdout, 'data'), ended.then(() => undefined)]);
    if (said === undefined) throw new Error('neither ext4 on a loop device nor tmpfs can be mounted here');
    this.#keeper = { pid, end: () => keeper.kill('SIGKILL'), ended };
    return String(said[0]).trim();
  }

  /** The same file as this process sees it. */
  seen(name: string): string {
    return join(`/proc/${this.#keeper?.pid}/root`, this.root, name);
  }

  /** The mount namespace, for `nsenter --mount=`. */
  get namespace(): string {
    return `/proc/${this.#keeper?.pid}/ns/mnt`;
  }

  /** Until not one more byte can be written, by anybody. */
  fill(): void {
    const file = openSync(this.seen('ballast'), 'a');
    for (const step of STEPS) writeUntilFull(file, Buffer.alloc(step, 1));
    closeSync(file);
  }

  empty(): void {
    rmSync(this.seen('ballast'), { force: true });
  }

  async remove(): Promise<void> {
    this.#keeper?.end();
    await this.#keeper?.ended;
    rmSync(this.#directory, { recursive: true, force: true });
  }
}

type Keeper = { readonly pid: number; readonly end: () => void; readonly ended: Promise<unknown> };

function startHere([command = '', ...args]: readonly string[]): ChildProcess {
  return spawn(command, args, { stdio: ['ignore', 'pipe', 'inherit'] });
}

function writeUntilFull(file: number, bytes: Buffer): void {
  for (;;) {
    try {
      writeSync(file, bytes);
    } catch (error) {
      if (error instanceof Error && 'code' in error && error.code === 'ENOSPC') return;
      throw error;
    }
  }
}
