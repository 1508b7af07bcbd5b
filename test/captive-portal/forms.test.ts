import t from 'tap';
import type { DeskResult, GuestDesk } from '../../agent/ports.ts';
import { isOwnVoucher, nextVoucher, openRequestFrom, secretKeyFromText } from '../../captive-portal/page/wallet.ts';
import { termsFromJson } from '../../captive-portal/page/wire.ts';
import { termsJson } from '../../captive-portal/view-json.ts';
import type { OpenRequest } from '../../protocol/open-wire.ts';
import type { SignedVoucher } from '../../protocol/voucher.ts';
import { byGuest, CONFIG, cafe, DEPLOYMENT, NOW_S, PASS_CODE, quote, view } from './support/cafe.ts';

const SECRET_KEY = secretKeyFromText(PASS_CODE) as Uint8Array;
const SELLING: Partial<GuestDesk> = { quote: () => quote(), view: () => view() };
const done = (): Promise<DeskResult> => Promise.resolve({ ok: true, view: view() });

/** The view of a guest whose channel was opened with PASS_CODE, and its voucher. */
function running(): { readonly voucher: SignedVoucher; readonly shown: ReturnType<typeof view> } {
  const terms = termsFromJson(termsJson(quote(), CONFIG, NOW_S));
  const made = openRequestFrom({
    terms,
    secretKey: SECRET_KEY,
    deposit: 30_000n,
    firstAmount: 10_000n,
    mode: 'hold',
    salt: `0x${'5a'.repeat(32)}`,
  });
  if (!made.ok) throw new Error(made.reason);
  const { voucher } = made.request;
  const shown = view({
    phase: 'active',
    isOnline: true,
    channelId: voucher.channelId,
    lastVoucher: voucher,
    depositUnits: 30_000n,
    creditUnits: 10_000n,
    chargedUnits: 9_000n,
    downBytes: 8_000_000n,
    upBytes: 500_000n,
    bytesRemaining: 1_000_000n,
  });
  return { voucher, shown };
}

t.test('a pass code in a plain form opens a channel in HOLD mode and leads back to the page', async (t) => {
  const opens: OpenRequest[] = [];
  const open = (_mac: unknown, request: OpenRequest) => {
    opens.push(request);
    return done();
  };
  const { app } = await cafe({ ...SELLING, open });
  const response = await app.inject(byGuest('POST', '/pass', `code=${PASS_CODE.toLowerCase()}&package=1`));
  t.equal(response.statusCode, 303);
  t.equal(response.headers.location, '/?lang=en');
  t.match(opens, [{ mode: 'hold', deposit: 150_000n, voucher: { amount: 50_000n, ackBytes: 0n } }]);
  t.ok(isOwnVoucher(DEPLOYMENT, SECRET_KEY, opens[0]?.voucher as SignedVoucher));
  const again = await app.inject(byGuest('POST', '/pass', `code=${PASS_CODE}`));
  t.equal(again.statusCode, 303);
  t.equal(opens[1]?.voucher.amount, 10_000n, 'the first package unless one is chosen');
  t.not(opens[1]?.config.salt, opens[0]?.config.salt);
});

t.test('the exact deposit is tried when the roomy one is refused by the chain', async (t) => {
  const deposits: bigint[] = [];
  const channels = new Set<string>();
  const open = (_mac: unknown, { deposit, voucher }: OpenRequest): Promise<DeskResult> => {
    deposits.push(deposit);
    channels.add(voucher.channelId);
    if (deposit <= 20_000n) return done();
    return Promise.resolve({ ok: false, reason: 'chain-refused', expected: 'a deposit', got: 'revert: balance' });
  };
  const { app } = await cafe({ ...SELLING, open });
  t.equal((await app.inject(byGuest('POST', '/pass', `code=${PASS_CODE}`))).statusCode, 303);
  t.strictSame(deposits, [30_000n, 20_000n]);
  t.equal(channels.size, 1, 'both are for one channel, of which there can be only one');
});

t.test('a refusal comes back as the form with what to do next, and nothing internal', async (t) => {
  const open = (): Promise<DeskResult> =>
    Promise.resolve({ ok: false, reason: 'chain-refused', expected: 'a deposit', got: 'revert at rpc.internal' });
  const { app } = await cafe({ ...SELLING, open });
  const response = await app.inject(byGuest('POST', '/pass', `code=${PASS_CODE}`));
  t.equal(response.statusCode, 402);
  t.match(response.headers['content-type'], /^text\/html/);
  t.match(response.body, /role="alert">The payment was refused\. Check that the pass code holds enough SSP/);
  t.match(response.body, /action="\/pass\?lang=en"/);
  t.notMatch(response.body, /rpc\.internal|refresh/);
});

t.test('what is no pass code is refused before anything is signed', async (t) => {
  const { app } = await cafe(SELLING);
  for (const body of [
    'code=',
    'package=0',
    `code=${'A'.repeat(5_000)}`,
    'code=%00%ff',
    `code=<script>alert(1)</script>`,
  ]) {
    const response = await app.inject(byGuest('POST', '/pass', body));
    t.equal(response.statusCode, 400);
    t.match(response.body, 'That is not a pass code.');
    t.notMatch(response.body, '<script>');
  }
});

t.test('a running channel of the same code gets a larger voucher instead of another channel', async (t) => {
  const { voucher: last, shown } = running();
  const taken: SignedVoucher[] = [];
  const voucher = (_mac: unknown, next: SignedVoucher) => {
    taken.push(next);
    return done();
  };
  const { app } = await cafe({ ...SELLING, view: () => shown, voucher });
  t.equal((await app.inject(byGuest('POST', '/pass', `code=${PASS_CODE}`))).statusCode, 303);
  const expected = nextVoucher({
    deployment: DEPLOYMENT,
    secretKey: SECRET_KEY,
    last,
    depositUnits: 30_000n,
    addUnits: 10_000n,
    ackBytes: 8_500_000n,
  });
  t.strictSame(taken, expected.ok ? [expected.voucher] : undefined);
});

t.test('another code cannot add to a running channel, nor this one beyond its deposit', async (t) => {
  const { shown } = running();
  const { app } = await cafe({ ...SELLING, view: () => shown });
  const other = await app.inject(byGuest('POST', '/pass', 'code=00000-00000-00000-00001'));
  t.equal(other.statusCode, 409);
  t.match(other.body, 'paid with another pass code');
  const { app: spent } = await cafe({ ...SELLING, view: () => ({ ...shown, depositUnits: 10_000n }) });
  const beyond = await spent.inject(byGuest('POST', '/pass', `code=${PASS_CODE}`));
  t.equal(beyond.statusCode, 422);
  t.match(beyond.body, 'more than you set aside');
});

t.test('trial, pause and finish work as plain forms', async (t) => {
  const asked: string[] = [];
  const note = (what: string) => () => {
    asked.push(what);
    return done();
  };
  const { app } = await cafe({
    ...SELLING,
    startTrial: note('trial'),
    pause: note('pause'),
    resume: note('resume'),
    leave: note('leave'),
  });
  for (const action of ['trial', 'pause', 'resume']) {
    t.equal((await app.inject(byGuest('POST', `/${action}`, ''))).statusCode, 303);
  }
  t.equal((await app.inject(byGuest('POST', '/leave', ''))).headers.location, '/?lang=en');
  t.strictSame(asked, ['trial', 'pause', 'resume', 'leave']);
});

t.test("the status page shows price, packages and trial to a new guest, with the owner's name as text", async (t) => {
  const { app } = await cafe(SELLING);
  const { statusCode, body } = await app.inject(byGuest('GET', '/status'));
  t.equal(statusCode, 200);
  t.match(body, 'Café &lt;Zentral&gt; &amp; Söhne');
  t.match(body, /1.SSP buys 10.MB/);
  t.match(body, /value="1"><.*>49.5.MB<.*>A long coffee<.*>5.SSP</);
  t.match(body, /action="\/trial\?lang=en"><button class="secondary">Try 2.MB free/);
  t.notMatch(body, 'http-equiv', 'nothing takes away what is being typed');
  t.notMatch(body, 'action="/leave');
});

t.test('the status page of a guest online shows what is left and how to finish', async (t) => {
  const { app } = await cafe({ ...SELLING, view: () => running().shown });
  const { body } = await app.inject(byGuest('GET', '/status'));
  t.match(body, /You are online/);
  t.match(body, /1.MB left\. 8\.5.MB used\. 0\.9.SSP spent\./);
  t.match(body, 'action="/leave?lang=en"');
  t.match(body, /<h2>Add data<\/h2>.*<button>Add data<\/button>/s, 'the form adds, and says so');
  t.match(body, /http-equiv="refresh" content="60;url=\/status\?lang=en"/);
  t.notMatch(body, 'action="/trial');
  t.notMatch(body, 'action="/pause', 'this router has no pause');
});

t.test('a guest without JavaScript can pause and go on', async (t) => {
  const { shown } = running();
  const { app } = await cafe({ ...SELLING, view: () => ({ ...shown, isPaused: false }) });
  t.match((await app.inject(byGuest('GET', '/status'))).body, 'action="/pause?lang=en"');
  const { app: paused } = await cafe({ ...SELLING, view: () => ({ ...shown, isOnline: false, isPaused: true }) });
  const { body } = await paused.inject(byGuest('GET', '/status'));
  t.match(body, 'action="/resume?lang=en"');
  t.match(body, 'action="/leave?lang=en"');
  t.notMatch(body, 'action="/pause');
});

t.test('while the payment network works the page looks again soon', async (t) => {
  const { app } = await cafe({ ...SELLING, view: () => view({ phase: 'closing' }) });
  t.match((await app.inject(byGuest('GET', '/status'))).body, /http-equiv="refresh" content="5;/);
});

t.test(
  'without packages the smallest deposit is bought, and without a price for data no amount is promised',
  async (t) => {
    const opens: OpenRequest[] = [];
    const open = (_mac: unknown, request: OpenRequest) => {
      opens.push(request);
      return done();
    };
    const config = { ...CONFIG, price: { ...CONFIG.price, packages: [] } };
    const { app } = await cafe({ ...SELLING, open }, config);
    t.notMatch((await app.inject(byGuest('GET', '/status'))).body, 'type="radio"');
    await app.inject(byGuest('POST', '/pass', `code=${PASS_CODE}&package=abc`));
    t.equal(opens[0]?.voucher.amount, 20_000n);
    const timed = { ...SELLING, quote: () => quote({ unitsPerMb: 0n, unitsPerMinute: 100n }) };
    const { app: byTime } = await cafe(timed);
    t.match(
      (await byTime.inject(byGuest('GET', '/status'))).body,
      /value="0" checked>(<[^>]+>)+Mail and chat(<[^>]+>)+1.SSP</,
    );
  },
);

t.test('while nothing is sold, and to strangers, the status page says what to do', async (t) => {
  const { app } = await cafe({ ...SELLING, quote: () => ({ notSelling: 'no clock' }) });
  const page = await app.inject(byGuest('GET', '/status'));
  t.match(page.body, 'WiFi is not on sale right now');
  t.notMatch(page.body, 'no clock');
  t.equal((await app.inject(byGuest('POST', '/pass', `code=${PASS_CODE}`))).statusCode, 503);
  const stranger = await app.inject({ ...byGuest('GET', '/status'), remoteAddress: '192.0.2.9' });
  t.equal(stranger.statusCode, 403);
  t.match(stranger.body, 'The router cannot see this device');
  const form = await app.inject({ ...byGuest('POST', '/leave', ''), remoteAddress: '192.0.2.9' });
  t.equal(form.statusCode, 403);
});

t.test('a package below the open fee still pays the fee, and says so', async (t) => {
  const opens: OpenRequest[] = [];
  const open = (_mac: unknown, request: OpenRequest) => {
    opens.push(request);
    return done();
  };
  const { app } = await cafe({ ...SELLING, quote: () => quote({ openFee: 12_000n }), open });
  t.match((await app.inject(byGuest('GET', '/status'))).body, /value="0" checked>.*Mail and chat.*>1\.2.SSP</);
  await app.inject(byGuest('POST', '/pass', `code=${PASS_CODE}`));
  t.equal(opens[0]?.voucher.amount, 12_000n);
});
