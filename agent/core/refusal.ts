/** An expected refusal, as a value: exceptions are for broken I/O and bugs. */

/** `reason` is stable: the portal has a status and a sentence for each. `expected` and `got` say what was wrong, with values. */
export type Refused<Reason extends string> = {
  readonly ok: false;
  readonly reason: Reason;
  readonly expected: string;
  readonly got: string;
};

export function refuse<Reason extends string>(reason: Reason, expected: string, got: string): Refused<Reason> {
  return { ok: false, reason, expected, got };
}
