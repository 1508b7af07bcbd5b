/**
 * The JSON API under /api: what the guest's page, and any program of a guest's, may ask. Bodies are decoded by the
 * protocol's schemas; every answer is the guest's view or a problem.
 */
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { Mac } from '../agent/core/model.ts';
import type { DeskResult } from '../agent/ports.ts';
import { decodeAttach, decodeChallengeRequest } from '../protocol/attach-wire.ts';
import { decodeOpenRequest } from '../protocol/open-wire.ts';
import type { Decoded } from '../protocol/schema.ts';
import { decodeTick, decodeTickVoucher } from '../protocol/tick-wire.ts';
import { decodeTrialRequest } from '../protocol/trial-wire.ts';
import { usageReceiptJson } from '../protocol/usage-receipt.ts';
import { decodeVoucher } from '../protocol/voucher-wire.ts';
import type { EventStreams } from './event-streams.ts';
import { openApiText } from './openapi.ts';
import { freshTerms, guestOf, type PortalContext, problemOfRefusal, ratedGuestOf } from './portal-context.ts';
import { sendProblem } from './problem.ts';
import { challengeJson, viewJsonFromView } from './view-json.ts';

export function addGuestApi(app: FastifyInstance, context: PortalContext, streams: EventStreams): void {
  const { desk } = context;
  app.get('/api/view', async (request, reply) => {
    const guest = await guestOf(context, request);
    return guest.ok ? sendJson(reply, viewJsonFromView(desk.view(guest.mac))) : sendProblem(reply, guest.problem);
  });
  app.get('/api/quote', async (request, reply) => {
    const guest = await ratedGuestOf(context, request);
    if (!guest.ok) return sendProblem(reply, guest.problem);
    const terms = freshTerms(context);
    return terms === undefined ? sendProblem(reply, { reason: 'not-selling' }) : sendJson(reply, terms);
  });
  app.get('/api/receipt', async (request, reply) => {
    const guest = await ratedGuestOf(context, request);
    if (!guest.ok) return sendProblem(reply, guest.problem);
    const receipt = desk.receipt(guest.mac);
    if (receipt === undefined) return sendProblem(reply, { reason: 'unknown-channel' });
    // Saved under this name by a plain link as well.
    void reply.header('content-disposition', 'inline; filename="ssp-wifi-receipt.json"');
    return sendJson(reply, usageReceiptJson(receipt));
  });
  app.get('/api/openapi.json', (_request, reply) => reply.type('application/json').send(Buffer.from(openApiText())));
  app.get('/api/events', { exposeHeadRoute: false }, async (request, reply) => {
    const guest = await guestOf(context, request);
    if (!guest.ok) return sendProblem(reply, guest.problem);
    if (!streams.hasRoomFor(guest.mac)) return sendProblem(reply, { reason: 'too-many-streams' });
    void reply.header('content-type', 'text/event-stream').hijack();
    for (const [name, value] of Object.entries(reply.getHeaders())) reply.raw.setHeader(name, value ?? '');
    streams.open(guest.mac, reply.raw);
    return reply;
  });
  addAction(app, context, '/api/open', decodeOpenRequest, (mac, open) => desk.open(mac, open));
  addAction(app, context, '/api/voucher', decodeVoucher, (mac, voucher) => desk.voucher(mac, voucher));
  addAction(app, context, '/api/tick-voucher', decodeTickVoucher, (mac, voucher) => desk.tickVoucher(mac, voucher));
  addPost(app, context, '/api/tick', decodeTick, (mac, { channelId, tick }, reply) => {
    const result = desk.tick(mac, channelId, tick);
    if (!result.ok) return sendProblem(reply, problemOfRefusal(result));
    return sendJson(reply, { promisedUnits: result.promisedUnits.toString() });
  });
  addPost(app, context, '/api/challenge', decodeChallengeRequest, async (mac, { signer }, reply) => {
    const result = await desk.challenge(mac, signer);
    if (result.ok) return sendJson(reply, challengeJson(result, context.config));
    // No session of this key is what every first payment meets: nothing went wrong, and no browser shall say so.
    if (result.reason === 'unknown-channel') return reply.code(204).send();
    return sendProblem(reply, problemOfRefusal(result));
  });
  addAction(app, context, '/api/attach', decodeAttach, (mac, attach) => desk.attach(mac, attach));
  addAction(app, context, '/api/trial', decodeTrialRequest, (mac, { key }) => desk.startTrial(mac, key));
  addAction(app, context, '/api/pause', decodeNothing, (mac) => desk.pause(mac));
  addAction(app, context, '/api/resume', decodeNothing, (mac) => desk.resume(mac));
  addAction(app, context, '/api/leave', decodeNothing, (mac) => desk.leave(mac));
}

/** A POST that changes something: answered with the guest's view, or the refusal. */
function addAction<T>(
  app: FastifyInstance,
  context: PortalContext,
  url: string,
  decode: (body: unknown) => Decoded<T>,
  act: (mac: Mac, value: T) => Promise<DeskResult>,
): void {
  addPost(app, context, url, decode, async (mac, value, reply) => {
    const result = await act(mac, value);
    return result.ok ? sendJson(reply, viewJsonFromView(result.view)) : sendProblem(reply, problemOfRefusal(result));
  });
}

/** A POST: identify, limit, decode; what is left is `answer`'s. */
function addPost<T>(
  app: FastifyInstance,
  context: PortalContext,
  url: string,
  decode: (body: unknown) => Decoded<T>,
  answer: (mac: Mac, value: T, reply: FastifyReply) => FastifyReply | Promise<FastifyReply>,
): void {
  app.post(url, async (request: FastifyRequest, reply: FastifyReply) => {
    const guest = await ratedGuestOf(context, request);
    if (!guest.ok) return sendProblem(reply, guest.problem);
    const decoded = decode(request.body);
    if (!decoded.ok) {
      const path = decoded.path === '' ? 'body' : decoded.path;
      return sendProblem(reply, { reason: 'malformed', expected: `${path}: ${decoded.expected}`, got: decoded.got });
    }
    return answer(guest.mac, decoded.value, reply);
  });
}

/** Actions without parameters take no body, or an empty object. */
function decodeNothing(body: unknown): Decoded<undefined> {
  const isNothing = body === undefined || body === null || (typeof body === 'object' && Object.keys(body).length === 0);
  return isNothing ? { ok: true, value: undefined } : { ok: false, path: '', expected: 'no body', got: 'a body' };
}

function sendJson(reply: FastifyReply, value: object): FastifyReply {
  return reply.type('application/json').send(Buffer.from(JSON.stringify(value)));
}
