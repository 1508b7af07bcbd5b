/**
 * The clock that sales go by: the router's own once it is set, until then the chain's, which is what a channel's expiry
 * is judged by in the end. What the router signs about itself still says that its own clock was not known.
 */
import type { Chain, Clock } from '../ports.ts';

export type ChainClock = Clock & {
  /** Asks the chain for the time, unless the router knows it. Does not throw: without an answer all stays as it is. */
  ask(): Promise<void>;
};

export function chainClock(own: Clock, chain: Pick<Chain, 'time'>): ChainClock {
  let known: { readonly unixS: bigint; readonly atMs: number } | undefined;
  return {
    monotonicMs: () => own.monotonicMs(),
    wall: () => {
      const wall = own.wall();
      if (wall.isSynced || known === undefined) return wall;
      const sinceMs = Math.max(0, own.monotonicMs() - known.atMs);
      return { unixS: known.unixS + BigInt(Math.floor(sinceMs / 1000)), isSynced: true, isBorrowed: true };
    },
    ask: async () => {
      if (own.wall().isSynced) return;
      const result = await chain.time();
      if (result.ok) known = { unixS: result.unixS, atMs: own.monotonicMs() };
    },
  };
}
