/**
 * When V8's last compiler comes in. The bundle is started with the filter that lets it take no function (LATE_COMPILER in
 * tools/build-agent.ts): neither the start nor a router without guests reads its 6 MiB of machine code. With the first second of real
 * work the filter goes, for good, and V8's own thresholds hold: a function that was refused until then has had its count begun anew.
 */
import { setFlagsFromString } from 'node:v8';

export type Busyness = {
  /** The start is work as well, and over by then. */
  readonly startMs: number;
  readonly lookMs: number;
  /** Processor time between two looks, in ms. An idle agent takes 2 in a second, opening one page 50 to 100. */
  readonly busyMs: number;
};

const BUSYNESS: Busyness = { startMs: 10_000, lookMs: 1_000, busyMs: 200 };

/** Looks until the process has been busy. Changes nothing in one that was started without the filter. */
export function compileOnceBusy({ startMs, lookMs, busyMs }: Busyness = BUSYNESS): void {
  setTimeout(() => {
    let before = cpuMs();
    const looking = setInterval(() => {
      const now = cpuMs();
      if (now - before >= busyMs) {
        clearInterval(looking);
        setFlagsFromString('--turbo-filter=*');
      }
      before = now;
    }, lookMs);
    looking.unref();
  }, startMs).unref();
}

function cpuMs(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1_000;
}
