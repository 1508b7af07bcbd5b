/** The guest's page in a real Chromium over plain http, against a desk that verifies every signature. */
import { existsSync } from 'node:fs';
import type { Page } from 'playwright-core';
import t, { type Test } from 'tap';
import { voucherSigner } from '../../protocol/voucher.ts';
import { accessibilityFaults } from '../captive-portal/support/axe.ts';
import { CHROMIUM_PATH, openStage } from '../captive-portal/support/browser.ts';
import { DEPLOYMENT, PASS_CODE, quote } from '../captive-portal/support/cafe.ts';
import { LOW_CONTRAST_TEXTS } from '../captive-portal/support/contrast.ts';
import { CUT_AT_DOUBLE_TEXT } from '../captive-portal/support/large-text.ts';
import { livingDesk } from '../captive-portal/support/living-desk.ts';
import { mood, visitsOf } from '../captive-portal/support/visits.ts';

const PHONES = [
  { viewport: { width: 390, height: 844 }, locale: 'en-GB' },
  { viewport: { width: 320, height: 568 }, locale: 'ar-EG' },
];

if (!existsSync(CHROMIUM_PATH)) t.bailout(`These tests need ${CHROMIUM_PATH}: apt-get install chromium.`);

const stage = await openStage();
t.setTimeout(290_000);
t.teardown(() => stage.browser.close());
const { withRouter, withPage, opened } = visitsOf(stage);

for (const { viewport, locale } of PHONES) {
  const size = `${viewport.width}x${viewport.height}`;
  const isEnglish = locale.startsWith('en');

  t.test(
    `at ${size} in ${locale} a guest tries free, pays with a pass code, adds data, finishes and sees the refund`,
    async (t) => {
      const desk = livingDesk(quote(), 1_000_000n);
      await withPage(t, desk, { viewport, locale }, async (page) => {
        t.equal(await page.getAttribute('html', 'dir'), isEnglish ? 'ltr' : 'rtl');
        t.equal(await page.evaluate('isSecureContext || crypto.subtle !== undefined'), false, 'as on a phone');
        t.equal(await page.textContent('h1'), 'Café <Zentral> & Söhne', "the owner's name is text, not markup");
        await page.waitForSelector('.option');
        t.match(await page.textContent('#price'), isEnglish ? /^1.SSP buys 10.MB$/ : /SSP يشتري ١٠.م\.ب$/);
        await noSidewaysScroll(t, page);

        await page.click('#trial');
        await mood(page, 'trial');
        t.match(desk.trialKeys, [/^0x[0-9a-f]{40}$/], 'the trial is asked for under a key of this tab');
        t.match(await page.textContent('#left-value'), isEnglish ? /2.MB/ : /٢.م\.ب/);
        t.match(page.url(), /\?online$/, 'a real navigation, so that a sign-in sheet looks again');

        await page.click('.option >> nth=1');
        await page.fill('#code', PASS_CODE.toLowerCase());
        await page.click('#pay-button');
        await mood(page, 'online');
        t.match(desk.opens[0], { mode: 'hold', deposit: 150_000n });
        t.match(await page.textContent('#left-value'), isEnglish ? /49.5.MB/ : /٤٩٫٥.م\.ب/);

        await page.click('#pause');
        await mood(page, 'paused');
        await noSidewaysScroll(t, page);
        await page.click('#pause');
        await mood(page, 'online');

        desk.use(44_000_000n, 1_000_000n);
        await mood(page, 'low');
        t.match(await page.textContent('#left-value'), isEnglish ? /4.5.MB/ : /٤٫٥.م\.ب/);
        await page.click('#add');
        t.equal(await page.isVisible('#code'), false, 'the code is remembered while the tab lives');
        await page.click('#pay-button');
        await mood(page, 'online');
        t.equal(desk.vouchers.at(-1)?.amount, 60_000n);
        t.equal(desk.vouchers.at(-1)?.ackBytes, 45_000_000n, 'the page acknowledges what it showed');

        await noSidewaysScroll(t, page);
        await page.click('#finish');
        await mood(page, 'closing');
        desk.settle();
        await mood(page, 'settled');
        t.match(await page.textContent('#refund-text'), isEnglish ? /^10\.45.SSP came back$/ : /١٠٫٤٥.SSP$/);
        t.equal(await page.inputValue('#code'), PASS_CODE, 'the ticket stays, for the next payment');
        await noSidewaysScroll(t, page);
      });
    },
  );
}

t.test('paying as you go signs one step after the other, never above the deposit', async (t) => {
  const desk = livingDesk(quote(), 1_000_000n);
  await withPage(t, desk, {}, async (page) => {
    await page.waitForSelector('.option');
    await page.click('.option >> nth=2');
    await page.fill('#code', PASS_CODE);
    await page.click('#pay-button');
    await mood(page, 'online');
    t.match(desk.opens[0], { mode: 'stream', deposit: 50_000n });
    t.match(await page.textContent('#explain'), /Keep this page open/);
    for (let i = 0; i < 40; i++) {
      desk.use(90_000n, 10_000n);
      await page.waitForTimeout(100);
    }
    const { creditUnits } = desk.current();
    t.equal(desk.vouchers.length, 2, 'the first, and the one that the ticks stand on');
    t.ok(desk.ticks.length > 0 && desk.ticks.length < 10, `${desk.ticks.length} ticks for 4 MB at 1 MB a second`);
    t.ok(creditUnits <= 12_000n, `at most 8 MB ahead: ${creditUnits}`);
    while (desk.current().creditUnits < 50_000n) {
      desk.use(900_000n, 100_000n);
      await page.waitForTimeout(50);
    }
    desk.use(50_000_000n, 0n);
    const amounts = desk.vouchers.map(({ amount }) => amount);
    for (const paid of [amounts, desk.ticks]) {
      t.strictSame(
        paid,
        [...new Set(paid)].sort((a, b) => Number(a - b)),
        'always increasing',
      );
    }
    t.equal(amounts.at(-1), 50_000n, 'up to the deposit and no further');
    const signer = desk.opens[0]?.config.signer;
    t.ok(desk.vouchers.every((voucher) => voucherSigner(DEPLOYMENT, voucher) === signer));
    await mood(page, 'grace');
    t.equal(await page.isVisible('#finish'), true);
  });
});

/** A guest who taps twice: from inside the page, where the second tap comes with the news however busy the machine is. */
const TAP_AGAIN_AT_ONCE = `new MutationObserver((_, observer) => {
  if (!document.getElementById('problem').textContent.includes('nouveau prix')) return;
  observer.disconnect();
  requestAnimationFrame(() => {
    const button = document.getElementById('pay-button');
    button.click();
    button.dataset.tappedAgain = 'yes';
  });
}).observe(document.getElementById('problem'), { childList: true, characterData: true, subtree: true })`;

t.test('a price that changed while the page was open is shown before anything is signed', async (t) => {
  const desk = livingDesk(quote(), 20_000_000n);
  let offered = quote();
  const router = { ...desk, quote: () => offered };
  await withPage(t, router, { locale: 'fr' }, async (page) => {
    await page.waitForSelector('.option');
    await page.click('.option >> nth=1');
    await page.fill('#code', PASS_CODE);
    offered = quote({ unitsPerMb: 100_000n, openFee: 40_000n });
    await page.evaluate(TAP_AGAIN_AT_ONCE);
    await page.click('#pay-button');
    await page.waitForSelector('#problem:text("nouveau prix")');
    t.strictSame(desk.opens, [], 'nothing was signed');
    t.match(await page.textContent('#price'), /100.ko/);
    t.match(await page.textContent('#deposit'), /15.SSP.*4.SSP/s);
    t.match(await page.textContent('.option >> nth=0'), /0.o.*4.SSP/s, 'a package below the fee costs the fee');
    t.equal(await page.inputValue('#code'), PASS_CODE, 'what was typed stays');
    t.equal(await page.isChecked('.option >> nth=1 >> input'), true, 'and what was chosen');
    await page.waitForTimeout(1_000);
    t.equal(await page.getAttribute('#pay-button', 'data-tapped-again'), 'yes');
    t.strictSame(desk.opens, [], 'a second tap at once was meant for the old price');
    await page.click('#pay-button');
    await mood(page, 'online');
    t.match(desk.opens[0], { deposit: 150_000n, quote: { unitsPerMb: 100_000n } });
  });
});

t.test('the offer is asked for again when the guest comes back to the page', async (t) => {
  let offered = quote();
  const router = { ...livingDesk(quote(), 0n), quote: () => offered };
  await withPage(t, router, { locale: 'en' }, async (page) => {
    await page.waitForSelector('.option');
    await page.click('.option >> nth=2');
    await page.evaluate('document.dispatchEvent(new Event("visibilitychange"))');
    await page.waitForTimeout(300);
    t.equal(await page.isVisible('#problem'), false, 'the same offer disturbs nobody');
    offered = quote({ unitsPerMb: 2_000n });
    await page.evaluate('document.dispatchEvent(new Event("visibilitychange"))');
    await page.waitForSelector('#price:text("5 MB")');
    t.match(await page.textContent('#problem'), /has changed/);
    t.equal(await page.isChecked('.option >> nth=2 >> input'), true);
  });
});

t.test("what more data costs is the channel's own price, whatever is offered now", async (t) => {
  const desk = livingDesk(quote(), 1_000_000n);
  let offered = quote();
  const router = { ...desk, quote: () => offered };
  await withRouter(router, async () => {
    const { page, close } = await opened({ locale: 'en' });
    await page.waitForSelector('.option');
    await page.fill('#code', PASS_CODE);
    await page.click('#pay-button');
    await page.waitForURL(/\?online$/);
    offered = quote({ unitsPerMb: 10_000n });
    await page.reload();
    await mood(page, 'online');
    await page.click('#add');
    t.match(await page.textContent('.option >> nth=0'), /^10.MB1.SSP$/, 'at 1,000 units a MB, as agreed');
    await page.evaluate('sessionStorage.clear()');
    await page.reload();
    await mood(page, 'online');
    await page.click('#add');
    t.match(await page.textContent('.option >> nth=0'), /^1.SSP$/, 'a price that is not known is not made up');
    await close();
  });
});

t.test('the whole page can be used by keyboard, in order', async (t) => {
  const desk = livingDesk(quote(), 1_000_000n);
  await withPage(t, desk, {}, async (page) => {
    await page.waitForSelector('.option');
    const stops: string[] = [];
    for (let i = 0; i < 6; i++) {
      await page.keyboard.press('Tab');
      stops.push(await page.evaluate<string>('document.activeElement.id || document.activeElement.name'));
    }
    t.strictSame(stops, ['language', 'trial', 'package', 'code', 'pay-button', 'other-wallet']);
    await page.focus('#code');
    await page.keyboard.type(PASS_CODE);
    await page.keyboard.press('Enter');
    await mood(page, 'online');
  });
});

for (const [colorScheme, locale] of [
  ['light', 'en'],
  ['dark', 'ar'],
] as const) {
  t.test(`WCAG 2.2 AA in ${colorScheme}, ${locale}: by axe, and by the contrast of every text`, async (t) => {
    const desk = livingDesk(quote(), 1_000_000n);
    await withPage(t, desk, { colorScheme, locale, reducedMotion: 'reduce' }, async (page) => {
      const check = async (scene: string) => {
        t.strictSame(await accessibilityFaults(page), [], scene);
        t.strictSame(await page.evaluate(LOW_CONTRAST_TEXTS), [], scene);
      };
      await page.waitForSelector('.option');
      await check('offline');
      await page.click('#other-wallet');
      await check('other wallet');
      await page.click('#wallet-cancel');
      await page.fill('#code', PASS_CODE);
      await page.click('#pay-button');
      await mood(page, 'online');
      desk.use(9_000_000n, 0n);
      await mood(page, 'low');
      await page.click('#ticket summary');
      await page.waitForSelector('#ticket-qr svg');
      await check('low, with the ticket open');
      await page.setViewportSize({ width: 360, height: 640 });
      await page.click('#add');
      t.strictSame(await page.evaluate(CUT_AT_DOUBLE_TEXT), [], 'with large letters nothing is cut');
    });
  });
}

async function noSidewaysScroll(t: Test, page: Page): Promise<void> {
  const spill = await page.evaluate('document.documentElement.scrollWidth - document.documentElement.clientWidth');
  t.equal(spill, 0, 'nothing sticks out sideways');
}
