/**
 * The captive portal: a Fastify app that answers probes, the captive portal API, the guest's page and its JSON API.
 * It takes no decision about money or traffic (the desk does), believes no header about who the guest is (the kernel says),
 * and does not listen: the composition root does, on the guest interface only.
 *
 * @see RFC 8908, RFC 8952, RFC 9457
 */
import type { Server } from 'node:http';
import type { Socket } from 'node:net';
import Fastify, { type FastifyError, type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify';
import type { Clock, GuestDesk, GuestView } from '../agent/ports.ts';
import { ANSWER_HEADERS } from './answer-headers.ts';
import { acceptsCaptiveJson, CAPTIVE_MEDIA_TYPE, captiveState, captiveUrls } from './captive-api.ts';
import { answerClientError } from './client-error.ts';
import { capConnections } from './connection-caps.ts';
import { EventStreams } from './event-streams.ts';
import { FastLane } from './fast-lane.ts';
import { addFaucet } from './faucet-route.ts';
import { addForms } from './forms.ts';
import { admit, portalUrl, redirectBody } from './gate.ts';
import { addGuestApi } from './guest-api.ts';
import { MalformedBodyError, parseJsonBody } from './json-body.ts';
import * as limits from './limits.ts';
import { addOffer } from './offer-route.ts';
import { readOwnerFiles } from './owner-look.ts';
import type { PageAssets } from './page-assets.ts';
import { capPipelines, parseInSlices } from './pipeline-cap.ts';
import type { PortalConfig } from './portal-config.ts';
import type { PortalContext, PortalLog } from './portal-context.ts';
import { type Problem, sendProblem } from './problem.ts';
import { RateLimit } from './rate-limit.ts';
import { apiSchema, MalformedRequestError, useSchemas } from './route-schemas.ts';
import { addStaticPage } from './static-page.ts';

/** Phases that nobody is in for nothing: a payment that is only claimed may fail. */
const PAID: ReadonlySet<GuestView['phase']> = new Set<GuestView['phase']>(['active', 'closing', 'settled']);

export type PortalDeps = {
  readonly desk: GuestDesk;
  /** An AgentConfig will do. */
  readonly config: PortalConfig;
  readonly page: PageAssets;
  readonly clock: Clock;
  readonly log: PortalLog;
  /** True while the connections handed to it may be https (TlsDoor); never if left out. */
  readonly isSecure?: () => boolean;
  /** Gives test SSP to an address; on every chain that is not for development it refuses. None if left out. */
  readonly faucet?: PortalContext['faucet'];
};

/** An app that is ready to listen or to be injected into; close() ends event streams and connections. */
export function buildPortal(deps: PortalDeps): FastifyInstance {
  const { desk, config, page, clock, log, faucet, isSecure = () => false } = deps;
  const files = readOwnerFiles(config.portal);
  if (files.problems.length > 0)
    log.warn({ folder: config.portal.folder, problems: files.problems }, 'portal-files-unusable');
  const given = faucet === undefined ? {} : { faucet };
  const context: PortalContext = { desk, config, clock, log, rate: new RateLimit(), files, isSecure, ...given };
  const { host } = config.portal;
  const app = Fastify({
    logger: false,
    trustProxy: false,
    bodyLimit: limits.MAX_BODY_BYTES,
    requestTimeout: limits.REQUEST_TIMEOUT_MS,
    keepAliveTimeout: limits.KEEP_ALIVE_MS,
    connectionTimeout: limits.SOCKET_IDLE_MS,
    forceCloseConnections: true,
    http: {
      headersTimeout: limits.HEADERS_TIMEOUT_MS,
      connectionsCheckingInterval: limits.CONNECTION_CHECK_MS,
      maxHeaderSize: limits.MAX_HEADER_BYTES,
    },
    clientErrorHandler: answerClientError,
    frameworkErrors: (_error, request, reply) => void passGate(request, reply, host, { reason: 'malformed' }),
  });
  const streams = new EventStreams(desk);
  const lane = new FastLane();
  putBefore(app.server, (socket, next) => lane.take(socket, next));
  capPipelines(app.server);
  capConnections(app.server, {
    identify: (address) => desk.identify(address),
    hasPaid: (mac) => PAID.has(desk.view(mac).phase),
  });
  app.addHook('onRequest', async (request, reply) => passGate(request, reply, host));
  app.addHook('preClose', (done) => {
    streams.close();
    lane.close();
    // Fastify does so only for a server that listens itself; this one may be handed its connections.
    app.server.closeAllConnections();
    done();
  });
  addBodyParsers(app);
  useSchemas(app);
  app.setErrorHandler((error: FastifyError, request, reply) => sendProblem(reply, problemOfError(error, request, log)));
  app.setNotFoundHandler((request, reply) =>
    /^\/(api|captive-portal)(\/|$)/.test(request.url)
      ? sendProblem(reply, { reason: 'not-found' })
      : redirectToPage(reply, host),
  );
  addStaticPage(app, page, config.portal, files, lane);
  addCaptiveApi(app, context);
  addGuestApi(app, context, streams);
  addFaucet(app, context);
  addOffer(app, desk);
  addForms(app, context);
  return app;
}

/** Lets `front` have each connection before the HTTP server, which gets what is left of it. Refused ones it never sees. */
function putBefore(server: Server, front: (socket: Socket, next: (socket: Socket) => void) => void): void {
  const [serve] = server.listeners('connection') as [(this: Server, socket: Socket) => void];
  server.removeListener('connection', serve);
  // In the next turn: those who count connections may refuse it in this one.
  server.on('connection', (socket: Socket) => {
    process.nextTick(() => {
      if (socket.destroyed) return;
      front(socket, (left) => {
        serve.call(server, left);
        parseInSlices(left);
      });
    });
  });
}

/** Answers what is not for the portal, or not in order; returns undefined if the request may go on. */
function passGate(
  request: FastifyRequest,
  reply: FastifyReply,
  host: string,
  otherwise?: Problem,
): FastifyReply | undefined {
  void reply.headers(ANSWER_HEADERS);
  const admission = admit(request.raw, host);
  switch (admission.kind) {
    case 'elsewhere':
      return redirectToPage(reply, host);
    case 'refused':
      return sendProblem(reply, { reason: admission.reason });
    case 'admitted':
      return otherwise === undefined ? undefined : sendProblem(reply, otherwise);
    default:
      return admission satisfies never;
  }
}

/** 302 for probes and strays. Closing the connection makes the browser look up and connect anew once the guest is online. */
function redirectToPage(reply: FastifyReply, host: string): FastifyReply {
  return reply
    .code(302)
    .header('location', portalUrl(host))
    .header('connection', 'close')
    .type('text/html; charset=utf-8')
    .send(redirectBody(host));
}

function addCaptiveApi(app: FastifyInstance, { desk, config, isSecure }: PortalContext): void {
  const { host } = config.portal;
  const schema = apiSchema('get', '/captive-portal/api');
  app.get('/captive-portal/api', { schema }, async (request, reply) => {
    void reply.header('vary', 'accept');
    if (!acceptsCaptiveJson(request.headers.accept)) return redirectToPage(reply, host);
    const mac = await desk.identify(request.socket.remoteAddress ?? '');
    const urls = captiveUrls(config.portal, isSecure());
    const state = captiveState(urls, mac === undefined ? undefined : desk.view(mac));
    return reply.type(CAPTIVE_MEDIA_TYPE).send(Buffer.from(JSON.stringify(state)));
  });
}

function addBodyParsers(app: FastifyInstance): void {
  app.removeAllContentTypeParsers();
  app.addContentTypeParser('application/json', { parseAs: 'string' }, (_request, body, done) => {
    try {
      done(null, parseJsonBody(String(body)));
    } catch (error) {
      done(error as Error);
    }
  });
  app.addContentTypeParser('application/x-www-form-urlencoded', { parseAs: 'string' }, (_request, body, done) =>
    done(null, new URLSearchParams(String(body))),
  );
}

/** What a thrown error tells the guest. Anything not expected is logged here, once, and told as "internal". */
function problemOfError(error: FastifyError, request: FastifyRequest, log: PortalLog): Problem {
  if (error instanceof MalformedBodyError) return { reason: 'malformed', expected: 'JSON', got: error.got };
  if (error instanceof MalformedRequestError) {
    const { path, expected, got } = error.refusal;
    return { reason: 'malformed', expected: `${path}: ${expected}`, got };
  }
  switch (error.code) {
    case 'FST_ERR_CTP_BODY_TOO_LARGE':
      return { reason: 'too-large', expected: `at most ${limits.MAX_BODY_BYTES} bytes`, got: 'more' };
    case 'FST_ERR_CTP_INVALID_MEDIA_TYPE':
      return { reason: 'unsupported-media-type', expected: 'application/json', got: 'another media type' };
    case 'FST_ERR_CTP_INVALID_CONTENT_LENGTH':
      return { reason: 'malformed', expected: 'a body as long as Content-Length says', got: 'another length' };
    case 'ECONNRESET':
      // Hung up before its body had come: nobody hears the answer, and a guest must not be able to fill the log.
      return { reason: 'malformed' };
    default:
      log.error({ err: error, method: request.method, route: request.routeOptions.url }, 'portal-request-failed');
      return { reason: 'internal' };
  }
}
