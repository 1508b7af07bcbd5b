/**
 * Bytes of the day that nobody pays for: trials, the ended ones too, which the state forgets. Looked at often, and counted for the
 * UTC day in which they passed; a restart of the agent forgets what had ended before it. A trial that becomes a paid session is
 * counted, and proven, as part of that one.
 */
import { type AgentState, channelOfSession } from '../core/state.ts';

/** `before`: bytes of earlier days. */
type Seen = { readonly before: bigint; readonly bytes: bigint };

export type FreeBytesDeps = {
  readonly driver: { readonly state: AgentState };
  readonly clock: { wall(): { readonly unixS: bigint } };
};

/** What passes between the last look and the end of a trial is missed: at full speed of a trial some hundred kilobytes. */
const LOOK_MS = 1_000;
const DAY_S = 86_400n;

export class FreeBytes {
  readonly #deps: FreeBytesDeps;
  #timer: NodeJS.Timeout | undefined;
  #seen = new Map<number, Seen>();
  #endedBytes = 0n;
  #day: bigint | undefined;

  constructor(deps: FreeBytesDeps) {
    this.#deps = deps;
  }

  start(): void {
    this.#timer = setInterval(() => this.today(), LOOK_MS);
    this.#timer.unref();
  }

  close(): void {
    clearInterval(this.#timer);
  }

  today(): bigint {
    const { driver, clock } = this.#deps;
    const day = clock.wall().unixS / DAY_S;
    const isNewDay = this.#day !== undefined && day !== this.#day;
    this.#day = day;
    if (isNewDay) this.#endedBytes = 0n;
    const running = new Map<number, Seen>();
    for (const session of driver.state.sessions.values()) {
      const before = this.#seen.get(session.id);
      this.#seen.delete(session.id);
      if (channelOfSession(driver.state, session) !== undefined) continue;
      const bytes = session.usage.downBytes + session.usage.upBytes;
      running.set(session.id, { before: isNewDay ? (before?.bytes ?? 0n) : (before?.before ?? 0n), bytes });
    }
    // Those that are left have ended since the last look.
    if (!isNewDay) this.#endedBytes += sumOf(this.#seen);
    this.#seen = running;
    return this.#endedBytes + sumOf(running);
  }
}

function sumOf(seen: ReadonlyMap<number, Seen>): bigint {
  let sum = 0n;
  for (const { before, bytes } of seen.values()) sum += bytes - before;
  return sum;
}
