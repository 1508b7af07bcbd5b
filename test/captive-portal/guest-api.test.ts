import t from 'tap';
import type { DeskRefusal, DeskResult } from '../../agent/ports.ts';
import {
  nextVoucher,
  openJsonFromRequest,
  openRequestFrom,
  secretKeyFromText,
} from '../../captive-portal/page/wallet.ts';
import { termsFromJson, viewFromJson } from '../../captive-portal/page/wire.ts';
import { problemJson } from '../../captive-portal/problem.ts';
import type { OpenRequest, PaymentMode } from '../../protocol/open-wire.ts';
import { type SignedVoucher, voucherJsonFromVoucher } from '../../protocol/voucher.ts';
import { byGuest, cafe, DEPLOYMENT, GUEST, NOW_S, PASS_CODE, quote, view } from './support/cafe.ts';

const SECRET_KEY = secretKeyFromText(PASS_CODE) as Uint8Array;
const SALT = `0x${'5a'.repeat(32)}` as const;

/** What the page would post for 1 SSP, and its first voucher raised by another. */
function purchase(mode: PaymentMode = 'hold'): { readonly request: OpenRequest; readonly next: SignedVoucher } {
  const terms = {
    quote: quote(),
    deployment: DEPLOYMENT,
    tokenDomain: { name: 'SSP', version: '1', chainId: DEPLOYMENT.chainId, verifyingContract: quote().token },
    packages: [],
    trialBytes: 0n,
    nowS: NOW_S,
  };
  const made = openRequestFrom({
    terms,
    secretKey: SECRET_KEY,
    deposit: 30_000n,
    firstAmount: 10_000n,
    mode,
    salt: SALT,
  });
  if (!made.ok) throw new Error(made.reason);
  const { request } = made;
  const last = request.voucher;
  const raised = nextVoucher({
    deployment: DEPLOYMENT,
    secretKey: SECRET_KEY,
    last,
    depositUnits: 30_000n,
    addUnits: 5_000n,
    ackBytes: 1_234n,
  });
  if (!raised.ok) throw new Error(raised.reason);
  return { request, next: raised.voucher };
}

t.test("the view is the desk's view of the device that the kernel names", async (t) => {
  const shown = view({
    isOnline: true,
    phase: 'active',
    downBytes: 7n,
    bytesRemaining: 9n,
    secondsRemaining: 60,
    refund: { units: 3n, tx: SALT },
  });
  const { app } = await cafe({ view: (mac) => (mac === GUEST ? shown : view()) });
  const response = await app.inject(byGuest('GET', '/api/view'));
  t.equal(response.statusCode, 200);
  const { mac: _, ...expected } = shown;
  t.strictSame(viewFromJson(response.json()), expected);
  t.notMatch(response.body, GUEST, 'the MAC address stays inside');
});

t.test('a device that the kernel does not know is told to join the guest WiFi', async (t) => {
  const { app } = await cafe();
  for (const url of ['/api/view', '/api/quote', '/api/events']) {
    const response = await app.inject({ ...byGuest('GET', url), remoteAddress: '192.0.2.9' });
    t.equal(response.statusCode, 403);
    t.equal(response.headers['content-type'], 'application/problem+json');
    t.strictSame(response.json(), problemJson({ reason: 'unknown-guest' }));
  }
  for (const url of ['/api/open', '/api/voucher', '/api/leave', '/api/trial']) {
    const response = await app.inject({ ...byGuest('POST', url, {}), remoteAddress: '192.0.2.9' });
    t.equal(response.json().reason, 'unknown-guest', url);
  }
});

t.test('headers that claim to be another guest change nothing', async (t) => {
  const { app } = await cafe({ view: (mac) => view({ phase: mac === GUEST ? 'trial' : 'active' }) });
  const headers = {
    host: 'portal.lan',
    'x-forwarded-for': '10.7.0.99',
    'x-real-ip': '10.7.0.99',
    forwarded: 'for=10.7.0.99',
  };
  const response = await app.inject({ ...byGuest('GET', '/api/view'), headers });
  t.equal(response.json().phase, 'trial');
});

t.test('a quote comes with everything a wallet needs', async (t) => {
  const { app } = await cafe({ quote: () => quote() });
  const response = await app.inject(byGuest('GET', '/api/quote'));
  t.equal(response.statusCode, 200);
  t.equal(response.headers['cache-control'], 'no-store');
  t.strictSame(termsFromJson(response.json()), {
    quote: quote(),
    deployment: DEPLOYMENT,
    tokenDomain: { name: 'SSP', version: '1', chainId: 31_337n, verifyingContract: quote().token },
    packages: [
      { name: 'Mail and chat', units: 10_000n },
      { name: 'A long coffee', units: 50_000n },
    ],
    trialBytes: 2_000_000n,
    nowS: NOW_S,
  });
});

t.test('while nothing is sold the guest hears what to do and the log hears why', async (t) => {
  const { app, logged } = await cafe({ quote: () => ({ notSelling: 'flow offload is on: switch it off' }) });
  const response = await app.inject(byGuest('GET', '/api/quote'));
  t.equal(response.statusCode, 503);
  t.equal(response.json().reason, 'not-selling');
  t.notMatch(response.body, 'offload');
  t.ok(response.headers['retry-after']);
  t.strictSame(logged, [{ event: 'quote-refused', details: { notSelling: 'flow offload is on: switch it off' } }]);
});

t.test('an open request reaches the desk decoded and is answered with the view', async (t) => {
  const { request } = purchase();
  const asked: unknown[] = [];
  const open = (...args: unknown[]): Promise<DeskResult> => {
    asked.push(args);
    return Promise.resolve({ ok: true, view: view({ isOnline: true, phase: 'pending' }) });
  };
  const { app } = await cafe({ open });
  const response = await app.inject(byGuest('POST', '/api/open', openJsonFromRequest(request)));
  t.equal(response.statusCode, 200);
  t.equal(response.json().phase, 'pending');
  t.strictSame(asked, [[GUEST, request]]);
});

t.test('a voucher reaches the desk decoded', async (t) => {
  const { next } = purchase('stream');
  const asked: unknown[] = [];
  const voucher = (...args: unknown[]): Promise<DeskResult> => {
    asked.push(args);
    return Promise.resolve({ ok: true, view: view({ creditUnits: next.amount }) });
  };
  const { app } = await cafe({ voucher });
  const response = await app.inject(byGuest('POST', '/api/voucher', voucherJsonFromVoucher(next)));
  t.equal(response.json().creditUnits, '15000');
  t.strictSame(asked, [[GUEST, next]]);
});

t.test('a voucher that is not above the last gets 409 with the last one', async (t) => {
  const { request, next } = purchase();
  const refusal: DeskRefusal = {
    ok: false,
    reason: 'amount-not-increasing',
    expected: 'more than 15000',
    got: '10000',
    lastVoucher: next,
  };
  const { app } = await cafe({ voucher: () => Promise.resolve(refusal) });
  const response = await app.inject(byGuest('POST', '/api/voucher', voucherJsonFromVoucher(request.voucher)));
  t.equal(response.statusCode, 409);
  t.match(response.json(), { reason: 'amount-not-increasing', expected: 'more than 15000', got: '10000' });
  t.strictSame(response.json().last, voucherJsonFromVoucher(next));
});

t.test('a trial may name the key of the guest', async (t) => {
  const asked: unknown[] = [];
  const startTrial = (_mac: unknown, key?: string): Promise<DeskResult> => {
    asked.push(key);
    return Promise.resolve({ ok: true, view: view() });
  };
  const { app } = await cafe({ startTrial });
  const key = `0x${'0a'.repeat(20)}`;
  t.equal((await app.inject(byGuest('POST', '/api/trial', { v: 1, key }))).statusCode, 200);
  t.equal((await app.inject(byGuest('POST', '/api/trial', { v: 1, key: '0x0a' }))).statusCode, 400);
  t.strictSame(asked, [key]);
});

t.test('trial and leave take no body', async (t) => {
  const asked: string[] = [];
  const done = (what: string) => (): Promise<DeskResult> => {
    asked.push(what);
    return Promise.resolve({ ok: true, view: view() });
  };
  const { app } = await cafe({ startTrial: done('trial'), leave: done('leave') });
  t.equal((await app.inject(byGuest('POST', '/api/trial'))).statusCode, 200);
  t.equal((await app.inject(byGuest('POST', '/api/leave', {}))).statusCode, 200);
  t.equal((await app.inject(byGuest('POST', '/api/leave', { now: true }))).statusCode, 400);
  t.strictSame(asked, ['trial', 'leave']);
});

t.test('a body that does not decode is refused with path, expected and got', async (t) => {
  const { request } = purchase();
  const { app } = await cafe();
  const broken = { ...openJsonFromRequest(request), deposit: '-5' };
  const response = await app.inject(byGuest('POST', '/api/open', broken));
  t.equal(response.statusCode, 400);
  t.match(response.json(), { reason: 'malformed', expected: 'deposit: decimal string of 0..2^64-1', got: '"-5"' });
  const extra = await app.inject(
    byGuest('POST', '/api/voucher', { ...voucherJsonFromVoucher(request.voucher), mac: 'x' }),
  );
  t.equal(extra.statusCode, 400);
  const none = await app.inject(byGuest('POST', '/api/voucher'));
  t.equal(none.statusCode, 400);
});

t.test('a guest that asks too often waits, and others do not', async (t) => {
  const { app, clock } = await cafe({
    identify: (address) => Promise.resolve(`aa:bb:cc:00:00:0${address.at(-1)}` as typeof GUEST),
    startTrial: () => Promise.resolve({ ok: true, view: view() }),
  });
  const from = async (remoteAddress: string) =>
    (await app.inject({ ...byGuest('POST', '/api/trial'), remoteAddress })).statusCode;
  for (let i = 0; i < 20; i++) t.equal(await from('10.7.0.1'), 200);
  t.equal(await from('10.7.0.1'), 429);
  t.equal(await from('10.7.0.2'), 200);
  clock.advance(200);
  t.equal(await from('10.7.0.1'), 200);
  t.equal(await from('10.7.0.1'), 429);
});
