/** Every route says what it takes and what it answers, or the portal cannot be built. */
import Fastify from 'fastify';
import t from 'tap';
import * as v from 'valibot';
import { problemAnswer } from '../../captive-portal/answer-schemas.ts';
import { OPERATIONS } from '../../captive-portal/openapi.ts';
import { apiSchema, NOTHING, useSchemas } from '../../captive-portal/route-schemas.ts';
import { byGuest, cafe, HOST, view } from './support/cafe.ts';

/** Routes without schema of the OpenAPI document: the page, its forms, and the document itself. */
const PAGES = [
  'GET /',
  'GET /api/openapi.json',
  'GET /icon.svg',
  'GET /page.css',
  'GET /page.js',
  'GET /status',
  'POST /leave',
  'POST /pass',
  'POST /pause',
  'POST /resume',
  'POST /trial',
];

t.test('every route of the portal is described, and nothing else is', async (t) => {
  const { app } = await cafe();
  await app.ready();
  const routes = routesFrom(app.printRoutes({ commonPrefix: false })).filter((route) => !route.startsWith('HEAD '));
  const described = OPERATIONS.map(({ method, path }) => `${method.toUpperCase()} ${path}`);
  t.same(routes.sort(), [...PAGES, ...described].sort());
});

t.test('a route without schema cannot be added', (t) => {
  const app = Fastify();
  useSchemas(app);
  const answer = () => 'x';
  const [querystring, response] = [v.object({}), { 200: v.string() }];
  t.throws(() => app.get('/a', answer), /GET \/a has no schema for its querystring and response/);
  t.throws(() => app.get('/b', { schema: { querystring } }, answer), /GET \/b has no schema for its response/);
  t.throws(() => app.post('/c', { schema: { querystring, response } }, answer), /POST \/c has no schema for its body/);
  t.throws(() => app.get('/d/:id', { schema: { querystring, response } }, answer), /no schema for its params/);
  t.doesNotThrow(() => app.post('/e', { schema: { querystring, response, body: NOTHING } }, answer));
  t.throws(() => apiSchema('get', '/api/none'), /is not in captive-portal\/openapi\.ts/);
  t.throws(() => apiSchema('post', '/api/leave', v.string()), /or with another body/);
  t.end();
});

t.test('each body of the API is checked by its schema before the desk hears of it', async (t) => {
  const { app } = await cafe();
  for (const { method, path } of OPERATIONS.filter((operation) => operation.method === 'post')) {
    const response = await app.inject(byGuest('POST', path, { surplus: 1 }));
    t.equal(response.statusCode, 400, `${method} ${path}`);
    t.ok(v.is(problemAnswer, response.json()), path);
    t.equal(response.json().reason, 'malformed');
    t.match(response.json().expected, /^[a-z]+: /i);
  }
});

t.test('each refusal is a problem with the headers of every answer', async (t) => {
  const { app, clock } = await cafe({
    view: () => view(),
    quote: () => ({ notSelling: 'test' }),
    receipt: () => undefined,
  });
  const post = byGuest('POST', '/api/voucher', { v: 1 });
  const asked = {
    400: post,
    403: { ...byGuest('GET', '/api/view'), remoteAddress: '10.7.0.99' },
    404: byGuest('GET', '/api/receipt'),
    413: { ...post, payload: `{"v":"${'x'.repeat(20_000)}"}` },
    414: byGuest('GET', `/api/${'a'.repeat(3_000)}`),
    415: { ...post, headers: { host: HOST, 'content-type': 'application/cbor' } },
    500: byGuest('POST', '/api/leave'),
    503: byGuest('GET', '/api/quote'),
  };
  const check = async (status: string, request: typeof post) => {
    const response = await app.inject(request);
    t.equal(response.statusCode, Number(status));
    t.equal(response.headers['content-type'], 'application/problem+json', status);
    t.ok(v.is(problemAnswer, response.json()), status);
    t.equal(response.json().status, Number(status));
    t.match(response.headers, { 'cache-control': 'no-store', 'content-security-policy': /default-src 'self'/ });
  };
  for (const [status, request] of Object.entries(asked)) await check(status, request);
  for (let i = 0; i < 30; i++) await app.inject(byGuest('GET', '/api/quote'));
  await check('429', byGuest('GET', '/api/quote'));
  clock.advance(60_000);
});

t.test('a language named twice, and whatever else an address holds, is no reason to refuse the page', async (t) => {
  const { app } = await cafe();
  for (const query of ['?lang=es&lang=fr', '?online', '?a[b]=c&lang=', '?__proto__=1']) {
    t.equal((await app.inject(byGuest('GET', `/${query}`))).statusCode, 200, query);
  }
});

/** Fastify prints its routes as a tree: each line four columns deeper goes on with the path above it. */
function routesFrom(tree: string): string[] {
  const above: string[] = [];
  return tree.split('\n').flatMap((line) => {
    const [, indent = '', part = '', methods = ''] = /^([ │]*)[└├]── (\S+) \(([A-Z, ]+)\)$/.exec(line) ?? [];
    const depth = indent.length / 4;
    above.length = depth;
    above[depth] = part;
    return methods === '' ? [] : methods.split(', ').map((method) => `${method} ${above.join('')}`);
  });
}
