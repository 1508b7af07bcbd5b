/**
 * The collector's HTTP side. POST /v1/proofs takes one upload (deterministic CBOR) and answers with a signed receipt, once
 * the upload is durable, whatever the verdict. GET /v1/proofs?device= lists verdicts.
 *
 * A failure is {"error":{"code":..,"message":..}}. Errors of our own are logged, never told.
 */
import { type FastifyBaseLogger, type FastifyError, type FastifyInstance, type FastifyReply, fastify } from 'fastify';
import * as v from 'valibot';
import { receiptJsonFromReceipt } from '../protocol/receipt-wire.ts';
import { addressSchema, decode, uint64Schema } from '../protocol/schema.ts';
import { MAX_UPLOAD_BYTES } from '../protocol/traffic-proof-wire.ts';
import type { ProofIndex, VerdictRow } from './proof-index.ts';
import { type IntakeDeps, type IntakeResult, ProofIntake } from './proof-intake.ts';
import { ProofLogError } from './proof-log.ts';

type IntakeRefusal = Extract<IntakeResult, { ok: false }>;

export type CollectorDeps = IntakeDeps & { readonly logger?: FastifyBaseLogger };

/** A router on a slow uplink may take this long for its largest upload; Fastify's default would wait for ever. */
const REQUEST_TIMEOUT_MS = 30_000;
/** Routers come back after minutes: an idle connection is dearer to keep than to make anew. */
const KEEP_ALIVE_MS = 10_000;
const MAX_CONNECTIONS = 10_000;
const MAX_ROWS = 1000n;
/** Said to a router that is refused for now; it adds its own jitter. */
const RETRY_AFTER_S = 5;

const listSchema = v.strictObject({
  device: addressSchema,
  after: v.optional(uint64Schema, '0'),
  limit: v.optional(uint64Schema, '100'),
});

export function buildCollector(deps: CollectorDeps): FastifyInstance {
  const app: FastifyInstance = fastify({
    ...(deps.logger === undefined ? {} : { loggerInstance: deps.logger, disableRequestLogging: true }),
    bodyLimit: MAX_UPLOAD_BYTES,
    requestTimeout: REQUEST_TIMEOUT_MS,
    connectionTimeout: REQUEST_TIMEOUT_MS,
    keepAliveTimeout: KEEP_ALIVE_MS,
    forceCloseConnections: true,
  });
  app.server.maxConnections = MAX_CONNECTIONS;
  const intake = new ProofIntake(deps);
  app.removeAllContentTypeParsers();
  app.addContentTypeParser('application/cbor', { parseAs: 'buffer' }, (_request, body, done) => done(null, body));
  app.setErrorHandler(answerError);
  app.setNotFoundHandler((request, reply) =>
    refuse(reply, 404, 'not-found', `There is no ${request.method} ${request.url.slice(0, 80)}.`),
  );
  app.post('/v1/proofs', async (request, reply) => {
    if (!(request.body instanceof Uint8Array)) return refuse(reply, 400, 'malformed', 'The body is empty.');
    const result = await intake.take(request.body);
    return result.ok ? receiptJsonFromReceipt(result.receipt) : refuseUpload(reply, result);
  });
  app.get('/v1/proofs', (request, reply) => listVerdicts(deps.index, request.query, reply));
  app.get('/v1/health', (_request, reply) =>
    intake.hasFailed ? refuse(reply, 503, 'storage-failed', 'The collector must be restarted.') : { ok: true },
  );
  return app;
}

function refuseUpload(reply: FastifyReply, refusal: IntakeRefusal): FastifyReply {
  switch (refusal.reason) {
    case 'malformed': {
      const { path, expected, got } = refusal;
      return refuse(reply, 400, 'malformed', `${path || 'upload'}: expected ${expected}, got ${got}`);
    }
    case 'busy':
      return refuseForNow(reply, 'busy', 'Too many uploads wait.');
    case 'failed':
      return refuseForNow(reply, 'storage-failed', 'The collector cannot store uploads until it is restarted.');
    default:
      return refusal satisfies never;
  }
}

function listVerdicts(index: ProofIndex, query: unknown, reply: FastifyReply): FastifyReply | object {
  const decoded = decode(listSchema, query);
  if (!decoded.ok) {
    return refuse(
      reply,
      400,
      'bad-query',
      `${decoded.path || 'query'}: expected ${decoded.expected}, got ${decoded.got}`,
    );
  }
  const { device, after, limit } = decoded.value;
  if (limit < 1n || limit > MAX_ROWS)
    return refuse(reply, 400, 'bad-query', `limit: expected 1..${MAX_ROWS}, got ${limit}`);
  const rows = index.verdicts(device, after, Number(limit));
  const last = rows.at(-1);
  return { proofs: rows.map(jsonFromRow), next: last === undefined ? after.toString() : last.id.toString() };
}

/** Amounts, counts and times as decimal strings, like everywhere in the protocol's JSON. */
function jsonFromRow(row: VerdictRow): object {
  return Object.fromEntries(
    Object.entries(row).map(([name, value]) => [name, typeof value === 'bigint' ? value.toString() : value]),
  );
}

function answerError(
  error: FastifyError | ProofLogError,
  request: { readonly log: FastifyBaseLogger },
  reply: FastifyReply,
): FastifyReply {
  if (error instanceof ProofLogError) {
    request.log.error({ err: error }, 'upload not stored');
    return refuseForNow(reply, 'storage-failed', 'The upload could not be stored.');
  }
  const status = error.statusCode ?? 500;
  if (status < 500) return refuse(reply, status, 'bad-request', error.message);
  request.log.error({ err: error }, 'request failed');
  return refuse(reply, 500, 'internal', 'The collector failed; keep the upload and try again.');
}

function refuseForNow(reply: FastifyReply, code: string, message: string): FastifyReply {
  reply.header('retry-after', RETRY_AFTER_S);
  return refuse(reply, 503, code, `${message} Keep the upload and try again in ${RETRY_AFTER_S} s.`);
}

function refuse(reply: FastifyReply, status: number, code: string, message: string): FastifyReply {
  return reply.code(status).send({ error: { code, message } });
}
