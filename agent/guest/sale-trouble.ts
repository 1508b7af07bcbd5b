/** Why no WiFi is sold now: the same answer for guests, owner and bus. */
import type { Driver } from '../driver.ts';
import type { Clock } from '../ports.ts';

export type SaleDeps = {
  readonly driver: Pick<Driver, 'trouble'>;
  readonly clock: Clock;
  /** Why nothing is sold now, other than what driver and clock know (flow offload, no guest device ...). */
  readonly notSelling: () => string | undefined;
};

/** Each with what to do, the most basic first; empty while WiFi is being sold. */
export function saleTroubles({ driver, clock, notSelling }: SaleDeps): readonly string[] {
  return [driver.trouble, notSelling(), clockTrouble(clock)].filter((trouble) => trouble !== undefined);
}

function clockTrouble(clock: Clock): string | undefined {
  if (clock.wall().isSynced) return undefined;
  return 'the clock is not set yet: channels need a true expiry; wait for time synchronisation (NTP)';
}
