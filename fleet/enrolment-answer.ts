/** What a router hears that asks to be enrolled, and an operator who decides over it. */
import type { EnrolledDevice, EnrolmentState } from './registry-store.ts';

/** `code` is stable; `message` says what is wrong, expected, got and what to do. */
export type EnrolmentAnswer =
  | { readonly ok: true; readonly state: EnrolmentState; readonly reason: string }
  | { readonly ok: false; readonly code: string; readonly message: string };

export type EnrolmentRefusal = EnrolmentAnswer & { readonly ok: false };

export function answerOf({ state, reason }: EnrolledDevice): EnrolmentAnswer {
  return { ok: true, state, reason };
}

export function refused(code: string, message: string): EnrolmentRefusal {
  return { ok: false, code, message };
}
