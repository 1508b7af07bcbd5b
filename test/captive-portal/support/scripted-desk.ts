/** A GuestDesk that answers only what the test scripted. */
import type { GuestDesk } from '../../../agent/ports.ts';

const METHODS = [
  'identify',
  'view',
  'quote',
  'startTrial',
  'open',
  'voucher',
  'tickVoucher',
  'tick',
  'challenge',
  'attach',
  'receipt',
  'leave',
  'pause',
  'resume',
  'watch',
] as const;

/** @throws Error on a call the script has no answer for, naming it. */
export function scriptedDesk(script: Partial<GuestDesk>): GuestDesk {
  const unscripted = METHODS.map((name) => [
    name,
    () => {
      throw new Error(`GuestDesk.${name} was called, but the test scripts no answer: add it to scriptedDesk({ ... }).`);
    },
  ]);
  return { ...(Object.fromEntries(unscripted) as GuestDesk), ...script };
}
