/**
 * The router's clocks. Monotonic time for metering and deadlines, wall time only for what is signed.
 *
 * Monotonic time is CLOCK_MONOTONIC since this process started: it is never set, only slewed by NTP, and does not count
 * suspended time. After a restart of the agent it begins at 0 again, so a value stored by an earlier run means nothing.
 *
 * A router has no battery-backed clock: after power-on it shows 1970 or the time of its last shutdown until NTP has set
 * it. OpenWrt's ntpd runs the scripts in /etc/hotplug.d/ntp on each step and each synchronised poll; ours touches
 * `syncedFlagPath` on a filesystem that a reboot empties.
 */
import { existsSync } from 'node:fs';
import type { Clock } from '../ports.ts';

/** 2026-01-01T00:00:00Z. This program did not exist before, so a clock that shows less was never set. */
const EARLIEST_CREDIBLE_S = 1_767_225_600n;

export type SystemClockOptions = {
  /** Exists while NTP is known to have set the clock. Absent: any credible time counts as set. */
  readonly syncedFlagPath?: string | undefined;
  /** Unix milliseconds. */
  readonly wallMs?: () => number;
  /** Milliseconds of a clock that is never set. */
  readonly monotonicMs?: () => number;
};

export function systemClock(options: SystemClockOptions = {}): Clock {
  const { syncedFlagPath, wallMs = Date.now, monotonicMs = () => performance.now() } = options;
  const startMs = monotonicMs();
  return {
    monotonicMs: () => Math.floor(monotonicMs() - startMs),
    wall: () => {
      // Before 1970 cannot be signed (uint40), and is as wrong as 1970 itself.
      const unixS = BigInt(Math.max(0, Math.floor(wallMs() / 1000)));
      const isCredible = unixS >= EARLIEST_CREDIBLE_S;
      return { unixS, isSynced: isCredible && (syncedFlagPath === undefined || existsSync(syncedFlagPath)) };
    },
  };
}

/** Minutes since local midnight: what the owner's price windows are told in. */
export function minuteOfDay(): number {
  const now = new Date();
  return now.getHours() * 60 + now.getMinutes();
}
