/** How much the intake takes from one sender, and holds at once. */
import type { RateLimit } from './rate-limit.ts';

export type IntakeLimits = {
  /** Proofs of one device that its key has signed (a large one counts for several). A month offline is 8,640 proofs: 12 minutes. */
  readonly device: RateLimit;
  /** Uploads of one source (an IPv4 address, the /64 of an IPv6 address) that no enrolled device has signed. */
  readonly stranger: RateLimit;
  /** The same of all sources together: they are kept like any other, and would fill the disk. */
  readonly allStrangers: RateLimit;
  /** Uploads in memory at once, and their bytes. */
  readonly waiting: number;
  readonly waitingBytes: number;
};

export const DEFAULT_LIMITS: IntakeLimits = {
  device: { perS: 12, burst: 600 },
  stranger: { perS: 2, burst: 120 },
  allStrangers: { perS: 50, burst: 5000 },
  waiting: 8192,
  waitingBytes: 32 * 1024 * 1024,
};
