/** The page's till against routers that lie: what a tap signs is what was shown, once. */
import t from 'tap';
import type { Deal } from '../../../captive-portal/page/offer.ts';
import { add, joinOrOpen, open, planOf } from '../../../captive-portal/page/till.ts';
import type { Terms } from '../../../captive-portal/page/wallet.ts';
import { type TermsJson, termsFromJson, type View, viewFromJson } from '../../../captive-portal/page/wire.ts';
import { termsJson, viewJsonFromView } from '../../../captive-portal/view-json.ts';
import { channelId, depositNonce } from '../../../protocol/channel.ts';
import type { Quote } from '../../../protocol/quote.ts';
import { signVoucher, type VoucherJson, voucherJsonFromVoucher } from '../../../protocol/voucher.ts';
import { CONFIG, DEPLOYMENT, NOW_S, quote, view } from '../support/cafe.ts';

const CHANNEL = `0x${'55'.repeat(32)}` as const;
const HOLD = { units: 10_000n };
let keys = 0;

type Sent = { readonly url: string; readonly body: unknown };
type OpenBody = {
  readonly deposit: string;
  readonly config: Parameters<typeof channelId>[1];
  readonly authorization: { readonly validBefore: string };
  readonly voucher: VoucherJson;
};

/** A router of which a test says what it offers and how it answers each POST; a key of its own. */
function router(answer: (sent: Sent) => readonly [number, unknown], changes: Partial<Quote> = {}) {
  const secretKey = new Uint8Array(32).fill(20 + keys++);
  const sent: Sent[] = [];
  /** `held`: what it says that the code holds; unless given, it does not know. */
  const lie: { offer: TermsJson; held?: string } = { offer: termsJson(quote(changes), CONFIG, NOW_S) };
  const fetcher = (url: string, options: { body?: string }) => {
    if (url === '/api/quote') return Promise.resolve(Response.json(lie.offer));
    // Asks for no signature and carries none.
    if (url === '/api/balance')
      return Promise.resolve(Response.json({ units: lie.held }, { status: lie.held === undefined ? 503 : 200 }));
    const one = { url, body: options.body === undefined ? undefined : (JSON.parse(options.body) as unknown) };
    if (url === '/api/view') return Promise.resolve(Response.json(viewJsonFromView(view({ phase: 'active' }))));
    sent.push(one);
    const [status, body] = answer(one);
    return Promise.resolve(status === 204 ? new Response(undefined, { status }) : Response.json(body, { status }));
  };
  t.capture(globalThis, 'fetch', fetcher as unknown as typeof fetch);
  const shown = termsFromJson(lie.offer);
  const deals: (Deal | undefined)[] = [];
  const tap = { shown, choice: HOLD, isExact: false, onDeal: (deal: Deal | undefined) => deals.push(deal) };
  const opens = () => sent.filter(({ url }) => url === '/api/open').map(({ body }) => body as OpenBody);
  return { secretKey, sent, lie, shown, tap, deals, opens };
}

const REFUSED = [402, { reason: 'chain-refused' }] as const;
const OTHER = `0x${'ee'.repeat(20)}` as const;

t.test('an offer that differs from what was shown is handed back, and nothing is signed', async (t) => {
  const base = termsJson(quote(), CONFIG, NOW_S);
  const { packages, deployment, tokenDomain } = base;
  const lies: Readonly<Record<string, TermsJson>> = {
    price: termsJson(quote({ unitsPerMb: 5_000_000n }), CONFIG, NOW_S),
    'price of a minute': termsJson(quote({ unitsPerMinute: 1n }), CONFIG, NOW_S),
    'open fee': termsJson(quote({ openFee: 5_000_000n }), CONFIG, NOW_S),
    'smallest deposit': termsJson(quote({ minDeposit: 15_000_000n }), CONFIG, NOW_S),
    payee: termsJson(quote({ payee: OTHER }), CONFIG, NOW_S),
    token: {
      ...termsJson(quote({ token: OTHER }), CONFIG, NOW_S),
      tokenDomain: { ...tokenDomain, verifyingContract: OTHER },
    },
    'exit delay': termsJson(quote({ exitDelay: 1_000_000n }), CONFIG, NOW_S),
    chain: { ...base, deployment: { ...deployment, chainId: '1' } },
    contract: { ...base, deployment: { ...deployment, channels: OTHER } },
    'token name': { ...base, tokenDomain: { ...tokenDomain, name: 'USD' } },
    packages: { ...base, packages: packages.map((one) => ({ ...one, units: '10001' })) },
    'name of a package': { ...base, packages: packages.map((one) => ({ ...one, name: 'A year' })) },
  };
  for (const [name, offer] of Object.entries(lies)) {
    const { secretKey, tap, lie, sent } = router(() => REFUSED);
    lie.offer = offer;
    const sale = await open(secretKey, tap);
    t.match(sale, { ok: false, problem: { reason: 'offer-changed' } }, name);
    t.strictSame(sale.changed, termsFromJson(offer), `${name}: to be shown`);
    t.strictSame(sent, [], `${name}: nothing left the page`);
  }
});

t.test('a quote with another time and nonce is the same offer', async (t) => {
  const { secretKey, tap, lie, opens } = router(() => [200, viewJsonFromView(view({ phase: 'active' }))]);
  const later = { nonce: `0x${'22'.repeat(32)}`, expiry: NOW_S + 87_000n, validUntil: NOW_S + 1_200n } as const;
  lie.offer = termsJson(quote(later), CONFIG, NOW_S + 600n);
  t.match(await open(secretKey, tap), { ok: true });
  t.equal(opens().length, 1);
});

t.test('a code that holds too little is not tried: a refused try is one of the few that a guest has', async (t) => {
  const { secretKey, tap, lie, opens } = router(() => [200, viewJsonFromView(view({ phase: 'active' }))]);
  lie.held = '19999';
  t.match(await open(secretKey, tap), { ok: false, problem: { reason: 'chain-refused' } });
  t.strictSame(opens(), [], 'nothing was signed');
  lie.held = '20000';
  t.match(await open(secretKey, tap), { ok: true });
  t.strictSame(
    opens().map(({ deposit }) => deposit),
    ['20000'],
    'only the deposit that it holds',
  );
});

t.test('of all that one tap, and the taps after it, sign, one deposit can ever be executed', async (t) => {
  const { secretKey, tap, opens, shown, deals } = router(() => REFUSED);
  await open(secretKey, tap);
  await open(secretKey, { ...tap, choice: { units: 50_000n } });
  await open(secretKey, { ...tap, choice: { units: undefined } });
  const all = opens();
  t.strictSame(
    all.map(({ deposit }) => deposit),
    ['30000', '20000', '150000', '50000', '50000'],
  );
  const ids = all.map(({ config }) =>
    channelId(DEPLOYMENT, { ...config, expiry: BigInt(config.expiry), exitDelay: BigInt(config.exitDelay) }),
  );
  t.equal(new Set(ids.map((id) => depositNonce(id, 0n))).size, 1, 'one EIP-3009 nonce');
  t.ok(all.every(({ voucher }, i) => voucher.ch === ids[i]));
  t.strictSame(
    deals.map((deal) => deal?.most),
    [30_000n, 20_000n, 150_000n, 50_000n, 50_000n],
  );
  for (const { authorization } of all) t.equal(authorization.validBefore, `${shown.quote.validUntil}`);
});

t.test('another key, and a purchase after one that succeeded, get a channel of their own', async (t) => {
  let isSold = false;
  const { secretKey, tap, opens } = router(() => (isSold ? [200, viewJsonFromView(view())] : REFUSED));
  await open(secretKey, tap);
  await open(new Uint8Array(32).fill(99), tap);
  isSold = true;
  await open(secretKey, tap);
  await open(secretKey, tap);
  t.equal(new Set(opens().map(({ voucher }) => voucher.ch)).size, 4);
});

t.test('a router whose quote never ends gets an authorization of a day', async (t) => {
  const { secretKey, tap, opens } = router(() => REFUSED, { validUntil: 1_000_000_000_000n });
  await open(secretKey, tap);
  const most = Math.floor(Date.now() / 1_000) + 86_401;
  t.ok(opens().every(({ authorization }) => Number(authorization.validBefore) <= most));
});

t.test('from another wallet only what was asked for is set aside', async (t) => {
  const { secretKey, tap, opens } = router(() => REFUSED);
  await open(secretKey, { ...tap, isExact: true });
  t.strictSame(
    opens().map(({ deposit }) => deposit),
    ['20000'],
  );
});

t.test('a session that is taken up brings no price, and no more than was shown', async (t) => {
  const { deployment } = termsJson(quote(), CONFIG, NOW_S);
  const { secretKey, tap, deals, opens } = router(({ url }) =>
    url === '/api/challenge'
      ? [200, { v: 1, ch: CHANNEL, challenge: CHANNEL, deployment }]
      : [200, viewJsonFromView(view({ phase: 'active', channelId: CHANNEL, depositUnits: 900_000n }))],
  );
  const stream = { ...tap, choice: { units: undefined } };
  t.match(await joinOrOpen(secretKey, stream, undefined), { ok: true });
  const tariff = { unitsPerMb: 1_000n, unitsPerMinute: 0n };
  await joinOrOpen(secretKey, stream, { channelId: CHANNEL, most: 150_000n, tariff });
  await joinOrOpen(secretKey, stream, { channelId: CHANNEL, most: 20_000n, tariff });
  t.strictSame(deals, [
    { channelId: CHANNEL, most: 50_000n, tariff: undefined },
    { channelId: CHANNEL, most: 50_000n, tariff },
    { channelId: CHANNEL, most: 20_000n, tariff },
  ]);
  t.strictSame(opens(), []);
});

function running(secretKey: Uint8Array, changes: Parameters<typeof view>[0] = {}): View {
  const lastVoucher = signVoucher(DEPLOYMENT, { channelId: CHANNEL, amount: 10_000n, ackBytes: 0n }, secretKey);
  const depositUnits = 150_000n;
  const guest = view({
    phase: 'active',
    channelId: CHANNEL,
    depositUnits,
    creditUnits: 10_000n,
    lastVoucher,
    ...changes,
  });
  return viewFromJson(JSON.parse(JSON.stringify(viewJsonFromView(guest))) as Parameters<typeof viewFromJson>[0]);
}

t.test('adding signs one voucher for one tap, whatever the router says it holds', async (t) => {
  const { secretKey, sent, shown } = router(({ body }) => [409, { reason: 'amount-not-increasing', last: body }]);
  const answer = await add(shown, secretKey, running(secretKey), 10_000n);
  t.match(answer, { ok: true, value: { phase: 'active' } }, "what the router holds is in the router's view");
  t.strictSame(
    sent.map(({ body }) => (body as VoucherJson).amt),
    ['20000'],
  );
});

t.test('adding again after a lost answer promises nothing twice', async (t) => {
  const { secretKey, sent, shown } = router(() => [503, { reason: 'not-checked' }]);
  await add(shown, secretKey, running(secretKey), 10_000n);
  await add(shown, secretKey, running(secretKey), 10_000n);
  t.strictSame(
    sent.map(({ body }) => (body as VoucherJson).amt),
    ['20000', '20000'],
  );
});

t.test("adding signs nothing on another of the guest's channels", async (t) => {
  const { secretKey, sent, shown } = router(() => [200, {}]);
  t.match(await add(shown, secretKey, running(secretKey, { channelId: `0x${'66'.repeat(32)}` }), 10_000n), {
    ok: false,
    problem: { reason: 'channel-not-open' },
  });
  const stranger = signVoucher(
    DEPLOYMENT,
    { channelId: CHANNEL, amount: 1n, ackBytes: 0n },
    new Uint8Array(32).fill(3),
  );
  t.match(await add(shown, secretKey, running(secretKey, { lastVoucher: stranger }), 10_000n), {
    ok: false,
    problem: { reason: 'other-code' },
  });
  t.strictSame(sent, []);
  t.strictSame(voucherJsonFromVoucher(stranger).ch, CHANNEL);
});

t.test('a package below the open fee costs the fee', (t) => {
  const terms: Terms = termsFromJson(termsJson(quote({ openFee: 12_000n }), CONFIG, NOW_S));
  t.equal(planOf(terms, HOLD).firstAmount, 12_000n);
  t.end();
});
