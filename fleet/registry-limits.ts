/**
 * How often the routes of registry-routes.ts answer: each costs a signature, a recovery or a look into the registry, and no
 * device's key stands before it. Per source, so that one cannot shut out the others; over all, so that a swarm of sources
 * leaves the collector time for proofs.
 */
import type { FastifyInstance, FastifyReply } from 'fastify';
import { type RateLimit, RateLimiter } from './rate-limit.ts';

export type RegistryLimits = {
  /** Requests of one source: an IPv4 address, or the /64 of an IPv6 address, all of which one subscriber has. */
  readonly source: RateLimit;
  /** Requests of all sources together. */
  readonly all: RateLimit;
};

/**
 * A router asks four things at a start; hundreds may share the address of a carrier's NAT. Over all: 10,000 routers that come
 * back at once, each with two questions, within half a minute.
 */
export const DEFAULT_REGISTRY_LIMITS: RegistryLimits = {
  source: { perS: 10, burst: 600 },
  all: { perS: 600, burst: 6000 },
};
/** The shortest wait that is told, and how much is added at random: not all shall come back at once. */
const RETRY_SPREAD_S = 10;
const ALL = '';

/** Refuses before the body is read. `monotonicMs`: milliseconds that never go back; `room`: sources remembered at most. */
export function limitRegistry(
  app: FastifyInstance,
  { source, all }: RegistryLimits,
  monotonicMs: () => number,
  room?: number,
): { readonly sources: () => number } {
  const sources = new RateLimiter(source, room);
  const total = new RateLimiter(all, 1);
  app.addHook('onRequest', (request, reply, done) => {
    const nowMs = monotonicMs();
    // First the source: what it is refused costs the others nothing.
    const sourceMs = sources.take(sourceOf(request.ip), nowMs);
    if (sourceMs > 0) return void refuse(reply, 429, 'too-many', 'Too many requests from there.', sourceMs);
    const allMs = total.take(ALL, nowMs);
    if (allMs > 0) return void refuse(reply, 503, 'busy', 'Too many routers ask at once.', allMs);
    done();
  });
  return { sources: () => sources.size };
}

/** What stands for a client: "192.0.2.7", or "2001:db8:1:2" for all of 2001:db8:1:2::/64. */
export function sourceOf(ip: string): string {
  if (!ip.includes(':')) return ip;
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(ip)?.[1];
  if (mapped !== undefined) return mapped;
  const [head = '', tail] = (ip.split('%')[0] ?? '').split('::');
  const left = head === '' ? [] : head.split(':');
  const right = tail === undefined || tail === '' ? [] : tail.split(':');
  const zeros = tail === undefined ? 0 : Math.max(0, 8 - left.length - right.length);
  return [...left, ...Array<string>(zeros).fill('0'), ...right].slice(0, 4).join(':');
}

function refuse(reply: FastifyReply, status: number, code: string, message: string, waitMs: number): FastifyReply {
  const waitS = Math.ceil(waitMs / 1000) + Math.floor(Math.random() * RETRY_SPREAD_S);
  reply.header('retry-after', waitS);
  return reply.code(status).send({ error: { code, message: `${message} Try again in ${waitS} s.` } });
}
