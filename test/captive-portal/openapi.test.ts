import { readFileSync } from 'node:fs';
import t from 'tap';
import * as v from 'valibot';
import {
  depositAnswer,
  problemAnswer,
  receiptAnswer,
  termsAnswer,
  viewAnswer,
} from '../../captive-portal/answer-schemas.ts';
import { jsonSchemaFrom } from '../../captive-portal/json-schema.ts';
import { OPERATIONS, openApiText } from '../../captive-portal/openapi.ts';
import type { SignedUsageReceipt } from '../../protocol/usage-receipt.ts';
import { byGuest, cafe, GUEST, quote, view } from './support/cafe.ts';

const ON_CHAIN = { openFeeUnits: 50n, claimedUnits: 7n, gasWei: 1_000n, openTx: `0x${'0a'.repeat(32)}` } as const;

t.test('docs/openapi.json is what the schemas say', (t) => {
  const kept = readFileSync(new URL('../../docs/openapi.json', import.meta.url), 'utf8');
  t.equal(kept, openApiText(), 'node tools/make-openapi.ts');
  t.end();
});

t.test('every route under /api is in the document, and every path of the document is a route', async (t) => {
  const { app } = await cafe();
  await app.ready();
  for (const { method, path } of OPERATIONS)
    t.ok(app.hasRoute({ method: method.toUpperCase() as 'GET', url: path }), path);
  const known = new Set(OPERATIONS.map(({ method, path }) => `${method} ${path}`));
  for (const name of [
    'view',
    'quote',
    'receipt',
    'deposit',
    'balance',
    'events',
    'open',
    'voucher',
    'tick-voucher',
    'tick',
    'challenge',
    'attach',
    'trial',
    'leave',
    'pause',
    'resume',
  ]) {
    for (const method of ['GET', 'POST'] as const) {
      const url = `/api/${name}`;
      t.equal(app.hasRoute({ method, url }), known.has(`${method.toLowerCase()} ${url}`), `${method} ${url}`);
    }
  }
});

t.test('it is served as it is kept', async (t) => {
  const { app } = await cafe();
  const response = await app.inject(byGuest('GET', '/api/openapi.json'));
  t.equal(response.statusCode, 200);
  t.equal(response.body, openApiText());
});

t.test('real answers are what the document says', async (t) => {
  const { app } = await cafe({
    view: () => view({ isOnline: true, phase: 'active', secondsRemaining: 3, onChain: ON_CHAIN }),
    quote: () => quote(),
  });
  t.ok(v.is(viewAnswer, (await app.inject(byGuest('GET', '/api/view'))).json()));
  t.ok(v.is(termsAnswer, (await app.inject(byGuest('GET', '/api/quote'))).json()));
  t.ok(v.is(problemAnswer, (await app.inject(byGuest('POST', '/api/voucher', { v: 2 }))).json()));
});

t.test('the receipt of a channel is served as the device signed it, and there is none without a channel', async (t) => {
  const receipt = {
    device: `0x${'01'.repeat(20)}`,
    channelId: `0x${'02'.repeat(32)}`,
    downBytes: 1n,
    upBytes: 2n,
    paidUnits: 3n,
    depositUnits: 4n,
    refundUnits: 0n,
    refundTx: `0x${'00'.repeat(32)}`,
    issuedAt: 5n,
    signature: `0x${'03'.repeat(64)}`,
  } as SignedUsageReceipt;
  const { app } = await cafe({ receipt: (mac) => (mac === GUEST ? receipt : undefined) });
  const response = await app.inject(byGuest('GET', '/api/receipt'));
  t.ok(v.is(receiptAnswer, response.json()));
  t.match(response.headers['content-disposition'], /receipt\.json/);
  const { app: none } = await cafe({ receipt: () => undefined });
  t.equal((await none.inject(byGuest('GET', '/api/receipt'))).statusCode, 404);
});

t.test('a kind of schema that is not known is an error, never a silent gap', (t) => {
  t.throws(() => jsonSchemaFrom(v.date()), /No JSON Schema for valibot's "date"/);
  t.strictSame(jsonSchemaFrom(v.object({ a: v.optional(v.pipe(v.string(), v.maxLength(3))) })), {
    type: 'object',
    properties: { a: { type: 'string', maxLength: 3 } },
    required: [],
  });
  t.end();
});

t.test("what the payer's own wallet is to send is told to the guest whose channel waits for it", async (t) => {
  const config = {
    payer: `0x${'0e'.repeat(20)}`,
    signer: `0x${'0f'.repeat(20)}`,
    payee: quote().payee,
    device: quote().device,
    expiry: 1n,
    exitDelay: 2n,
    salt: `0x${'05'.repeat(32)}`,
  } as const;
  const channelId = `0x${'c1'.repeat(32)}` as const;
  const { app } = await cafe({
    deposit: (mac) => (mac === GUEST ? { channelId, config, units: 10_000n } : undefined),
  });
  const response = await app.inject(byGuest('GET', '/api/deposit'));
  t.ok(v.is(depositAnswer, response.json()));
  const { calls, approveLink, ...rest } = response.json();
  t.match(rest, { channelId, payer: config.payer, units: '10000' });
  t.match(approveLink, /^ethereum:0x[0-9a-f]{40}@\d+\/approve\?address=0x[0-9a-f]{40}&uint256=10000$/);
  t.match(calls, [{ data: /^0x095ea7b3/ }, { data: /^0x[0-9a-f]+2710$/ }]);
  const { app: none } = await cafe({ deposit: () => undefined });
  t.match(await none.inject(byGuest('GET', '/api/deposit')), { statusCode: 404 });
});
