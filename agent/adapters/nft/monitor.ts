/**
 * Watches `nft monitor` for two things: a quota of ours was used up, and somebody else changed our tables. Reads nft's
 * text because only there is said which process made a change; takes nothing from it but our own names.
 */
import type { ChildProcessWithoutNullStreams } from 'node:child_process';
import { TABLE } from './layout.ts';
import { type NftPlace, startNftMonitor } from './nft-child.ts';

export type MonitorEvent =
  | { readonly kind: 'depleted'; readonly quota: string }
  | { readonly kind: 'touched'; readonly what: string }
  /** Somebody changed other tables: a firewall reload, perhaps a flowtable. */
  | { readonly kind: 'elsewhere' }
  /** The watch was interrupted; anything may have happened. */
  | { readonly kind: 'gap' };

const RESTART_MS = 1_000;
/** Longest of the growing waits for a monitor to be ready; all together twice that. */
const READY_MS = 3_000;
/** Longest line kept; nft prints whole sets in one line, and of those the first words are enough. */
const MAX_LINE_CHARS = 65_536;

const USED_UP = new RegExp(`^add quota \\S+ ${TABLE} (q[0-9]+_[0-9]+) \\{ (.+?) used (.+?) \\}`);
const CHANGE = new RegExp(`^(?:add|insert|replace|delete|destroy) (\\S+) (?:inet|bridge) ${TABLE}(?: (\\S+))?`);
/** nft's own picture of the ruleset has holes sometimes; then it only says that something happened. */
const UNREADABLE = /^W: /;
const COMMIT = /^# new generation [0-9]+ by process ([0-9]+)/;

/** Lines of nft to events. Pure apart from what it remembers of the transaction that is being printed. */
export class MonitorLines {
  readonly #isOwn: (pid: number) => boolean;
  #change: string | undefined;

  constructor(isOwn: (pid: number) => boolean) {
    this.#isOwn = isOwn;
  }

  read(line: string): MonitorEvent | undefined {
    const usedUp = USED_UP.exec(line);
    if (usedUp !== null) {
      return usedUp[2] === usedUp[3] ? { kind: 'depleted', quota: usedUp[1] ?? '' } : undefined;
    }
    const change = CHANGE.exec(line);
    if (change !== null) {
      // dnsmasq fills the walled garden.
      const isGarden = change[1] === 'element' && change[2]?.startsWith('garden') === true;
      if (!isGarden) this.#change ??= line.slice(0, 80);
      return undefined;
    }
    if (UNREADABLE.test(line)) this.#change ??= 'something that nft monitor could not read';
    const commit = COMMIT.exec(line);
    if (commit === null) return undefined;
    const what = this.#change;
    this.#change = undefined;
    if (this.#isOwn(Number(commit[1]))) return undefined;
    return what === undefined ? { kind: 'elsewhere' } : { kind: 'touched', what };
  }
}

export class NftMonitor {
  readonly #place: NftPlace;
  readonly #isOwn: (pid: number) => boolean;
  readonly #listener: (event: MonitorEvent) => void;
  #child: ChildProcessWithoutNullStreams | undefined;
  #restart: NodeJS.Timeout | undefined;
  #isClosed = false;
  #hasSpoken = false;

  constructor(place: NftPlace, isOwn: (pid: number) => boolean, listener: (event: MonitorEvent) => void) {
    this.#place = place;
    this.#isOwn = isOwn;
    this.#listener = listener;
  }

  /** True while a monitor runs that has shown that it sees changes. */
  get isWatching(): boolean {
    return this.#child !== undefined && this.#hasSpoken;
  }

  /**
   * Starts watching and returns once it is certain that nothing more is missed: nft says nothing when it is ready, so
   * `poke` makes changes until one is seen. If it is watching already, a new watch takes over from the old one without a
   * gap; nft knows only those sets well that were there when it began.
   * @returns false if nothing was seen in time.
   */
  async start(poke: () => Promise<void>): Promise<boolean> {
    const old = this.#child;
    let isSeen = false;
    this.#spawn(() => {
      isSeen = true;
    });
    // Each change makes an nft that is still reading the ruleset begin again, so the waits grow.
    for (let waitMs = 20; waitMs < READY_MS && !isSeen && !this.#isClosed; waitMs *= 2) {
      await poke();
      await new Promise((resolve) => setTimeout(resolve, waitMs));
    }
    old?.kill();
    return isSeen;
  }

  close(): void {
    this.#isClosed = true;
    clearTimeout(this.#restart);
    this.#child?.kill();
    this.#child = undefined;
  }

  #spawn(onFirstLine: () => void): void {
    if (this.#isClosed) return;
    const child = startNftMonitor(this.#place);
    const lines = new MonitorLines(this.#isOwn);
    this.#child = child;
    let partial = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      if (this.#isClosed) return;
      onFirstLine();
      this.#hasSpoken = child === this.#child;
      const complete = (partial + text).split('\n');
      partial = (complete.pop() ?? '').slice(0, MAX_LINE_CHARS);
      for (const line of complete) {
        const event = lines.read(line);
        if (event !== undefined) this.#listener(event);
      }
    });
    child.stdin.on('error', () => undefined);
    const end = (): void => {
      if (child === this.#child) this.#startAgainSoon();
    };
    child.once('error', end);
    child.once('close', end);
  }

  #startAgainSoon(): void {
    this.#child = undefined;
    this.#hasSpoken = false;
    this.#restart = setTimeout(() => {
      this.#spawn(() => undefined);
      if (!this.#isClosed) this.#listener({ kind: 'gap' });
    }, RESTART_MS);
    this.#restart.unref();
  }
}
