/**
 * The JSON API under /api: what the guest's page, and any program of a guest's, may ask. Bodies are decoded by the
 * protocol's schemas; every answer is the guest's view or a problem.
 */
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type * as v from 'valibot';
import type { Mac } from '../agent/core/model.ts';
import type { DeskRefusal, DeskResult } from '../agent/ports.ts';
import { attachSchema, challengeRequestSchema } from '../protocol/attach-wire.ts';
import { openRequestSchema } from '../protocol/open-wire.ts';
import { tickSchema, tickVoucherSchema } from '../protocol/tick-wire.ts';
import { trialRequestSchema } from '../protocol/trial-wire.ts';
import { usageReceiptJson } from '../protocol/usage-receipt.ts';
import { voucherSchema } from '../protocol/voucher-wire.ts';
import { depositJson } from './deposit-json.ts';
import type { EventStreams } from './event-streams.ts';
import { openApiText } from './openapi.ts';
import { freshTerms, guestOf, type PortalContext, problemOfRefusal, ratedGuestOf } from './portal-context.ts';
import { sendProblem } from './problem.ts';
import { apiSchema, DOCUMENT_SCHEMA, NOTHING } from './route-schemas.ts';
import { challengeJson, viewJsonFromView } from './view-json.ts';

/** Of a desk that asks no chain. */
const UNKNOWN_BALANCE: DeskRefusal = { ok: false, reason: 'not-checked', expected: 'a chain to ask', got: 'none' };

export function addGuestApi(app: FastifyInstance, context: PortalContext, streams: EventStreams): void {
  const { desk } = context;
  app.get('/api/view', { schema: apiSchema('get', '/api/view') }, async (request, reply) => {
    const guest = await guestOf(context, request);
    return guest.ok ? sendJson(reply, viewJsonFromView(desk.view(guest.mac))) : sendProblem(reply, guest.problem);
  });
  app.get('/api/quote', { schema: apiSchema('get', '/api/quote') }, async (request, reply) => {
    const guest = await ratedGuestOf(context, request);
    if (!guest.ok) return sendProblem(reply, guest.problem);
    const terms = freshTerms(context);
    return terms === undefined ? sendProblem(reply, { reason: 'not-selling' }) : sendJson(reply, terms);
  });
  app.get('/api/receipt', { schema: apiSchema('get', '/api/receipt') }, async (request, reply) => {
    const guest = await ratedGuestOf(context, request);
    if (!guest.ok) return sendProblem(reply, guest.problem);
    const receipt = desk.receipt(guest.mac);
    if (receipt === undefined) return sendProblem(reply, { reason: 'unknown-channel' });
    // Saved under this name by a plain link as well.
    void reply.header('content-disposition', 'inline; filename="ssp-wifi-receipt.json"');
    return sendJson(reply, usageReceiptJson(receipt));
  });
  app.get('/api/deposit', { schema: apiSchema('get', '/api/deposit') }, async (request, reply) => {
    const guest = await ratedGuestOf(context, request);
    if (!guest.ok) return sendProblem(reply, guest.problem);
    const deposit = desk.deposit(guest.mac);
    if (deposit === undefined) return sendProblem(reply, { reason: 'unknown-channel' });
    return sendJson(reply, depositJson(deposit, context.config));
  });
  app.get('/api/openapi.json', { schema: DOCUMENT_SCHEMA }, (_request, reply) =>
    reply.type('application/json').send(Buffer.from(openApiText())),
  );
  const schema = apiSchema('get', '/api/events');
  app.get('/api/events', { schema, exposeHeadRoute: false }, async (request, reply) => {
    const guest = await guestOf(context, request);
    if (!guest.ok) return sendProblem(reply, guest.problem);
    if (!streams.hasRoomFor(guest.mac)) return sendProblem(reply, { reason: 'too-many-streams' });
    void reply.header('content-type', 'text/event-stream').hijack();
    for (const [name, value] of Object.entries(reply.getHeaders())) reply.raw.setHeader(name, value ?? '');
    streams.open(guest.mac, reply.raw);
    return reply;
  });
  addAction(app, context, '/api/open', openRequestSchema, (mac, open) => desk.open(mac, open));
  addAction(app, context, '/api/voucher', voucherSchema, (mac, voucher) => desk.voucher(mac, voucher));
  addAction(app, context, '/api/tick-voucher', tickVoucherSchema, (mac, voucher) => desk.tickVoucher(mac, voucher));
  addPost(app, context, '/api/tick', tickSchema, (mac, { channelId, tick }, reply) => {
    const result = desk.tick(mac, channelId, tick);
    if (!result.ok) return sendProblem(reply, problemOfRefusal(result));
    return sendJson(reply, { promisedUnits: result.promisedUnits.toString() });
  });
  addPost(app, context, '/api/challenge', challengeRequestSchema, async (mac, { signer }, reply) => {
    const result = await desk.challenge(mac, signer);
    if (result.ok) return sendJson(reply, challengeJson(result, context.config));
    // No session of this key is what every first payment meets: nothing went wrong, and no browser shall say so.
    if (result.reason === 'unknown-channel') return reply.code(204).send();
    return sendProblem(reply, problemOfRefusal(result));
  });
  addPost(app, context, '/api/balance', challengeRequestSchema, async (_mac, { signer }, reply) => {
    const result = (await desk.balance?.(signer)) ?? UNKNOWN_BALANCE;
    if (!result.ok) return sendProblem(reply, problemOfRefusal(result));
    return sendJson(reply, { units: result.units.toString() });
  });
  addAction(app, context, '/api/attach', attachSchema, (mac, attach) => desk.attach(mac, attach));
  addAction(app, context, '/api/trial', trialRequestSchema, (mac, { key }) => desk.startTrial(mac, key));
  addAction(app, context, '/api/pause', NOTHING, (mac) => desk.pause(mac));
  addAction(app, context, '/api/resume', NOTHING, (mac) => desk.resume(mac));
  addAction(app, context, '/api/leave', NOTHING, (mac) => desk.leave(mac));
}

/** A POST that changes something: answered with the guest's view, or the refusal. */
function addAction<Body extends v.GenericSchema>(
  app: FastifyInstance,
  context: PortalContext,
  url: string,
  body: Body,
  act: (mac: Mac, value: v.InferOutput<Body>) => Promise<DeskResult>,
): void {
  addPost(app, context, url, body, async (mac, value, reply) => {
    const result = await act(mac, value);
    return result.ok ? sendJson(reply, viewJsonFromView(result.view)) : sendProblem(reply, problemOfRefusal(result));
  });
}

/** A POST: identify and limit, then Fastify decodes the body by its schema; what is left is `answer`'s. */
function addPost<Body extends v.GenericSchema>(
  app: FastifyInstance,
  context: PortalContext,
  url: string,
  body: Body,
  answer: (mac: Mac, value: v.InferOutput<Body>, reply: FastifyReply) => FastifyReply | Promise<FastifyReply>,
): void {
  const guests = new WeakMap<FastifyRequest, Mac>();
  const identify = async (request: FastifyRequest, reply: FastifyReply) => {
    const guest = await ratedGuestOf(context, request);
    if (!guest.ok) return sendProblem(reply, guest.problem);
    guests.set(request, guest.mac);
    return undefined;
  };
  app.post(url, { schema: apiSchema('post', url, body), preValidation: identify }, async (request, reply) =>
    answer(guests.get(request) as Mac, request.body as v.InferOutput<Body>, reply),
  );
}

function sendJson(reply: FastifyReply, value: object): FastifyReply {
  return reply.type('application/json').send(Buffer.from(JSON.stringify(value)));
}
