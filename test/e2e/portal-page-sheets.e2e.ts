/** The guest's page where browsers do as little as they can: sign-in sheets of old phones, killed sheets, no JavaScript. */
import { existsSync } from 'node:fs';
import type { Route } from 'playwright-core';
import t from 'tap';
import { viewJsonFromView } from '../../captive-portal/view-json.ts';
import { CHROMIUM_PATH, openStage, PORTAL, visit } from '../captive-portal/support/browser.ts';
import { PASS_CODE, quote } from '../captive-portal/support/cafe.ts';
import { livingDesk } from '../captive-portal/support/living-desk.ts';
import { OLD_SHEET } from '../captive-portal/support/old-sheet.ts';
import { mood, visitsOf } from '../captive-portal/support/visits.ts';

if (!existsSync(CHROMIUM_PATH)) t.bailout(`These tests need ${CHROMIUM_PATH}: apt-get install chromium.`);

const stage = await openStage();
t.setTimeout(290_000);
t.teardown(() => stage.browser.close());
const { withRouter, opened } = visitsOf(stage);

t.test(
  'in an old sheet where storage throws and event streams are missing, the page still pays and follows',
  async (t) => {
    const desk = livingDesk(quote(), 1_000_000n);
    await withRouter(desk, async () => {
      const { page, complaints, close } = await opened({}, OLD_SHEET);
      await page.waitForSelector('.option');
      await page.fill('#code', PASS_CODE);
      await page.click('#pay-button');
      await page.waitForURL(/\?online$/);
      await mood(page, 'online');
      desk.use(9_000_000n, 0n);
      await mood(page, 'low');
      await page.click('#add');
      t.equal(await page.isVisible('#code'), false, 'the key survived the navigation without storage');
      await page.click('#pay-button');
      await mood(page, 'online');
      t.equal(desk.vouchers.length, 2);
      t.strictSame(complaints, []);
      await close();
    });
  },
);

t.test(
  'a sheet pays from another wallet and is killed: later its ticket brings the rest back, on two devices',
  async (t) => {
    const desk = livingDesk(quote(), 1_000_000n);
    await withRouter(desk, async () => {
      const sheet = await opened({ locale: 'en' }, OLD_SHEET);
      await sheet.page.waitForSelector('.option');
      await sheet.page.click('#other-wallet');
      await sheet.page.waitForSelector('#wallet-qr svg[role=img]');
      const ticket = (await sheet.page.textContent('#wallet-ticket')) ?? '';
      t.match(ticket, /^([0-9A-HJKMNP-TV-Z]{5}-){3}[0-9A-HJKMNP-TV-Z]{5}$/);
      t.match(await sheet.page.textContent('#wallet-send'), /send 2.SSP to the ticket, on chain 31337/);
      const address = await sheet.page.textContent('#wallet-address');
      await sheet.page.click('#wallet-sent');
      await mood(sheet.page, 'online');
      t.match(desk.opens[0], { mode: 'hold', config: { payer: address } });
      t.strictSame(sheet.complaints, []);
      await sheet.close();
      desk.use(3_000_000n, 500_000n);
      desk.changeMac();

      const laptop = await opened({ locale: 'zh-CN' });
      await mood(laptop.page, 'offline');
      await laptop.page.waitForSelector('.option');
      await laptop.page.selectOption('#language', 'ru');
      await laptop.page.waitForSelector('html[lang=ru]');
      await laptop.page.waitForSelector('.option');
      await laptop.page.fill('#code', ticket);
      await laptop.page.click('#pay-button');
      await laptop.page.waitForURL(/\?lang=ru&online$/);
      await mood(laptop.page, 'online');
      t.match(await laptop.page.textContent('#left-value'), /6.МБ/);
      t.strictSame(laptop.complaints, []);
      await laptop.close();

      desk.changeMac();
      const phone = await visit(stage.browser, { locale: 'en' });
      await phone.page.goto(`${PORTAL}#t=${ticket}`);
      await mood(phone.page, 'online');
      t.notMatch(phone.page.url(), '#', 'the ticket does not stay in the address');
      t.equal(desk.opens.length, 1, 'one channel, one deposit');
      await phone.page.click('#finish');
      await mood(phone.page, 'closing');
      desk.settle();
      await phone.page.waitForSelector('#refund-text:text("came back")');
      t.strictSame(phone.complaints, []);
      await phone.close();
    });
  },
);

t.test('without JavaScript a pass code opens, adds and finishes by plain forms', async (t) => {
  const desk = livingDesk(quote(), 1_000_000n);
  await withRouter(desk, async () => {
    const { page, complaints, close } = await opened({
      javaScriptEnabled: false,
      viewport: { width: 320, height: 568 },
    });
    await page.waitForURL(/\/status/);
    await page.fill('#code', 'nonsense');
    await page.click('form[action^="/pass"] button');
    t.match(await page.textContent('.problem'), /not a pass code/);
    await page.fill('#code', PASS_CODE);
    await page.check('.option >> nth=1 >> input');
    await page.click('form[action^="/pass"] button');
    await page.waitForURL(/\/status/);
    t.match(await page.textContent('.card'), /You are online.*49\.5.MB left/s);
    desk.use(10_000_000n, 0n);
    await page.fill('#code', PASS_CODE);
    await page.click('form[action^="/pass"] button');
    await page.waitForURL(/\/status/);
    t.equal(desk.vouchers.at(-1)?.amount, 60_000n);
    await page.click('form[action^="/leave"] button');
    await page.waitForURL(/\/status/);
    desk.settle();
    await page.reload();
    t.match(await page.textContent('.card'), /came back/);
    t.strictSame(
      complaints.filter((complaint) => !complaint.includes('400 (Bad Request)')),
      [],
    );
    await close();
  });
});

t.test('a router that can pause and give receipts is asked to', async (t) => {
  const desk = livingDesk(quote(), 1_000_000n);
  await withRouter(desk, async () => {
    const { page, complaints, close } = await opened({ locale: 'en' }, 'delete window.EventSource;');
    let isPaused = false;
    const receipt = { v: 1, kind: 'receipt', units: '500', sig: `0x${'ab'.repeat(64)}` };
    const answer = (route: Route) => {
      const view = viewJsonFromView(desk.current());
      return route.fulfill({ json: { ...view, isOnline: view.isOnline && !isPaused, isPaused, hasReceipt: true } });
    };
    const becomes = (paused: boolean) => (route: Route) => {
      isPaused = paused;
      return answer(route);
    };
    await page.route('**/api/view', answer);
    await page.route('**/api/pause', becomes(true));
    await page.route('**/api/resume', becomes(false));
    await page.route('**/api/receipt', (route) => route.fulfill({ json: receipt }));
    await page.waitForSelector('.option');
    await page.fill('#code', PASS_CODE);
    await page.click('#pay-button');
    await page.waitForURL(/\?online$/);
    await mood(page, 'online');
    await page.click('#pause');
    await mood(page, 'paused');
    t.match(await page.textContent('#explain'), /nothing is charged/);
    t.equal(await page.isVisible('#finish'), true);
    await page.click('#pause');
    await mood(page, 'online');
    await page.click('#receipt summary');
    await page.waitForSelector('#receipt-qr svg');
    const [download] = await Promise.all([page.waitForEvent('download'), page.click('#receipt a')]);
    t.equal(download.suggestedFilename(), 'receipt.json');
    t.strictSame(complaints, []);
    await close();
  });
});
