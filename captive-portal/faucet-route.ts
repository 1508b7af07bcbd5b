/** POST /api/faucet: test SSP for a guest's ticket, on a development chain whose router's owner has set `portal.faucet`. */
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type * as v from 'valibot';
import type { FaucetResult } from '../agent/ports.ts';
import { challengeRequestSchema } from '../protocol/attach-wire.ts';
import { type PortalContext, ratedGuestOf } from './portal-context.ts';
import { type Problem, sendProblem } from './problem.ts';
import { apiSchema } from './route-schemas.ts';

export function addFaucet(app: FastifyInstance, context: PortalContext): void {
  const schema = apiSchema('post', '/api/faucet', challengeRequestSchema);
  const identify = async (request: FastifyRequest, reply: FastifyReply) => {
    const guest = await ratedGuestOf(context, request);
    return guest.ok ? undefined : sendProblem(reply, guest.problem);
  };
  app.post('/api/faucet', { schema, preValidation: identify }, async (request, reply) => {
    const { faucet, log } = context;
    if (faucet === undefined) return sendProblem(reply, { reason: 'not-found' });
    const result = await faucet((request.body as v.InferOutput<typeof challengeRequestSchema>).signer);
    if (!result.ok) {
      log.info({ reason: result.reason, message: result.message }, 'faucet-refused');
      return sendProblem(reply, problemOf(result));
    }
    return reply.type('application/json').send(Buffer.from(JSON.stringify({ units: `${result.units}` })));
  });
}

/** A chain that is not for development, or an owner who gives nothing: there is no such thing here. */
function problemOf({ reason, message }: Extract<FaucetResult, { ok: false }>): Problem {
  if (reason === 'no-faucet' || reason === 'not-a-development-chain') return { reason: 'not-found' };
  if (reason === 'unreachable')
    return { reason: 'chain-unreachable', expected: 'an answer from the settlement chain', got: message };
  return { reason: 'chain-refused', expected: 'a guest who needs test SSP, and a node that has some', got: message };
}
