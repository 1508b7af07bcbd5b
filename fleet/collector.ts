/**
 * The collector's HTTP side (docs/collector.md). POST /v1/proofs takes one upload (deterministic CBOR) and answers with a
 * signed receipt, once the upload is durable, whatever the verdict; POST /v1/proofs/bulk takes many. GET lists verdicts, a
 * device's chain, and evidence of cloning.
 *
 * A failure is {"error":{"code":..,"message":..}}. Errors of our own are logged, never told.
 */
import type { ServerOptions } from 'node:https';
import { type FastifyBaseLogger, type FastifyError, type FastifyInstance, type FastifyReply, fastify } from 'fastify';
import { MAX_UPLOAD_BYTES } from '../protocol/traffic-proof-wire.ts';
import { BodyRoom, type BodyRoomLimits, DEFAULT_BODY_ROOM } from './body-room.ts';
import { BULK_MEDIA_TYPE, decodeBulk, MAX_BULK_BYTES } from './bulk-body.ts';
import { addListings, type ListingDeps } from './collector-listings.ts';
import { isOutOfRoom } from './full-disk.ts';
import { takePlainPosts } from './plain-posts.ts';
import { type IntakeDeps, ProofIntake } from './proof-intake.ts';
import { ProofLogError } from './proof-log.ts';
import { batchReceiptJson, type ReceiptDeps } from './receipts.ts';
import { limitRegistry, type RegistryLimits, sourceOf } from './registry-limits.ts';
import {
  answerUpload,
  diskFullAnswer,
  errorAnswer,
  failedAnswer,
  laterAnswer,
  refusedAnswer,
  type UploadAnswer,
} from './upload-answer.ts';

export type CollectorDeps = IntakeDeps &
  ReceiptDeps &
  ListingDeps & {
    readonly logger?: FastifyBaseLogger;
    /** Certificate and key; without them the collector speaks plain HTTP, behind a proxy that does not. */
    readonly tls?: Pick<ServerOptions, 'cert' | 'key'>;
    readonly maxConnections?: number;
    /** Addresses or networks of proxies whose X-Forwarded-For is believed; nobody else's is. */
    readonly trustedProxies?: readonly string[];
    readonly bodyRoom?: BodyRoomLimits;
    readonly listingLimits?: Partial<RegistryLimits>;
    /** Where other routes need it too. */
    readonly intake?: ProofIntake;
  };

/** A router on a slow uplink may take this long for its largest upload; Fastify's default would wait for ever. */
const REQUEST_TIMEOUT_MS = 30_000;
/** Routers come back after minutes: an idle connection is dearer to keep than to make anew. */
const KEEP_ALIVE_MS = 10_000;
const DEFAULT_MAX_CONNECTIONS = 16_384;
/** A list may cost milliseconds, and asks for no key. */
const DEFAULT_LISTING_LIMITS: RegistryLimits = {
  source: { perS: 10, burst: 600 },
  all: { perS: 100, burst: 2000 },
};

export function buildCollector(deps: CollectorDeps): FastifyInstance {
  const app = openServer(deps);
  const { intake = new ProofIntake(deps) } = deps;
  app.removeAllContentTypeParsers();
  const asBytes = { parseAs: 'buffer' } as const;
  app.addContentTypeParser('application/cbor', asBytes, (_request, body, done) => done(null, body));
  const bulkOptions = { ...asBytes, bodyLimit: MAX_BULK_BYTES };
  app.addContentTypeParser(BULK_MEDIA_TYPE, bulkOptions, (_request, body, done) => done(null, body));
  app.setErrorHandler((error: FastifyError | ProofLogError, request, reply) =>
    send(reply, answerTo(error, request.log)),
  );
  const { bodyRoom = DEFAULT_BODY_ROOM, trustedProxies = [] } = deps;
  const room = new BodyRoom(bodyRoom);
  app.addHook('onRequest', (request, reply, done) => {
    if (room.enter(request.headers, sourceOf(request.ip), reply.raw)) done();
    else send(reply, laterAnswer(503, 'busy', 'Too many large uploads come at once.'));
  });
  app.setNotFoundHandler((request, reply) =>
    refuse(reply, 404, 'not-found', `There is no ${request.method} ${request.url.slice(0, 80)}.`),
  );
  app.post('/v1/proofs', async (request, reply) => {
    if (!(request.body instanceof Uint8Array)) return refuse(reply, 400, 'malformed', 'The body is empty.');
    return send(reply, await answerUpload(request.body, request.ip, intake, deps));
  });
  app.post('/v1/proofs/bulk', { bodyLimit: MAX_BULK_BYTES }, async (request, reply) => {
    if (!(request.body instanceof Uint8Array)) return refuse(reply, 400, 'malformed', 'The body is empty.');
    const bodies = decodeBulk(request.body);
    if (!bodies.ok) return send(reply, refusedAnswer({ ...bodies, reason: 'malformed' }));
    const results = await intake.takeAll(bodies.value, request.ip);
    return 'ok' in results ? send(reply, refusedAnswer(results)) : batchReceiptJson(results, deps);
  });
  app.register((scope, _options, done) => {
    limitRegistry(scope, { ...DEFAULT_LISTING_LIMITS, ...deps.listingLimits }, deps.monotonicMs);
    addListings(scope, deps, refuse);
    done();
  });
  app.get('/v1/health', (_request, reply) =>
    intake.hasFailed ? refuse(reply, 503, 'storage-failed', 'The collector must be restarted.') : { ok: true },
  );
  // Behind a proxy it takes Fastify to tell whose request it is.
  if (trustedProxies.length === 0) {
    takePlainPosts(app.server, bodyRoom.smallBytes, (body, ip) =>
      answerUpload(body, ip, intake, deps).catch((error: ProofLogError) => answerTo(error, app.log)),
    );
  }
  return app;
}

function openServer(deps: CollectorDeps): FastifyInstance {
  const { logger, tls, maxConnections = DEFAULT_MAX_CONNECTIONS, trustedProxies = [] } = deps;
  const options = {
    ...(logger === undefined ? {} : { loggerInstance: logger, disableRequestLogging: true }),
    bodyLimit: MAX_UPLOAD_BYTES,
    requestTimeout: REQUEST_TIMEOUT_MS,
    connectionTimeout: REQUEST_TIMEOUT_MS,
    keepAliveTimeout: KEEP_ALIVE_MS,
    forceCloseConnections: true,
    trustProxy: trustedProxies.length === 0 ? false : [...trustedProxies],
  };
  const app: FastifyInstance =
    tls === undefined
      ? fastify(options)
      : (fastify({ ...options, https: { ...tls, minVersion: 'TLSv1.3' } }) as unknown as FastifyInstance);
  app.server.maxConnections = maxConnections;
  return app;
}

/** Errors of our own are logged, never told. */
function answerTo(error: FastifyError | ProofLogError, log: FastifyBaseLogger): UploadAnswer {
  if (error instanceof ProofLogError) {
    log.error({ err: error }, 'upload not stored');
    return failedAnswer(error);
  }
  if (isOutOfRoom(error)) {
    log.error({ err: error }, 'disk full');
    return diskFullAnswer();
  }
  const status = error.statusCode ?? 500;
  if (status < 500) return errorAnswer(status, 'bad-request', error.message);
  log.error({ err: error }, 'request failed');
  return errorAnswer(500, 'internal', 'The collector failed; keep the upload and try again.');
}

function send(reply: FastifyReply, { status, retryAfterS, missing, json }: UploadAnswer): FastifyReply {
  if (retryAfterS !== undefined) reply.header('retry-after', retryAfterS);
  if (missing !== undefined) reply.header('ssp-missing', missing);
  return reply.code(status).send(json);
}

function refuse(reply: FastifyReply, status: number, code: string, message: string): FastifyReply {
  return send(reply, errorAnswer(status, code, message));
}
