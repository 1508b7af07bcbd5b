/**
 * Problem details for every refusal: one exhaustive table from reason to status, one place that writes the answer.
 * What a guest reads (`detail`) says what to do next and comes from the page's strings; nothing internal is ever told.
 *
 * @see RFC 9457
 */
import type { FastifyReply } from 'fastify';
import type { DeskRefusal } from '../agent/ports.ts';
import { voucherJsonFromVoucher } from '../protocol/voucher.ts';
import { ENGLISH, type ProblemReason } from './page/strings.ts';
import type { ProblemJson } from './page/wire.ts';

/** What the portal itself refuses, before or beside the desk. */
export type PortalReason =
  | 'bad-pass-code'
  | 'other-code'
  | 'malformed'
  | 'too-large'
  | 'url-too-long'
  | 'headers-too-large'
  | 'too-slow'
  | 'unsupported-media-type'
  | 'not-found'
  | 'foreign-origin'
  | 'two-hosts'
  | 'rate-limited'
  | 'too-many-streams'
  | 'internal';

export type Problem = {
  readonly reason: DeskRefusal['reason'] | PortalReason;
  readonly expected?: string;
  readonly got?: string;
  readonly lastVoucher?: DeskRefusal['lastVoucher'];
};

type Answer = {
  readonly status: number;
  readonly title: string;
  readonly retryAfterSeconds?: number;
  /** What the desk expected and got is the router's own trouble, told to the log only. */
  readonly isPrivate?: true;
};

const ANSWERS = {
  'unknown-guest': { status: 403, title: 'Not a guest of this WiFi' },
  'unknown-channel': { status: 404, title: 'Unknown channel' },
  'not-your-channel': { status: 403, title: 'Channel of another device' },
  'channel-not-open': { status: 409, title: 'Channel not open' },
  'channel-draining': { status: 409, title: 'Channel near its end' },
  'amount-not-increasing': { status: 409, title: 'Voucher not above the last one' },
  'amount-above-deposit': { status: 422, title: 'Voucher above the deposit' },
  'ack-above-metered': { status: 422, title: 'Acknowledges more bytes than metered' },
  'bad-signature': { status: 422, title: 'Signature does not match' },
  'not-checked': { status: 503, title: 'Signature not checked', retryAfterSeconds: 2, isPrivate: true },
  'storage-failed': { status: 503, title: 'Voucher not stored', retryAfterSeconds: 10, isPrivate: true },
  'no-tick-voucher': { status: 409, title: 'No tick voucher' },
  'tick-not-later': { status: 409, title: 'Tick not above the last one' },
  'tick-not-in-chain': { status: 422, title: 'Not a tick of the chain' },
  'renewal-due': { status: 409, title: 'Voucher due' },
  'bad-quote': { status: 422, title: 'Not a quote of this router' },
  'quote-expired': { status: 409, title: 'Quote expired' },
  'config-mismatch': { status: 422, title: 'Channel does not match the quote' },
  'deposit-too-small': { status: 422, title: 'Deposit too small' },
  'voucher-below-open-fee': { status: 422, title: 'First voucher below the open fee' },
  'already-open': { status: 409, title: 'Already open' },
  'trial-used': { status: 403, title: 'Free allowance used up' },
  'too-many-opens': { status: 429, title: 'Too many opens', retryAfterSeconds: 600 },
  'not-selling': { status: 503, title: 'Not selling', retryAfterSeconds: 60, isPrivate: true },
  'chain-unreachable': { status: 503, title: 'Payment network unreachable', retryAfterSeconds: 30, isPrivate: true },
  'chain-refused': { status: 402, title: 'Payment refused', isPrivate: true },
  'bad-challenge': { status: 409, title: 'Challenge used, too old or of another device' },
  'bad-pass-code': { status: 400, title: 'Not a pass code' },
  'other-code': { status: 409, title: 'Paid with another pass code' },
  malformed: { status: 400, title: 'Malformed request' },
  'too-large': { status: 413, title: 'Request too large' },
  'url-too-long': { status: 414, title: 'Address too long' },
  'headers-too-large': { status: 431, title: 'Headers too large' },
  'too-slow': { status: 408, title: 'Request not complete in time' },
  'unsupported-media-type': { status: 415, title: 'Unsupported media type' },
  'not-found': { status: 404, title: 'Not found' },
  'foreign-origin': { status: 403, title: 'Request from another website' },
  'two-hosts': { status: 400, title: 'More than one Host header' },
  'rate-limited': { status: 429, title: 'Too many requests', retryAfterSeconds: 5 },
  'too-many-streams': { status: 429, title: 'Too many event streams', retryAfterSeconds: 30 },
  internal: { status: 500, title: 'Internal error', isPrivate: true },
} as const satisfies Record<Problem['reason'] & ProblemReason, Answer> satisfies Record<Problem['reason'], Answer>;

export const PROBLEM_MEDIA_TYPE = 'application/problem+json';

/** Every reason there is, for the document that describes the API. */
export const PROBLEM_REASONS = Object.keys(ANSWERS) as readonly Problem['reason'][];

export function statusOf(reason: Problem['reason']): number {
  return ANSWERS[reason].status;
}

export function problemJson(problem: Problem): ProblemJson {
  const { status, title, isPrivate }: Answer = ANSWERS[problem.reason];
  const isTold = isPrivate !== true;
  return {
    type: `urn:ssp:problem:${problem.reason}`,
    title,
    status,
    detail: ENGLISH.problems[problem.reason],
    reason: problem.reason,
    ...(isTold && problem.expected !== undefined && { expected: problem.expected }),
    ...(isTold && problem.got !== undefined && { got: problem.got }),
    ...(problem.lastVoucher !== undefined && { last: voucherJsonFromVoucher(problem.lastVoucher) }),
  };
}

/** Sets status and Retry-After; the body is the caller's (JSON here, HTML for forms). */
export function markProblem(reply: FastifyReply, problem: Problem): FastifyReply {
  const answer: Answer = ANSWERS[problem.reason];
  if (answer.retryAfterSeconds !== undefined) void reply.header('retry-after', answer.retryAfterSeconds);
  return reply.code(answer.status);
}

/** As bytes: for text Fastify would add a charset, which JSON media types do not have. */
export function sendProblem(reply: FastifyReply, problem: Problem): FastifyReply {
  return markProblem(reply, problem)
    .type(PROBLEM_MEDIA_TYPE)
    .send(Buffer.from(JSON.stringify(problemJson(problem))));
}
