/** What the control socket answers about money: the wallet, and passes. Only the agent's own user and root can ask. */
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { parseAddress } from '../../protocol/address.ts';
import { uint64FromDecimal } from '../../protocol/units.ts';
import type { Treasury } from './treasury.ts';

/** Two transactions one after the other, each up to the chain adapter's 90 s. */
const MINING_MS = 200_000;

type Query = { Querystring: { readonly count?: unknown; readonly units?: unknown; readonly to?: unknown } };

export function addTreasuryRoutes(app: FastifyInstance, { wallet, passes, faucet }: Treasury): void {
  app.get('/wallet', async (request) => {
    patiently(request);
    return await wallet.view();
  });
  app.post<Query>('/wallet/withdraw', async (request, reply) => {
    const { units: text } = request.query;
    const units = text === undefined ? undefined : unitsFrom(text);
    if (text !== undefined && (units === undefined || units === 0n))
      return refuse(reply, 'bad-amount', 'units must be a decimal string above 0.');
    patiently(request);
    const result = await wallet.withdraw(units);
    return result.ok ? { moves: result.moves, trouble: result.trouble } : refuse(reply, result.reason, result.message);
  });
  app.post<Query>('/faucet', async (request, reply) => {
    const { to: text, units: amount } = request.query;
    const to = typeof text === 'string' ? parseAddress(text) : undefined;
    if (to === undefined) return refuse(reply, 'bad-address', 'to must be an address, 0x and 40 hex digits.');
    const units = unitsFrom(amount);
    if (units === undefined) return refuse(reply, 'bad-amount', 'units must be a decimal string.');
    patiently(request);
    const result = await faucet(to, units);
    if (!result.ok) return refuse(reply, result.reason, result.message);
    const { ok: _, ...given } = result;
    return given;
  });
  app.get('/passes', async (request) => {
    patiently(request);
    return { passes: await passes.list() };
  });
  app.post('/passes/fund', async (request, reply) => {
    patiently(request);
    const result = await passes.fund();
    return result.ok ? { passes: result.passes } : refuse(reply, result.reason, result.message);
  });
  app.post<Query>('/passes', async (request, reply) => {
    const { count, units: text } = request.query;
    const units = unitsFrom(text);
    if (units === undefined) return refuse(reply, 'bad-value', 'units must be a decimal string.');
    patiently(request);
    const result = await passes.create(Number(count), units);
    return result.ok ? { passes: result.passes } : refuse(reply, result.reason, result.message);
  });
}

/** The chain may take its time, and the socket is the owner's. */
function patiently(request: FastifyRequest): void {
  request.raw.socket.setTimeout(MINING_MS);
}

function unitsFrom(value: unknown): bigint | undefined {
  return typeof value === 'string' ? uint64FromDecimal(value) : undefined;
}

function refuse(reply: FastifyReply, code: string, message: string): FastifyReply {
  return reply.code(409).send({ error: { code, message } });
}
