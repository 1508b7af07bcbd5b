/** The guest's page in a real Chromium over plain http, against a desk that verifies every signature. */
import { existsSync } from 'node:fs';
import type { BrowserContextOptions, Page } from 'playwright-core';
import t, { type Test } from 'tap';
import { voucherSigner } from '../../protocol/voucher.ts';
import { CHROMIUM_PATH, openStage, PORTAL, type Visit, visit } from '../captive-portal/support/browser.ts';
import { cafe, DEPLOYMENT, PASS_CODE, quote } from '../captive-portal/support/cafe.ts';
import { LOW_CONTRAST_TEXTS } from '../captive-portal/support/contrast.ts';
import { type LivingDesk, livingDesk } from '../captive-portal/support/living-desk.ts';

const PHONES = [
  { width: 390, height: 844 },
  { width: 320, height: 568 },
];

/** What some sign-in sheets of old phones do to a page: no storage, no event streams, no function newer than 2020. */
const SHEET = `
  for (const name of ['localStorage', 'sessionStorage', 'indexedDB']) {
    Object.defineProperty(window, name, { get() { throw new DOMException('denied', 'SecurityError'); } });
  }
  delete window.EventSource;
  for (const [owner, name] of [
    [Object, 'hasOwn'], [Element.prototype, 'replaceChildren'], [Array.prototype, 'at'], [String.prototype, 'at'],
    [String.prototype, 'replaceAll'], [window, 'structuredClone'], [Uint8Array.prototype, 'toHex'], [Uint8Array, 'fromHex'],
    [Promise, 'any'], [Array.prototype, 'findLast'], [Array.prototype, 'toSorted'],
  ]) delete owner[name];
`;

if (!existsSync(CHROMIUM_PATH)) t.bailout(`These tests need ${CHROMIUM_PATH}: apt-get install chromium.`);

const stage = await openStage();
t.setTimeout(170_000);
t.teardown(() => stage.browser.close());

/** Runs `story` with a fresh router and no page yet. */
async function withRouter(desk: LivingDesk, story: (logged: readonly unknown[]) => Promise<void>): Promise<void> {
  const { app, logged } = await cafe(desk);
  await stage.present(app);
  try {
    await story(logged);
  } finally {
    await app.close();
  }
}

async function opened(options: BrowserContextOptions, initScript = ''): Promise<Visit> {
  const made = await visit(stage.browser, options);
  made.page.setDefaultTimeout(10_000);
  await made.page.addInitScript(initScript);
  await made.page.goto(PORTAL);
  return made;
}

/** Runs `story` on a fresh router and page; fails on anything the browser complains about. */
async function withPage(
  t: Test,
  desk: LivingDesk,
  options: BrowserContextOptions,
  story: (page: Page) => Promise<void>,
): Promise<void> {
  await withRouter(desk, async (logged) => {
    const { page, complaints, close } = await opened(options);
    await story(page);
    t.strictSame(complaints, [], 'the console is clean');
    t.strictSame(logged, [], 'the portal logged nothing');
    await close();
  });
}

async function mood(page: Page, name: string): Promise<void> {
  await page.waitForSelector(`#state[data-mood=${name}]`);
}

for (const viewport of PHONES) {
  const size = `${viewport.width}x${viewport.height}`;

  t.test(`at ${size} a guest tries free, pays with a pass code, adds data, finishes and sees the refund`, async (t) => {
    const desk = livingDesk(quote(), 1_000_000n);
    await withPage(t, desk, { viewport }, async (page) => {
      t.equal(await page.evaluate('isSecureContext || crypto.subtle !== undefined'), false, 'as on a phone');
      t.equal(await page.textContent('h1'), 'Café <Zentral> & Söhne', "the owner's name is text, not markup");
      await page.waitForSelector('.option');
      t.match(await page.textContent('#price'), /1 SSP buys 10.MB/);

      await page.click('#trial');
      await mood(page, 'trial');
      t.match(await page.textContent('#left-value'), /2.MB/);
      t.match(page.url(), /\?online$/, 'a real navigation, so that a sign-in sheet looks again');

      await page.click('.option >> nth=1');
      await page.fill('#code', PASS_CODE.toLowerCase());
      await page.click('#pay-button');
      await mood(page, 'online');
      t.match(desk.opens[0], { mode: 'hold', deposit: 150_000n });
      t.match(await page.textContent('#left-value'), /49.5.MB/);

      desk.use(44_000_000n, 1_000_000n);
      await mood(page, 'low');
      t.match(await page.textContent('#left-value'), /4.5.MB/);
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
      t.match(await page.textContent('#refund-text'), /^10\.45.SSP came back$/);
      await noSidewaysScroll(t, page);
    });
  });
}

t.test('paying as you go signs one step after the other, never above the deposit', async (t) => {
  const desk = livingDesk(quote(), 1_000_000n);
  await withPage(t, desk, { viewport: PHONES[0] as { width: number; height: number } }, async (page) => {
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
    const slow = desk.vouchers.map(({ amount }) => amount);
    t.ok(slow.length > 2 && slow.length < 10, `${slow.length} vouchers for 4 MB at 1 MB a second`);
    t.ok((slow.at(-1) ?? 0n) <= 12_000n, `at most 8 MB ahead: ${slow}`);
    while (desk.current().creditUnits < 50_000n) {
      desk.use(900_000n, 100_000n);
      await page.waitForTimeout(50);
    }
    desk.use(50_000_000n, 0n);
    const amounts = desk.vouchers.map(({ amount }) => amount);
    t.strictSame(
      amounts,
      [...new Set(amounts)].sort((a, b) => Number(a - b)),
      'always increasing',
    );
    t.equal(amounts.at(-1), 50_000n, 'up to the deposit and no further');
    const signer = desk.opens[0]?.config.signer;
    t.ok(desk.vouchers.every((voucher) => voucherSigner(DEPLOYMENT, voucher) === signer));
    await mood(page, 'grace');
    t.equal(await page.isVisible('#finish'), true);
  });
});

t.test(
  'a guest that comes back under another MAC takes up the session with the pass code, and pays nothing',
  async (t) => {
    const desk = livingDesk(quote(), 1_000_000n);
    await withRouter(desk, async () => {
      const first = await opened({});
      await first.page.waitForSelector('.option');
      await first.page.fill('#code', PASS_CODE);
      await first.page.click('#pay-button');
      await mood(first.page, 'online');
      desk.use(3_000_000n, 500_000n);
      await first.close();
      desk.changeMac();
      const { page, complaints, close } = await opened({});
      await mood(page, 'offline');
      await page.waitForSelector('.option');
      await page.fill('#code', PASS_CODE);
      await page.click('#pay-button');
      await mood(page, 'online');
      t.match(await page.textContent('#left-value'), /6.MB/);
      t.equal(desk.opens.length, 1, 'one channel, one deposit');
      t.strictSame(complaints, []);
      await close();
    });
  },
);

t.test('a pass code that holds less than the roomy deposit still opens, with the exact one', async (t) => {
  const desk = livingDesk(quote(), 20_000n);
  await withRouter(desk, async () => {
    const { page, close } = await opened({});
    await page.waitForSelector('.option');
    await page.fill('#code', PASS_CODE);
    await page.click('#pay-button');
    await mood(page, 'online');
    t.strictSame(
      desk.opens.map(({ deposit }) => deposit),
      [30_000n, 20_000n],
    );
    await close();
  });
});

t.test('mistakes are answered with what to do next', async (t) => {
  const desk = livingDesk(quote(), 0n);
  await withRouter(desk, async () => {
    const { page, close } = await opened({});
    await page.waitForSelector('.option');
    await page.fill('#code', 'ABCDE');
    await page.click('#pay-button');
    await page.waitForSelector('#problem:not([hidden])');
    t.match(await page.textContent('#problem'), /20 letters and digits/);
    await page.fill('#code', PASS_CODE);
    await page.click('#pay-button');
    await page.waitForSelector('#problem:text("holds enough SSP")');
    t.equal(await page.isEnabled('#pay-button'), true, 'the guest can try again');
    await close();
  });
});

t.test(
  'in an old sheet where storage throws and event streams are missing, the page still pays and follows',
  async (t) => {
    const desk = livingDesk(quote(), 1_000_000n);
    await withRouter(desk, async () => {
      const { page, complaints, close } = await opened({}, SHEET);
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
    await page.selectOption('#package', '1');
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

t.test('text keeps WCAG AA contrast in light and dark', async (t) => {
  for (const colorScheme of ['light', 'dark'] as const) {
    const desk = livingDesk(quote(), 1_000_000n);
    await withPage(t, desk, { colorScheme }, async (page) => {
      await page.waitForSelector('.option');
      t.strictSame(await page.evaluate(LOW_CONTRAST_TEXTS), [], `${colorScheme}, offline`);
      await page.fill('#code', PASS_CODE);
      await page.click('#pay-button');
      await mood(page, 'online');
      desk.use(9_000_000n, 0n);
      await mood(page, 'low');
      t.strictSame(await page.evaluate(LOW_CONTRAST_TEXTS), [], `${colorScheme}, low`);
    });
  }
});

async function noSidewaysScroll(t: Test, page: Page): Promise<void> {
  const spill = await page.evaluate('document.documentElement.scrollWidth - document.documentElement.clientWidth');
  t.equal(spill, 0, 'nothing sticks out sideways');
}
