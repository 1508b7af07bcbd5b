/**
 * The OpenAPI document of the guest's API, made from the schemas by which requests are decoded. Served at /api/openapi.json; the
 * same text is kept as docs/openapi.json.
 *
 * @see OpenAPI 3.1.1
 */
import type * as v from 'valibot';
import { attachSchema, challengeRequestSchema } from '../protocol/attach-wire.ts';
import { openRequestSchema } from '../protocol/open-wire.ts';
import { tickSchema, tickVoucherSchema } from '../protocol/tick-wire.ts';
import { trialRequestSchema } from '../protocol/trial-wire.ts';
import { voucherSchema } from '../protocol/voucher-wire.ts';
import {
  balanceAnswer,
  captiveAnswer,
  challengeAnswer,
  depositAnswer,
  faucetAnswer,
  offerAnswer,
  problemAnswer,
  receiptAnswer,
  termsAnswer,
  tickAnswer,
  viewAnswer,
} from './answer-schemas.ts';
import { CAPTIVE_MEDIA_TYPE } from './captive-api.ts';
import { type JsonSchema, jsonSchemaFrom } from './json-schema.ts';
import { PROBLEM_MEDIA_TYPE } from './problem.ts';

type Operation = {
  readonly method: 'get' | 'post';
  readonly path: string;
  readonly summary: string;
  readonly body?: v.GenericSchema;
  readonly isBodyOptional?: true;
  readonly answer: { readonly ref: keyof typeof ANSWERS; readonly mediaType: string };
  /** Answered instead of a body where there is nothing to say. */
  readonly mayBeEmpty?: true;
  /** Has an ETag, and is not sent again to who holds it (If-None-Match). */
  readonly isCached?: true;
};

const JSON_TYPE = 'application/json';
const VIEW = { ref: 'View', mediaType: JSON_TYPE } as const;
export const ANSWERS = {
  View: viewAnswer,
  Terms: termsAnswer,
  Offer: offerAnswer,
  Receipt: receiptAnswer,
  Deposit: depositAnswer,
  Challenge: challengeAnswer,
  Tick: tickAnswer,
  Faucet: faucetAnswer,
  Balance: balanceAnswer,
  CaptiveState: captiveAnswer,
  Problem: problemAnswer,
};

export const OPERATIONS: readonly Operation[] = [
  {
    method: 'get',
    path: '/captive-portal/api',
    summary: 'Captive portal state (RFC 8908)',
    answer: { ref: 'CaptiveState', mediaType: CAPTIVE_MEDIA_TYPE },
  },
  { method: 'get', path: '/api/view', summary: "The guest's view", answer: VIEW },
  {
    method: 'get',
    path: '/api/quote',
    summary: 'Signed quote and all that a wallet needs',
    answer: { ref: 'Terms', mediaType: JSON_TYPE },
  },
  {
    method: 'get',
    path: '/v1/offer',
    summary: 'What this node sells, signed by it (EIP-712 ServiceOffer); for anyone, with ETag',
    answer: { ref: 'Offer', mediaType: JSON_TYPE },
    isCached: true,
  },
  {
    method: 'get',
    path: '/api/receipt',
    summary: 'Receipt of the channel so far, signed by the router (EIP-712 UsageReceipt)',
    answer: { ref: 'Receipt', mediaType: JSON_TYPE },
  },
  {
    method: 'get',
    path: '/api/deposit',
    summary:
      "What the payer's own wallet is to send for a channel that waits for its deposit (EIP-681, eth_sendTransaction)",
    answer: { ref: 'Deposit', mediaType: JSON_TYPE },
  },
  {
    method: 'get',
    path: '/api/events',
    summary: 'Views as server-sent events, "event: view"',
    answer: { ref: 'View', mediaType: 'text/event-stream' },
  },
  {
    method: 'post',
    path: '/api/open',
    summary: 'Open a channel; waits for the block',
    body: openRequestSchema,
    answer: VIEW,
  },
  { method: 'post', path: '/api/voucher', summary: 'Pay: a cumulative voucher', body: voucherSchema, answer: VIEW },
  {
    method: 'post',
    path: '/api/tick-voucher',
    summary: 'Begin a chain of ticks',
    body: tickVoucherSchema,
    answer: VIEW,
  },
  {
    method: 'post',
    path: '/api/tick',
    summary: 'Pay: one coin of the chain',
    body: tickSchema,
    answer: { ref: 'Tick', mediaType: JSON_TYPE },
  },
  {
    method: 'post',
    path: '/api/challenge',
    summary: 'A challenge to take up a running session with',
    body: challengeRequestSchema,
    answer: { ref: 'Challenge', mediaType: JSON_TYPE },
    mayBeEmpty: true,
  },
  {
    method: 'post',
    path: '/api/balance',
    summary: 'What a pass code or a ticket holds on chain',
    body: challengeRequestSchema,
    answer: { ref: 'Balance', mediaType: JSON_TYPE },
  },
  {
    method: 'post',
    path: '/api/faucet',
    summary: 'Test SSP for a ticket, on a development chain only; 404 elsewhere',
    body: challengeRequestSchema,
    answer: { ref: 'Faucet', mediaType: JSON_TYPE },
  },
  { method: 'post', path: '/api/attach', summary: 'This device joins the session', body: attachSchema, answer: VIEW },
  {
    method: 'post',
    path: '/api/trial',
    summary: 'Start the free trial',
    body: trialRequestSchema,
    isBodyOptional: true,
    answer: VIEW,
  },
  { method: 'post', path: '/api/pause', summary: 'Pause: no packet passes, no time is charged', answer: VIEW },
  { method: 'post', path: '/api/resume', summary: 'Go on after a pause', answer: VIEW },
  { method: 'post', path: '/api/leave', summary: 'Finish; the rest of the deposit comes back', answer: VIEW },
];

/** The document as JSON text, the same at every call. */
export function openApiText(): string {
  const paths: Record<string, Record<string, JsonSchema>> = {};
  for (const operation of OPERATIONS) {
    paths[operation.path] = { ...paths[operation.path], [operation.method]: operationJson(operation) };
  }
  const schemas = Object.fromEntries(Object.entries(ANSWERS).map(([name, schema]) => [name, jsonSchemaFrom(schema)]));
  const info = {
    title: "SSP ShareAgent, the guest's API",
    version: '1',
    description: 'The guest is whoever the kernel says sent the packet; there is no login. See docs/portal.md.',
  };
  const servers = [{ url: 'http://portal.lan' }];
  return `${JSON.stringify({ openapi: '3.1.1', info, servers, paths, components: { schemas } }, undefined, 1)}\n`;
}

function operationJson({ summary, body, isBodyOptional, answer, mayBeEmpty, isCached }: Operation): JsonSchema {
  const content = { [answer.mediaType]: { schema: { $ref: `#/components/schemas/${answer.ref}` } } };
  const problem = { [PROBLEM_MEDIA_TYPE]: { schema: { $ref: '#/components/schemas/Problem' } } };
  return {
    summary,
    ...(body !== undefined && {
      requestBody: { required: isBodyOptional !== true, content: { [JSON_TYPE]: { schema: jsonSchemaFrom(body) } } },
    }),
    responses: {
      200: { description: summary, content },
      ...(mayBeEmpty && { 204: { description: 'There is none.' } }),
      ...(isCached && { 304: { description: 'As it was (If-None-Match).' } }),
      default: { description: 'Refused (RFC 9457)', content: problem },
    },
  };
}
