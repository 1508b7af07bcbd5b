/**
 * Plain form posts for browsers without JavaScript. Success is a 303 to the page: a sign-in sheet looks again whether it is
 * online only after a real navigation.
 */
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { Mac } from '../agent/core/model.ts';
import type { DeskResult } from '../agent/ports.ts';
import { type PurchaseResult, passFormFromBody, purchaseWithPassCode } from './pass-purchase.ts';
import { freshTerms, type PortalContext, problemOfRefusal, ratedGuestOf } from './portal-context.ts';
import { markProblem, type Problem } from './problem.ts';
import { FORM_SCHEMA, STATUS_SCHEMA } from './route-schemas.ts';
import { languageOf } from './static-page.ts';
import { statusPage } from './status-page.ts';

export function addForms(app: FastifyInstance, context: PortalContext): void {
  const { desk } = context;
  app.get('/status', { schema: STATUS_SCHEMA }, async (request, reply) => {
    const guest = await ratedGuestOf(context, request);
    return guest.ok
      ? sendStatus(context, request, reply, guest.mac)
      : sendRefusal(context, request, reply, guest.problem);
  });
  addForm(app, context, '/pass', (mac, body) => purchaseWithPassCode(context, mac, passFormFromBody(body)));
  addForm(app, context, '/trial', async (mac) => outcome(await desk.startTrial(mac)));
  addForm(app, context, '/pause', async (mac) => outcome(await desk.pause(mac)));
  addForm(app, context, '/resume', async (mac) => outcome(await desk.resume(mac)));
  addForm(app, context, '/leave', async (mac) => outcome(await desk.leave(mac)));
}

function addForm(
  app: FastifyInstance,
  context: PortalContext,
  url: string,
  act: (mac: Mac, body: unknown) => Promise<PurchaseResult>,
): void {
  app.post(url, { schema: FORM_SCHEMA }, async (request, reply) => {
    const guest = await ratedGuestOf(context, request);
    if (!guest.ok) return sendRefusal(context, request, reply, guest.problem);
    const result = await act(guest.mac, request.body);
    return result.ok
      ? reply.redirect(`/?lang=${languageOf(request).code}`, 303)
      : sendStatus(context, request, reply, guest.mac, result.problem);
  });
}

function sendStatus(
  context: PortalContext,
  request: FastifyRequest,
  reply: FastifyReply,
  mac: Mac,
  problem?: Problem,
): FastifyReply {
  const page = statusPage({
    portal: context.config.portal,
    files: context.files,
    language: languageOf(request),
    view: context.desk.view(mac),
    terms: freshTerms(context),
    ...(problem !== undefined && { problem }),
  });
  return sendPage(problem === undefined ? reply : markProblem(reply, problem), page);
}

/** For a device that is no guest or asks too often: no view, no quote, just what to do. */
function sendRefusal(
  { config, files }: PortalContext,
  request: FastifyRequest,
  reply: FastifyReply,
  problem: Problem,
): FastifyReply {
  const language = languageOf(request);
  const page = statusPage({ portal: config.portal, files, language, view: undefined, terms: undefined, problem });
  return sendPage(markProblem(reply, problem), page);
}

function sendPage(reply: FastifyReply, page: string): FastifyReply {
  return reply.type('text/html; charset=utf-8').send(page);
}

function outcome(result: DeskResult): PurchaseResult {
  return result.ok ? { ok: true } : { ok: false, problem: problemOfRefusal(result) };
}
