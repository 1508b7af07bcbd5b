/** The page's payer against the real desk, core and journal, over the portal's own routes. */
import { mock } from 'node:test';
import t from 'tap';
import type { Deal } from '../../../captive-portal/page/offer.ts';
import { StreamPayer } from '../../../captive-portal/page/stream-payer.ts';
import { type View, type ViewJson, viewFromJson } from '../../../captive-portal/page/wire.ts';
import { viewJsonFromView } from '../../../captive-portal/view-json.ts';
import { PHONE } from '../../agent/core/support/story.ts';
import { AgentScene, GUEST_KEY, settled } from '../../support/agent-scene.ts';
import { byGuest, cafe } from '../support/cafe.ts';

const MB = 1_000_000n;

mock.timers.enable({ apis: ['setTimeout'] });

/** A guest with 1,050 units of 10,000 set aside at 10 units a megabyte; `refuse` answers a route instead of the desk. */
async function streaming(refuse: (url: string) => number | undefined = () => undefined, agreed: Partial<Deal> = {}) {
  const scene = new AgentScene();
  const opened = await scene.desk.open(PHONE, scene.openRequest({ mode: 'stream', firstAmount: 70n }));
  if (!opened.ok) throw new Error(`open refused: ${opened.reason}`);
  const asked: string[] = [];
  const { desk } = scene;
  const { app } = await cafe({
    voucher: (_, voucher) => desk.voucher(PHONE, voucher),
    tickVoucher: (_, voucher) => desk.tickVoucher(PHONE, voucher),
    tick: (_, channelId, tick) => desk.tick(PHONE, channelId, tick),
  });
  const fetcher = async (url: string, options: { body: string }) => {
    asked.push(url);
    const status = refuse(url);
    if (status === 0) throw new TypeError('no answer');
    const isRefused = status !== undefined;
    const answer = await app.inject(byGuest('POST', isRefused ? '/api/no-such-route' : url, JSON.parse(options.body)));
    return new Response(answer.body, { status: answer.statusCode });
  };
  t.capture(globalThis, 'fetch', fetcher as unknown as typeof fetch);
  const quote = scene.quote();
  const { deployment } = scene;
  const tokenDomain = { name: 'SSP', version: '1', chainId: deployment.chainId, verifyingContract: quote.token };
  const terms = { quote, deployment, tokenDomain, packages: [], trialBytes: 0n, nowS: 0n };
  const view = (): View =>
    viewFromJson(JSON.parse(JSON.stringify(viewJsonFromView(scene.desk.view(PHONE)))) as ViewJson);
  const { channelId = '0x' } = view();
  const deal = { channelId, most: 10_000n, tariff: quote, ...agreed };
  const page = () => new StreamPayer(terms, GUEST_KEY, deal, () => undefined);
  let payer = page();
  const count = (name: string) => asked.filter((url) => url === `/api/${name}`).length;
  /** One megabyte, then the look of the page at what it is shown. */
  const second = async () => {
    const passed = scene.download(MB);
    scene.clock.ms += 1_000;
    await scene.sample();
    await payer.look(view(), scene.clock.ms);
    // The desk hands ticks to the core ten times a second.
    mock.timers.tick(110);
    await settled();
    return passed;
  };
  const reload = () => {
    payer = page();
  };
  return { scene, view, second, count, reload };
}

t.test('a stream pays by ticks, and a voucher begins each chain', async (t) => {
  const { scene, view, second, count } = await streaming();
  for (let i = 0; i < 12; i++) t.equal(await second(), MB, `second ${i}`);
  t.equal(count('voucher'), 1);
  t.equal(count('tick-voucher'), 1);
  t.ok(count('tick') >= 3, `${count('tick')} ticks, each some seconds of 10 units`);
  const { chargedUnits, creditUnits, lastVoucher } = view();
  t.equal(chargedUnits, 50n + 120n);
  t.ok(creditUnits > (lastVoucher?.amount ?? 0n), 'the credit rests on ticks');
  t.ok(creditUnits >= chargedUnits && creditUnits <= chargedUnits + 60n, `${creditUnits} for ${chargedUnits}`);
  scene.clock.ms += 61_000;
  for (let i = 0; i < 5; i++) await second();
  t.equal(count('voucher'), 2, 'a minute later a signature covers the ticks');
  t.equal(count('tick-voucher'), 2);
  t.ok((view().lastVoucher?.amount ?? 0n) >= creditUnits);
});

t.test('a page that was loaded anew, and forgot its chain, goes on', async (t) => {
  const { second, reload, count } = await streaming();
  for (let i = 0; i < 4; i++) await second();
  const before = count('tick');
  reload();
  for (let i = 0; i < 10; i++) t.equal(await second(), MB);
  t.ok(count('tick') > before, `${count('tick')} ticks, ${before} before`);
});

t.test('a router that knows no ticks is paid by vouchers, and asked once', async (t) => {
  const { second, count } = await streaming((url) => (url.startsWith('/api/tick') ? 404 : undefined));
  for (let i = 0; i < 8; i++) t.equal(await second(), MB);
  t.equal(count('tick-voucher'), 1);
  t.equal(count('tick'), 0);
  t.ok(count('voucher') >= 3);
});

t.test('a tick whose answer is lost is sent again', async (t) => {
  let lost = 0;
  const { second, count } = await streaming((url) => (url === '/api/tick' && lost++ < 2 ? 0 : undefined));
  for (let i = 0; i < 8; i++) await second();
  t.equal(await second(), MB);
  t.equal(count('voucher'), 1, 'no voucher in its place');
  t.ok(lost >= 3, 'two were lost');
});

t.test('on a channel that this page did not open, the payer signs nothing', async (t) => {
  const { second, count } = await streaming(undefined, { channelId: `0x${'55'.repeat(32)}` });
  for (let i = 0; i < 5; i++) await second();
  t.equal(count('voucher') + count('tick-voucher') + count('tick'), 0);
});

t.test('a router that claims a larger deposit gets no more than was shown', async (t) => {
  const { second, view } = await streaming(undefined, { most: 150n });
  for (let i = 0; i < 12; i++) await second();
  t.ok(view().depositUnits > 1_000n, 'there is more to take');
  t.equal(view().creditUnits, 150n);
});
