/** What the desk's drawers share: a refusal as a value, and the words of an exception. */
import type { DeskRefusal } from '../ports.ts';

export function refusal(reason: DeskRefusal['reason'], expected: string, got: string): DeskRefusal {
  return { ok: false, reason, expected, got };
}

export function messageOf(cause: unknown): string {
  return cause instanceof Error ? cause.message : String(cause);
}
