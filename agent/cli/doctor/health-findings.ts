/** What only the running agent knows: options that wait for a restart, counters that disagree, proofs that are held. */
import type { StatusAnswer } from '../control-schema.ts';
import { doubtful, type Finding, fine } from './finding.ts';

/** Told in full by doctor's own look at the agent. */
const TOLD_BY_AGENT_FINDING = 'sale';

/** One line for each check, but for those that `findings` already tell, or tell worse. */
export function healthFindings(status: StatusAnswer | undefined, findings: readonly Finding[]): readonly Finding[] {
  return (status?.health ?? []).flatMap(({ check, ok, message, fix }) => {
    const known = findings.find(({ name }) => name === check);
    const isTold = known !== undefined && (ok || known.status !== 'ok');
    if (check === TOLD_BY_AGENT_FINDING || isTold) return [];
    return [ok ? fine(check, message) : doubtful(check, message, fix ?? 'See why: logread -e shareagent.')];
  });
}
