/**
 * Holds every answer of a portal to the schema that its route declares. Fails closed: an answer that its schema does not allow, or that
 * none describes, becomes 500 with nothing of it, and fails the test file even where the test did not look at the answer.
 */
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import * as v from 'valibot';
import { problemAnswer } from '../../../captive-portal/answer-schemas.ts';
import { PROBLEM_MEDIA_TYPE } from '../../../captive-portal/problem.ts';

type Responses = Readonly<Record<string, v.GenericSchema>>;

/** `report` hears of each untrue answer; unless given, it ends the test file as failed. */
export function holdToSchemas(app: FastifyInstance, report: (untrue: string) => void = failFile): void {
  app.addHook('onSend', (request, reply, payload, done) => {
    const untrue = untruthOf(request, reply, payload);
    if (untrue === undefined) return done(null, payload);
    const said = `${request.method} ${request.url} answered ${reply.statusCode}: ${untrue}`;
    report(said);
    void reply.code(500).type('text/plain');
    done(null, said);
  });
}

/** What is wrong with an answer; undefined if it is as declared. */
function untruthOf(request: FastifyRequest, reply: FastifyReply, payload: unknown): string | undefined {
  const { statusCode } = reply;
  // Probes and strays: the one answer that is no route's. Its place is the test's business.
  if (statusCode === 302) return reply.getHeader('location') === undefined ? 'a redirect to nowhere' : undefined;
  if (request.method === 'HEAD') return undefined;
  const responses = (request.routeOptions.schema?.response ?? {}) as Responses;
  const isRefusal = statusCode >= 400;
  const declared = responses[statusCode] ?? responses[`${Math.floor(statusCode / 100)}xx`];
  // What has no route is answered by the portal itself, always as a problem.
  const schema = declared ?? (isRefusal && request.routeOptions.url === undefined ? problemAnswer : undefined);
  if (schema === undefined) return 'its route declares no such status';
  const isProblem = schema === problemAnswer;
  if (isProblem && reply.getHeader('content-type') !== PROBLEM_MEDIA_TYPE) return 'a problem of another media type';
  const result = v.safeParse(schema, read(schema, payload));
  return result.success
    ? undefined
    : result.issues.map((issue) => `${v.getDotPath(issue)}: ${issue.message}`).join('; ');
}

/** The payload as its schema means it: bytes of a file, text, nothing, or JSON. */
function read(schema: v.GenericSchema, payload: unknown): unknown {
  if (schema.type === 'instance') return payload;
  const text = String(payload ?? '');
  if (schema.type === 'null') return text === '' ? null : text;
  return schema.type === 'string' ? text : (JSON.parse(text) as unknown);
}

function failFile(untrue: string): void {
  process.exitCode = 1;
  process.once('exit', () => {
    process.exitCode = 1;
  });
  process.stderr.write(`An answer is not what its schema says. ${untrue}\n`);
}
