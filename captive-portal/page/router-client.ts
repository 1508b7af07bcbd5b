/** The page's calls to the router. Every outcome is a value: a view, terms, or a problem with what to do. */
import type { Terms } from './wallet.ts';
import {
  type Challenge,
  type ChallengeJson,
  challengeFromJson,
  type ProblemJson,
  type TermsJson,
  termsFromJson,
  type View,
  type ViewJson,
  viewFromJson,
} from './wire.ts';

export type Problem = { readonly reason: string; readonly last?: ProblemJson['last'] };
export type Answer<T> = { readonly ok: true; readonly value: T } | { readonly ok: false; readonly problem: Problem };

export function getView(): Promise<Answer<View>> {
  return call('/api/view', {}, (json) => viewFromJson(json as ViewJson));
}

export function getTerms(): Promise<Answer<Terms>> {
  return call('/api/quote', {}, (json) => termsFromJson(json as TermsJson));
}

export function post(
  url: `/api/${'open' | 'voucher' | 'tick-voucher' | 'attach' | 'trial' | 'leave' | 'pause' | 'resume'}`,
  body?: object,
): Promise<Answer<View>> {
  return call(url, postOf(body), (json) => viewFromJson(json as ViewJson));
}

/** One coin of a chain; the answer is what the router holds as promised, in units. */
export function postTick(body: object): Promise<Answer<bigint>> {
  return call('/api/tick', postOf(body), (json) => BigInt((json as { promisedUnits: string }).promisedUnits));
}

/** A challenge for the running session of a key; undefined if it has none. */
export function postChallenge(body: object): Promise<Answer<Challenge | undefined>> {
  const read = (json: unknown) => (json === undefined ? undefined : challengeFromJson(json as ChallengeJson));
  return call('/api/challenge', postOf(body), read);
}

/** Units that the key's address holds on chain; undefined if the router cannot say, which is no reason not to try. */
export async function postBalance(body: object): Promise<bigint | undefined> {
  const answer = await call('/api/balance', postOf(body), (json) => BigInt((json as { units: string }).units));
  return answer.ok ? answer.value : undefined;
}

/** Units of test SSP that the router has sent to the address. */
export function postFaucet(signer: string): Promise<Answer<bigint>> {
  return call('/api/faucet', postOf({ v: 1, signer }), (json) => BigInt((json as { units: string }).units));
}

/** The signed receipt of this guest's session, as the router wrote it. */
export function getReceipt(): Promise<Answer<unknown>> {
  return call('/api/receipt', {}, (json) => json);
}

/** A problem; adviceText() says it in the guest's words. */
export function problemOf(reason: string): Problem {
  return { reason };
}

function postOf(body: object | undefined): RequestInit {
  if (body === undefined) return { method: 'POST' };
  return { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) };
}

async function call<T>(url: string, options: RequestInit, read: (json: unknown) => T): Promise<Answer<T>> {
  try {
    const response = await fetch(url, { ...options, credentials: 'omit', cache: 'no-store' });
    const json: unknown = response.status === 204 ? undefined : await response.json();
    if (response.ok) return { ok: true, value: read(json) };
    const { reason, last } = json as ProblemJson;
    return { ok: false, problem: { ...problemOf(reason), ...(last !== undefined && { last }) } };
  } catch {
    // No answer, or one that is not the router's (the guest changed networks): both mean the same to the guest.
    return { ok: false, problem: problemOf('offline') };
  }
}
