/**
 * GET /v1/offer: what this node sells, signed by it; the same document that the collector has. Open to anyone on the guest
 * network, before any sale. The text is kept as long as the offer is the same one: a reader costs no signature.
 *
 * @see RFC 9110 section 13.1.2 (If-None-Match)
 */
import { createHash } from 'node:crypto';
import type { FastifyInstance } from 'fastify';
import type { GuestDesk } from '../agent/ports.ts';
import type { SignedServiceOffer } from '../protocol/service-offer.ts';
import { jsonFromServiceOffer } from '../protocol/service-offer-wire.ts';
import { sendProblem } from './problem.ts';
import { apiSchema } from './route-schemas.ts';

type Kept = { readonly offer: SignedServiceOffer; readonly text: string; readonly etag: string };

export function addOffer(app: FastifyInstance, desk: GuestDesk): void {
  let kept: Kept | undefined;
  app.get('/v1/offer', { schema: apiSchema('get', '/v1/offer') }, (request, reply) => {
    const offer = desk.offer?.();
    if (offer === undefined) {
      return sendProblem(reply, { reason: 'not-selling', expected: 'a clock that is set', got: 'none' });
    }
    if (kept?.offer !== offer) kept = keptFrom(offer);
    // May be kept, and is asked after each time: the portal of another place has the same name, and another offer.
    void reply.header('cache-control', 'no-cache').header('etag', kept.etag);
    if (namesTag(request.headers['if-none-match'], kept.etag)) return reply.code(304).send();
    return reply.type('application/json; charset=utf-8').send(kept.text);
  });
}

function keptFrom(offer: SignedServiceOffer): Kept {
  const text = JSON.stringify(jsonFromServiceOffer(offer));
  return { offer, text, etag: `"${createHash('sha256').update(text).digest('base64url').slice(0, 22)}"` };
}

function namesTag(header: string | undefined, etag: string): boolean {
  if (header === undefined) return false;
  const tags = header.split(',').map((tag) => tag.trim().replace(/^W\//, ''));
  return tags.includes(etag) || tags.includes('*');
}
