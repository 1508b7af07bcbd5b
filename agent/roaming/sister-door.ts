/**
 * Where sisters ask: a small HTTP server on the management network. Each request is signed by a router of the list; what is not
 * is refused before anything is looked up, so that an open port tells a stranger nothing. Who asks more often than a router
 * with a house full of guests would is not listened to for a while: each question costs a check of a signature.
 */
import { type FastifyInstance, type FastifyReply, fastify } from 'fastify';
import { carriedText, decodeQuery, decodeSignedCarried, servedText, takenText } from '../../protocol/hand-over-wire.ts';
import type { Decoded } from '../../protocol/schema.ts';
import type { SisterAnswer } from '../roaming-port.ts';
import { QuestionLimit } from './question-limit.ts';
import type { RoamingDesk } from './roaming-desk.ts';

/** A hand-over is about 1.5 KiB. */
const MAX_BODY_BYTES = 8_192;
const TIMEOUT_MS = 10_000;
/** A house of a hundred routers, each with a question at once. */
const MAX_CONNECTIONS = 128;

export function buildSisterDoor(desk: Pick<RoamingDesk, 'lookUp' | 'give' | 'take'>): FastifyInstance {
  const app = fastify({
    bodyLimit: MAX_BODY_BYTES,
    connectionTimeout: TIMEOUT_MS,
    requestTimeout: TIMEOUT_MS,
    forceCloseConnections: true,
  });
  app.server.maxConnections = MAX_CONNECTIONS;
  const limit = new QuestionLimit();
  app.addHook('onRequest', async (request, reply) => {
    if (limit.take(request.ip, performance.now())) return;
    await refuse(reply.header('retry-after', '8'), 429, 'too many questions from this address; ask again later');
  });
  const route = <In, Out>(
    path: string,
    decode: (input: unknown) => Decoded<In>,
    act: (value: In) => Promise<SisterAnswer<Out>>,
    encode: (value: Out) => string,
  ): void => {
    app.post(path, async (request, reply) => {
      const decoded = decode(request.body);
      if (!decoded.ok) return refuse(reply, 400, `${decoded.path} must be ${decoded.expected}, got ${decoded.got}`);
      const answer = await act(decoded.value);
      if (!answer.ok) return refuse(reply, 409, answer.message);
      return reply.type('application/json').send(encode(answer.value));
    });
  };
  route('/v1/roaming/look-up', decodeQuery, (query) => desk.lookUp(query), servedText);
  route(
    '/v1/roaming/give',
    decodeQuery,
    (query) => desk.give(query),
    ({ signature, ...carried }) => carriedText(carried, signature),
  );
  route('/v1/roaming/take', decodeSignedCarried, (carried) => desk.take(carried), takenText);
  return app;
}

function refuse(reply: FastifyReply, status: number, message: string): FastifyReply {
  return reply.code(status).send({ message });
}
