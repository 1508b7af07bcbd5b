/** What the owner is told of a journal that was put back from an old copy. */
import type { AgentState } from '../core/state.ts';
import type { HealthCheck } from '../ports.ts';

/** The numbers of the file that was found at this start, and of the newest that was ever written (adapters/journal/life-count.ts). */
export type OldCopyFound = { readonly life: number; readonly marked: number };

/** Undefined while there is nothing to say: not found at this start, and none of the channels that it holds is open any more. */
export function journalHealth(
  { channels }: Pick<AgentState, 'channels'>,
  found?: OldCopyFound,
): HealthCheck | undefined {
  const stale = [...channels.values()].filter(
    ({ isStale, phase }) => isStale === true && phase !== 'settled' && phase !== 'failed',
  );
  if (found === undefined && stale.length === 0) return undefined;
  const waiting = stale.filter(({ phase }) => phase === 'pending').length;
  const what =
    found === undefined
      ? 'channels are older here than the chain or the collector knows them'
      : `the journal is an older copy (it was opened or closed ${found.life} times, the mark beside it says ${found.marked})`;
  return {
    check: 'journal',
    ok: false,
    message: `${what}: ${stale.length} open channel(s) of it, ${waiting} of them not served yet`,
    fix:
      'They go on once the chain and each router of the list of sisters have answered; what guests used since the copy was made ' +
      'is charged as far as a claim or their own vouchers prove it. Never put ledger.db back from a backup.',
  };
}
