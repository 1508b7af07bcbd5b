/**
 * A small ext4 file system in a file, mounted by a loop device, whose power can be cut: its writer is stopped, and what the
 * device holds in that moment is copied beside the mount. What the kernel had in memory and had not written is not in the
 * copy, so only what was synced is sure to be there. The disk's own volatile cache counts as kept: there is none to lose here.
 *
 * A mount lives in a mount namespace of the program that uses it, and that program dies with this one: nothing is left.
 */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, mkdirSync, mkdtempSync, openSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { until } from '../../lab/wait.ts';

const IMAGE_MIB = 16;
/** The file system commits by itself only after ten minutes: what nobody synced must not be safe by chance. */
const OPTIONS = 'loop,commit=600';
const NAMESPACE = ['--mount', '--propagation', 'private', 'sh', '-c'];
/** s_feature_incompat of the superblock, and "needs recovery" in it: it was not unmounted. @see ext4, "Super Block" */
const FEATURES_AT = 1024 + 0x60;
const NEEDS_RECOVERY = 0x4;

export class CuttableDisk {
  readonly #directory = mkdtempSync(join(tmpdir(), 'power-cut-'));
  readonly #image = join(this.#directory, 'disk.img');
  /** Where the file system is seen by the programs below. */
  readonly root = join(this.#directory, 'mounted');
  /** What the last writer said; not on the disk that is cut. */
  readonly said = join(this.#directory, 'said');
  readonly #mount = `mount -o ${OPTIONS} '${this.#image}' '${this.root}'`;
  #writer: ChildProcess | undefined;

  /** Why there can be none here; undefined if there can. */
  static missing(): string | undefined {
    const disk = new CuttableDisk();
    try {
      return disk.make();
    } finally {
      disk.remove();
    }
  }

  /** An empty file system. Returns why there cannot be one. */
  make(): string | undefined {
    mkdirSync(this.root, { recursive: true });
    writeFileSync(this.#image, Buffer.alloc(IMAGE_MIB << 20));
    const script = `mkfs.ext4 -q -F '${this.#image}' && ${this.#mount}`;
    const { status, stderr } = spawnSync('unshare', [...NAMESPACE, script], { encoding: 'utf8' });
    return status === 0 ? undefined : `no loop device can be mounted here: ${stderr.trim()}`;
  }

  /** Starts a Node program on the mounted file system; what it says goes to the file `said`. */
  write(program: string, args: readonly string[]): void {
    const output = openSync(this.said, 'w');
    this.#writer = this.#spawn(program, args, output);
    closeSync(output);
  }

  /** Stops the writer, keeps what the device holds then as the disk, and ends the writer. */
  async cut(): Promise<{ readonly wasMounted: boolean }> {
    const writer = this.#writer as ChildProcess;
    writer.kill('SIGSTOP');
    await until('the writer to stand still', 20_000, () => isStopped(writer.pid as number));
    const held = await until('the device to stand still', 20_000, () => this.#steady());
    await this.#end(writer);
    writeFileSync(this.#image, held);
    return { wasMounted: (held.readUInt32LE(FEATURES_AT) & NEEDS_RECOVERY) !== 0 };
  }

  /** What a Node program says that runs on the file system, mounted again. @throws Error with what it complains of */
  async read(program: string, args: readonly string[]): Promise<string> {
    const reader = this.#spawn(program, args, 'pipe');
    let said = '';
    reader.stdout?.setEncoding('utf8').on('data', (text: string) => {
      said += text;
    });
    const [code] = (await once(reader, 'close')) as [number | null];
    if (code !== 0) throw new Error(`${program} ended with ${code}: ${said}`);
    return said;
  }

  remove(): void {
    this.#writer?.kill('SIGKILL');
    rmSync(this.#directory, { recursive: true });
  }

  #spawn(program: string, args: readonly string[], output: number | 'pipe'): ChildProcess {
    const { NODE_OPTIONS: _, ...env } = process.env;
    const script = `${this.#mount} && exec setpriv --pdeathsig KILL '${process.execPath}' "$@"`;
    return spawn('unshare', [...NAMESPACE, script, 'sh', program, ...args], {
      stdio: ['ignore', output, 'inherit'],
      env,
    });
  }

  /** The device's content, if it is the same twice: the last writes of the file system have arrived. */
  #steady(): Buffer | undefined {
    const held = readFileSync(this.#image);
    return held.equals(readFileSync(this.#image)) ? held : undefined;
  }

  async #end(writer: ChildProcess): Promise<void> {
    const ended = once(writer, 'exit');
    writer.kill('SIGKILL');
    await ended;
    this.#writer = undefined;
  }
}

/** Every thread: one that waits for the disk stops when the disk has answered. */
function isStopped(pid: number): boolean {
  return readdirSync(`/proc/${pid}/task`).every((task) => {
    const stat = readFileSync(`/proc/${pid}/task/${task}/stat`, 'utf8');
    return stat.slice(stat.lastIndexOf(')') + 2).startsWith('T');
  });
}
