/**
 * Owns what a run of the lab makes: a temporary directory, namespaces named by the run's process id, and what must be
 * closed. Everything goes away on close(), on SIGINT, SIGTERM and on a crash; namespaces of dead runs are swept at start.
 */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { isInUserNamespace } from './elevate.ts';
import { Host } from './host.ts';

const PREFIX = 'ssplab';

export class Lab {
  readonly directory: string;
  readonly #hosts: Host[] = [];
  readonly #closers: (() => Promise<void>)[] = [];
  readonly #onExit = (): void => this.#leaveNow();
  readonly #onSignal = (signal: NodeJS.Signals): void => {
    this.#leaveNow();
    process.exit(signal === 'SIGINT' ? 130 : 143);
  };
  readonly #name: string;
  #isOpen = true;

  constructor() {
    sweepDeadRuns();
    runs += 1;
    this.#name = `${PREFIX}${process.pid}n${runs}`;
    this.directory = mkdtempSync(join(tmpdir(), `${this.#name}-`));
    process.once('exit', this.#onExit);
    process.once('SIGINT', this.#onSignal);
    process.once('SIGTERM', this.#onSignal);
  }

  get isOpen(): boolean {
    return this.#isOpen;
  }

  /** A new host: a namespace with its loopback up. */
  addHost(name: string): Host {
    const netns = `${this.#name}-${name}`;
    execFileSync('ip', ['netns', 'add', netns], { stdio: ['ignore', 'ignore', 'pipe'] });
    const host = new Host(name, netns);
    this.#hosts.push(host);
    execFileSync('ip', ['-n', netns, 'link', 'set', 'lo', 'up']);
    return host;
  }

  /** A path in the run's directory; logs and sockets live there. */
  path(name: string): string {
    return join(this.directory, name);
  }

  /** Called on close(), the newest first. */
  onClose(closer: () => Promise<void>): void {
    this.#closers.push(closer);
  }

  async close(): Promise<void> {
    if (!this.#isOpen) return;
    for (const closer of this.#closers.reverse()) await closer();
    for (const host of [...this.#hosts].reverse()) await host.close();
    this.#leaveNow();
    process.off('exit', this.#onExit);
    process.off('SIGINT', this.#onSignal);
    process.off('SIGTERM', this.#onSignal);
  }

  #leaveNow(): void {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    for (const host of this.#hosts) host.killNow();
    for (const host of this.#hosts) deleteNamespace(host.netns);
    if (process.env['LAB_KEEP_LOGS'] === undefined) rmSync(this.directory, { recursive: true, force: true });
  }
}

let runs = 0;

/** A run that was killed with SIGKILL cannot clean up; the next one does. Its processes died with it (host.ts). */
function sweepDeadRuns(): void {
  // There a process id says nothing about runs outside, and the network namespaces of a run inside went with it.
  if (isInUserNamespace()) return;
  const names = execFileSync('ip', ['netns', 'list'], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] });
  for (const line of names.split('\n')) {
    const match = new RegExp(`^(${PREFIX}(\\d+)n\\d+-[a-z0-9]+)`).exec(line);
    if (match !== null && !isAlive(Number(match[2]))) deleteNamespace(match[1] as string);
  }
  for (const name of readdirSync(tmpdir())) {
    const pid = new RegExp(`^${PREFIX}(\\d+)n\\d+-`).exec(name)?.[1];
    const isLeft = pid !== undefined && !isAlive(Number(pid)) && process.env['LAB_KEEP_LOGS'] === undefined;
    // Another user's may be of a run that is alive in a user namespace.
    if (isLeft && isOwn(join(tmpdir(), name))) rmSync(join(tmpdir(), name), { recursive: true, force: true });
  }
}

function isOwn(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.uid === process.getuid?.();
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EPERM';
  }
}

function deleteNamespace(name: string): void {
  try {
    execFileSync('ip', ['netns', 'del', name], { stdio: 'ignore' });
  } catch {
    // Already gone: what was wanted.
  }
}
