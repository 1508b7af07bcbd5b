/** A clock that only the test moves. */
import type { Clock } from '../../agent/ports.ts';

export class FakeClock implements Clock {
  ms = 1_000;
  unixS: bigint;
  isSynced = true;

  constructor(unixS: bigint) {
    this.unixS = unixS;
  }

  monotonicMs(): number {
    return this.ms;
  }

  wall(): { readonly unixS: bigint; readonly isSynced: boolean } {
    return { unixS: this.unixS + BigInt(Math.floor(this.ms / 1000)), isSynced: this.isSynced };
  }
}
