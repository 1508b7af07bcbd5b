/** The other routers of the owner over HTTP: signed JSON in, signed JSON out, one request after the other's time is bounded. */
import type { Address } from '../../protocol/address.ts';
import {
  carriedText,
  decodeServed,
  decodeSignedCarried,
  decodeTaken,
  queryText,
} from '../../protocol/hand-over-wire.ts';
import type { Decoded } from '../../protocol/schema.ts';
import type { SisterAnswer, Sisters } from '../roaming-port.ts';

export type SisterAddress = { readonly device: Address; readonly url: string };

/** A router whose kernel has to stop a session answers within a second; a guest waits for it. */
const TIMEOUT_MS = 4_000;
/** The largest answer is a hand-over of about 1.5 KiB. */
const MAX_ANSWER_CHARACTERS = 8_192;
/** What a sister says who has understood the question; any other status is that of something on the way, or of a busy one. */
const REFUSED = 409;

export function sisterHttp(sisters: readonly SisterAddress[], timeoutMs: number = TIMEOUT_MS): Sisters {
  const urlOf = new Map(sisters.map(({ device, url }) => [device, url.replace(/\/+$/, '')]));
  const send = async <T>(
    to: Address,
    path: string,
    body: string,
    decode: (input: unknown) => Decoded<T>,
  ): Promise<SisterAnswer<T>> => {
    const base = urlOf.get(to);
    if (base === undefined) return away(`no URL of ${to} is configured`);
    try {
      const headers = { 'content-type': 'application/json' };
      const signal = AbortSignal.timeout(timeoutMs);
      const response = await fetch(`${base}${path}`, { method: 'POST', headers, body, redirect: 'manual', signal });
      const text = await boundedText(response);
      const input: unknown = JSON.parse(text);
      if (response.status === REFUSED) return { ok: false, message: `${response.status}: ${messageIn(input)}` };
      if (response.status !== 200) return away(`${response.status}: ${messageIn(input)}`);
      const decoded = decode(input);
      if (decoded.ok) return decoded;
      return away(`${decoded.path} must be ${decoded.expected}, got ${decoded.got}`);
    } catch (cause) {
      return away(`${base} cannot be asked: ${reasonOf(cause)}`);
    }
  };
  return {
    addresses: sisters.map(({ device }) => device),
    lookUp: (query) => send(query.asked, '/v1/roaming/look-up', queryText(query), decodeServed),
    ask: (query) => send(query.asked, '/v1/roaming/give', queryText(query), decodeSignedCarried),
    bring: ({ signature, ...carried }) =>
      send(carried.handOver.to, '/v1/roaming/take', carriedText(carried, signature), decodeTaken),
  };
}

function away(message: string): SisterAnswer<never> {
  return { ok: false, message, isAway: true };
}

async function boundedText(response: Response): Promise<string> {
  let text = '';
  const decoder = new TextDecoder();
  for await (const chunk of response.body ?? []) {
    text += decoder.decode(chunk, { stream: true });
    if (text.length > MAX_ANSWER_CHARACTERS) throw new Error(`the answer is longer than ${MAX_ANSWER_CHARACTERS}`);
  }
  return text;
}

/** Printable and short: it ends up in a log. */
function messageIn(input: unknown): string {
  const message = typeof input === 'object' && input !== null && 'message' in input ? String(input.message) : '';
  return message.slice(0, 200).replace(/[^\x20-\x7e]/g, '?');
}

function reasonOf(cause: unknown): string {
  if (!(cause instanceof Error)) return String(cause);
  return cause.cause instanceof Error ? `${cause.message} (${cause.cause.message})` : cause.message;
}
