/** The registry's routes under a flood, over the app that the collector serves. */
import { type FastifyInstance, fastify } from 'fastify';
import t, { type Test } from 'tap';
import { Registry } from '../../fleet/registry.ts';
import { limitRegistry, sourceOf } from '../../fleet/registry-limits.ts';
import { addRegistryRoutes, type RegistryRouteDeps } from '../../fleet/registry-routes.ts';
import { RegistryStore } from '../../fleet/registry-store.ts';
import { GENESIS_PREV } from '../../protocol/traffic-proof.ts';
import { REGISTRY, testKey } from '../support/protocol-arbitraries.ts';
import '../support/own-testdir.ts';

const COLLECTOR = testKey('collector');
const DEVICE = testKey('router').address;
const NONCE = `0x${'01'.repeat(32)}`;

async function open(t: Test, changes: Partial<RegistryRouteDeps>): Promise<FastifyInstance> {
  const store = new RegistryStore(`${t.testdir()}/registry.db`);
  const nowS = () => 1_795_000_000n;
  const vendors = new Map();
  const registry = new Registry({ store, deployment: REGISTRY, collector: COLLECTOR.address, vendors, nowS });
  const app = fastify();
  const chain = {
    chainOf: () => ({ nextSeq: 0n, prev: GENESIS_PREV, missing: [] }),
    inTurn: <T>(f: () => Promise<T>) => f(),
  };
  const correctClock = () => Promise.resolve();
  const deps = { registry, store, deployment: REGISTRY, collector: COLLECTOR, ...chain, correctClock, nowS };
  await addRegistryRoutes(app, { ...deps, monotonicMs: () => 0, ...changes });
  app.get('/v1/proofs', () => ({ proofs: [] }));
  t.teardown(async () => {
    await app.close();
    store.close();
  });
  return app;
}

const clock = (app: FastifyInstance, remoteAddress: string) =>
  app.inject({ method: 'POST', url: '/v1/clock', payload: { v: 1, device: DEVICE, nonce: NONCE }, remoteAddress });

t.test('whoever floods the registry is told to wait, whatever route it asks; others are served', async (t) => {
  const app = await open(t, { limits: { source: { perS: 0.5, burst: 3 } } });
  const flooder = '192.0.2.7';
  for (let i = 0; i < 3; i++) t.equal((await clock(app, flooder)).statusCode, 200);
  const refused = await clock(app, flooder);
  t.equal(refused.statusCode, 429);
  t.match(refused.json(), { error: { code: 'too-many', message: /Try again in \d+ s/ } });
  const waitS = Number(refused.headers['retry-after']);
  t.ok(waitS >= 2 && waitS < 12, `Retry-After ${waitS}`);
  for (const [method, url] of [
    ['POST', '/v1/enrolments/challenge'],
    ['POST', '/v1/enrolments'],
    ['POST', '/v1/offers'],
    ['POST', '/v1/bindings'],
    ['POST', '/v1/clock-corrections'],
    ['POST', '/v1/revocations'],
    ['GET', `/v1/offers/${DEVICE}`],
    ['GET', `/v1/devices/${DEVICE}/head`],
    ['GET', `/v1/enrolments/${DEVICE}`],
  ] as const) {
    t.equal((await app.inject({ method, url, payload: {}, remoteAddress: flooder })).statusCode, 429, url);
  }
  t.equal((await clock(app, '192.0.2.8')).statusCode, 200);
  t.equal((await app.inject({ url: '/v1/proofs', remoteAddress: flooder })).statusCode, 200, 'proofs have their own');
});

t.test('a swarm of sources is bounded over all of them', async (t) => {
  let nowMs = 0;
  const app = await open(t, { limits: { all: { perS: 1, burst: 5 } }, monotonicMs: () => nowMs });
  const statuses: number[] = [];
  for (let i = 0; i < 7; i++) statuses.push((await clock(app, `2001:db8:0:${i}::1`)).statusCode);
  t.strictSame(statuses, [200, 200, 200, 200, 200, 503, 503]);
  t.match((await clock(app, '192.0.2.9')).headers, { 'retry-after': /^\d+$/ });
  nowMs = 1000;
  t.equal((await clock(app, '192.0.2.9')).statusCode, 200);
});

t.test('an IPv6 subscriber is one source with all of its /64', async (t) => {
  t.equal(sourceOf('2001:db8:1:2:3:4:5:6'), '2001:db8:1:2');
  t.equal(sourceOf('2001:db8:1:2::1'), '2001:db8:1:2');
  t.equal(sourceOf('2001:db8::1'), '2001:db8:0:0');
  t.equal(sourceOf('fe80::1%br-lan'), 'fe80:0:0:0');
  t.equal(sourceOf('::1'), '0:0:0:0');
  t.equal(sourceOf('::ffff:192.0.2.1'), '192.0.2.1');
  t.equal(sourceOf('192.0.2.1'), '192.0.2.1');
  const app = await open(t, { limits: { source: { perS: 0.1, burst: 1 } } });
  t.equal((await clock(app, '2001:db8:1:2::1')).statusCode, 200);
  t.equal((await clock(app, '2001:db8:1:2:ffff::9')).statusCode, 429);
});

t.test('sources are remembered in bounded memory', async (t) => {
  const app = fastify();
  t.teardown(() => app.close());
  const seen = limitRegistry(app, { source: { perS: 1, burst: 1 }, all: { perS: 1, burst: 1e9 } }, () => 0, 16);
  app.get('/', () => 'ok');
  for (let i = 0; i < 40; i++) await app.inject({ url: '/', remoteAddress: `198.51.100.${i}` });
  t.equal(seen.sources(), 16);
});
