/** The OpenAPI document is true: every answer is what its route declares, and the tests' portal sends no other. */
import fc from 'fast-check';
import t from 'tap';
import * as v from 'valibot';
import type { DeskRefusal, GuestDesk, GuestView } from '../../agent/ports.ts';
import { problemAnswer, viewAnswer } from '../../captive-portal/answer-schemas.ts';
import { OPERATIONS } from '../../captive-portal/openapi.ts';
import { PROBLEM_REASONS, statusOf } from '../../captive-portal/problem.ts';
import { viewJsonFromView } from '../../captive-portal/view-json.ts';
import type { Hex } from '../../protocol/hex.ts';
import { byGuest, CONFIG, cafe, GUEST, view } from './support/cafe.ts';

const VOUCHER = { v: 1, ch: `0x${'1'.repeat(64)}`, amt: '5', ack: '6', sig: `0x${'2'.repeat(128)}` };
const LAST = { channelId: `0x${'1'.repeat(64)}`, amount: 5n, ackBytes: 6n, signature: `0x${'2'.repeat(128)}` } as const;

t.test('an answer that its schema does not allow is not sent, and told', async (t) => {
  const wrongPhase = { ...view(), phase: 'lost' } as unknown as GuestView;
  const cases: readonly (readonly [string, Partial<GuestDesk>, Parameters<typeof byGuest>, RegExp])[] = [
    ['a view', { view: () => wrongPhase }, ['GET', '/api/view'], /^GET \/api\/view answered 200: phase: .*"lost"/],
    ['a deed', { leave: async () => ({ ok: true, view: wrongPhase }) }, ['POST', '/api/leave', {}], /200: phase/],
  ];
  for (const [what, script, request, expected] of cases) {
    const untrue: string[] = [];
    const { app } = await cafe(script, CONFIG, undefined, (said) => untrue.push(said));
    const response = await app.inject(byGuest(...request));
    t.equal(response.statusCode, 500, what);
    t.match(untrue[0] ?? '', expected, what);
    t.notMatch(response.body, /"phase":"lost"/);
  }
});

t.test('every reason that there is can be answered, as the document says it', async (t) => {
  for (const reason of PROBLEM_REASONS) {
    const refusal = { ok: false, reason, expected: 'one thing', got: 'another', lastVoucher: LAST } as DeskRefusal;
    const { app } = await cafe({ voucher: async () => refusal });
    const response = await app.inject(byGuest('POST', '/api/voucher', VOUCHER));
    t.equal(response.statusCode, statusOf(reason), reason);
    t.ok(v.is(problemAnswer, response.json()), reason);
    t.equal(response.json().reason, reason);
  }
});

t.test('each route refuses a stranger by a problem that it declares', async (t) => {
  const { app } = await cafe();
  for (const { method, path } of OPERATIONS.filter((operation) => operation.path.startsWith('/api'))) {
    const request = byGuest(method === 'get' ? 'GET' : 'POST', path, method === 'get' ? undefined : {});
    const response = await app.inject({ ...request, remoteAddress: '10.7.0.99' });
    t.equal(response.json().reason, 'unknown-guest', `${method} ${path}`);
  }
});

const units = fc.bigInt(0n, 2n ** 64n - 1n);
const hex32 = fc.constantFrom<Hex>(`0x${'0a'.repeat(32)}`, `0x${'ff'.repeat(32)}`);
const optional = <T>(arbitrary: fc.Arbitrary<T>) => fc.option(arbitrary, { nil: undefined });
const anyView = fc
  .record({
    isOnline: fc.boolean(),
    phase: fc.constantFrom('none', 'trial', 'pending', 'active', 'grace', 'closing', 'settled', 'failed'),
    downBytes: units,
    upBytes: units,
    onlineMs: fc.nat(),
    chargedUnits: units,
    creditUnits: units,
    depositUnits: units,
    bytesRemaining: units,
    isLow: fc.boolean(),
    channelId: optional(hex32),
    secondsRemaining: optional(fc.nat()),
    isPaused: optional(fc.boolean()),
    refund: optional(fc.record({ units, tx: hex32 })),
    lastVoucher: optional(fc.constant(LAST)),
    onChain: optional(
      fc
        .record({ openFeeUnits: units, claimedUnits: units, gasWei: fc.bigInt(0n, 10n ** 27n) })
        .chain((costs) =>
          fc
            .record({ openTx: optional(hex32), closeTx: optional(hex32) })
            .map((txs) => ({ ...costs, ...defined(txs) })),
        ),
    ),
  })
  .map((fields) => ({ mac: GUEST, ...defined(fields) }) as GuestView);

t.test('whatever state a guest is in, its view is as declared', (t) => {
  fc.assert(
    fc.property(anyView, (any) => {
      const result = v.safeParse(viewAnswer, JSON.parse(JSON.stringify(viewJsonFromView(any))));
      if (!result.success) throw new Error(result.issues.map((issue) => issue.message).join('; '));
    }),
    { numRuns: 300 },
  );
  t.pass('300 views');
  t.end();
});

function defined<T extends object>(fields: T): Partial<T> {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as Partial<T>;
}
