/**
 * A host of the small world: one network namespace, and the processes that were started in it.
 * Children die with the lab even if it is killed (PR_SET_PDEATHSIG by setpriv), so that nothing is left behind.
 */
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { LabError } from './errors.ts';

export type Finished = { readonly code: number; readonly stdout: string; readonly stderr: string };

export type Running = {
  readonly name: string;
  readonly pid: number;
  readonly child: ChildProcess;
  /** Resolves with the exit code (128 for a signal); never rejects. */
  readonly exited: Promise<number>;
  isAlive(): boolean;
  /** SIGTERM, and SIGKILL after `graceMs`. */
  stop(graceMs?: number): Promise<void>;
  signal(signal: NodeJS.Signals): void;
};

export type StartOptions = {
  readonly logFile?: string;
  readonly env?: Readonly<Record<string, string>>;
  /** True: stdin and stdout are pipes for the caller; only stderr goes to the log. */
  readonly hasPipes?: boolean;
  readonly cwd?: string;
};

const RUN_TIMEOUT_MS = 60_000;
const MAX_OUTPUT_BYTES = 32 << 20;

export class Host {
  readonly name: string;
  /** Name of the network namespace, as `ip netns exec` takes it. */
  readonly netns: string;
  readonly #running = new Set<Running>();

  constructor(name: string, netns: string) {
    this.name = name;
    this.netns = netns;
  }

  /** Runs a command to its end, whatever its exit code. @throws LabError LAB_TIMEOUT */
  run(
    argv: readonly string[],
    options: { readonly timeoutMs?: number; readonly input?: string } = {},
  ): Promise<Finished> {
    const timeoutMs = options.timeoutMs ?? RUN_TIMEOUT_MS;
    return new Promise((resolve, reject) => {
      const child = execFile(
        'ip',
        ['netns', 'exec', this.netns, ...argv],
        { timeout: timeoutMs, killSignal: 'SIGKILL', maxBuffer: MAX_OUTPUT_BYTES },
        (error, stdout, stderr) => {
          if (error !== null && error.killed === true) {
            reject(new LabError('LAB_TIMEOUT', `${this.name}: ${argv.join(' ')} did not end within ${timeoutMs} ms`));
            return;
          }
          const code = typeof error?.code === 'number' ? error.code : error === null ? 0 : 1;
          resolve({ code, stdout, stderr });
        },
      );
      child.stdin?.on('error', ignoreBrokenPipe);
      child.stdin?.end(options.input ?? '');
    });
  }

  /** Runs a command that must succeed; its standard output. @throws LabError LAB_COMMAND with stderr */
  async must(
    argv: readonly string[],
    options: { readonly timeoutMs?: number; readonly input?: string } = {},
  ): Promise<string> {
    const { code, stdout, stderr } = await this.run(argv, options);
    if (code === 0) return stdout;
    const said = stderr.trim() || stdout.trim();
    throw new LabError('LAB_COMMAND', `${this.name}: ${argv.join(' ')} ended with ${code}: ${said}`);
  }

  /** Many `ip`, `bridge` or `sysctl` lines in one shell: each process start costs 2-3 ms. Only constants of the lab go in. */
  async script(lines: readonly string[]): Promise<void> {
    await this.must(['sh', '-e'], { input: `${lines.join('\n')}\n` });
  }

  /** Starts a long-lived process; it is stopped with the host. */
  start(name: string, argv: readonly string[], options: StartOptions = {}): Running {
    const log = options.logFile === undefined ? 'ignore' : openSync(options.logFile, 'a');
    const child = spawn('ip', ['netns', 'exec', this.netns, 'setpriv', '--pdeathsig', 'KILL', ...argv], {
      stdio: options.hasPipes === true ? ['pipe', 'pipe', log] : ['ignore', log, log],
      env: { ...process.env, ...options.env },
      ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
    });
    if (typeof log === 'number') closeSync(log);
    if (child.pid === undefined) throw new LabError('LAB_START', `${this.name}: ${name} could not be started`);
    const running = this.#track(name, child, child.pid);
    this.#running.add(running);
    return running;
  }

  /** Stops every process that was started here, the newest first. */
  async close(): Promise<void> {
    for (const running of [...this.#running].reverse()) await running.stop();
  }

  /** For the way out on a signal, when nothing can be awaited any more. */
  killNow(): void {
    for (const running of this.#running) running.signal('SIGKILL');
  }

  #track(name: string, child: ChildProcess, pid: number): Running {
    let isAlive = true;
    const exited = new Promise<number>((resolve) => {
      const finish = (code: number | null): void => {
        isAlive = false;
        this.#running.delete(running);
        resolve(code ?? 128);
      };
      child.once('exit', finish);
      child.once('error', () => finish(1));
    });
    const signal = (value: NodeJS.Signals): void => {
      if (isAlive) child.kill(value);
    };
    const running: Running = {
      name,
      pid,
      child,
      exited,
      isAlive: () => isAlive,
      signal,
      stop: async (graceMs = 3_000) => {
        signal('SIGTERM');
        const timer = setTimeout(() => signal('SIGKILL'), graceMs);
        await exited;
        clearTimeout(timer);
      },
    };
    return running;
  }
}

/** A command may end without reading its input; its exit code says what matters. */
function ignoreBrokenPipe(): void {}
