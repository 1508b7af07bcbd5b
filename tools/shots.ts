/**
 * Takes the screenshots of the guest's page that the documents show: docs/images/portal-*.png.
 * Needs Chromium.
 */
import { mkdirSync } from 'node:fs';
import { fileURLToPath, URL } from 'node:url';
import type { Page } from 'playwright-core';
import { openStage, PORTAL, type Stage, visit } from '../test/captive-portal/support/browser.ts';
import { CONFIG, cafe, PASS_CODE, quote } from '../test/captive-portal/support/cafe.ts';
import { type LivingDesk, livingDesk } from '../test/captive-portal/support/living-desk.ts';

const OUT = new URL('../docs/images/', import.meta.url);
const SIZES = {
  phone: { width: 390, height: 844 },
  small: { width: 320, height: 568 },
  desktop: { width: 1024, height: 768 },
};
type SceneName = 'welcome' | 'wallet' | 'online' | 'low' | 'refund';
type Look = {
  readonly size: keyof typeof SIZES;
  readonly colorScheme: 'light' | 'dark';
  readonly locale: string;
  /** Scenes to keep. */
  readonly only: readonly SceneName[];
};
type Scene = readonly [name: SceneName, play: (page: Page, desk: LivingDesk) => Promise<void>];

const LOOKS: readonly Look[] = [
  { size: 'phone', colorScheme: 'light', locale: 'en-GB', only: ['welcome', 'wallet', 'online', 'refund'] },
  { size: 'phone', colorScheme: 'dark', locale: 'en-GB', only: ['welcome', 'online', 'low'] },
  { size: 'small', colorScheme: 'light', locale: 'en-GB', only: ['welcome', 'low'] },
  { size: 'desktop', colorScheme: 'light', locale: 'en-GB', only: ['welcome', 'online'] },
  { size: 'desktop', colorScheme: 'dark', locale: 'en-GB', only: ['online'] },
  { size: 'phone', colorScheme: 'light', locale: 'ar-EG', only: ['welcome', 'online'] },
  { size: 'phone', colorScheme: 'dark', locale: 'zh-CN', only: ['welcome', 'online'] },
];
const PORTAL_LOOK = {
  ...CONFIG.portal,
  name: 'Café Zentral',
  welcome: 'Pass codes at the bar. Enjoy your coffee!',
  venueUrl: 'https://cafe.example/',
};

/** A guest's story; each scene goes on where the one before ended. */
const STORY: readonly Scene[] = [
  ['welcome', async (page) => void (await page.waitForSelector('.option'))],
  [
    'wallet',
    async (page) => {
      await page.click('#other-wallet');
      await page.waitForSelector('#wallet-qr svg');
    },
  ],
  [
    'online',
    async (page, desk) => {
      await page.click('#wallet-cancel');
      await page.fill('#code', PASS_CODE);
      await page.click('.option >> nth=1');
      await page.click('#pay-button');
      await page.waitForSelector('#state[data-mood=online]');
      await page.waitForLoadState('load');
      for (let i = 0; i < 4; i++) await surf(page, desk, 2_345_678n, 98_765n);
    },
  ],
  [
    'low',
    async (page, desk) => {
      await surf(page, desk, 36_000_000n, 400_000n);
      await page.waitForSelector('#state[data-mood=low]');
    },
  ],
  [
    'refund',
    async (page, desk) => {
      await page.click('#finish');
      await page.waitForSelector('#state[data-mood=closing]');
      desk.settle();
      await page.waitForSelector('#refund:not([hidden])');
      await page.click('#ticket summary');
      await page.waitForSelector('#ticket-qr svg');
    },
  ],
];

async function surf(page: Page, desk: LivingDesk, downBytes: bigint, upBytes: bigint): Promise<void> {
  await page.waitForTimeout(400);
  desk.use(downBytes, upBytes);
}

async function shoot({ browser, present }: Stage, look: Look): Promise<void> {
  const { size, colorScheme, locale, only } = look;
  const desk = livingDesk(quote(), 1_000_000n);
  const { app } = await cafe(desk, { ...CONFIG, portal: PORTAL_LOOK });
  await present(app);
  const { page, complaints, close } = await visit(browser, { viewport: SIZES[size], colorScheme, locale });
  await page.goto(PORTAL);
  const language = locale.startsWith('en') ? '' : `-${locale.slice(0, 2)}`;
  const last = STORY.findLastIndex(([name]) => only.includes(name));
  for (const [name, play] of STORY.slice(0, last + 1)) {
    await play(page, desk);
    if (!only.includes(name)) continue;
    await page.waitForTimeout(300);
    await keep(page, `portal-${name}-${size}-${colorScheme}${language}.png`);
  }
  for (const complaint of complaints) console.error(`${size} ${colorScheme} ${locale}: ${complaint}`);
  await close();
  await app.close();
}

async function keep(page: Page, name: string): Promise<void> {
  await page.screenshot({ path: fileURLToPath(new URL(name, OUT)), fullPage: true });
}

/** The page of a guest whose browser has no JavaScript. */
async function shootPlain({ browser, present }: Stage): Promise<void> {
  const { app } = await cafe(livingDesk(quote(), 1_000_000n), CONFIG);
  await present(app);
  const { page, close } = await visit(browser, { viewport: SIZES.phone, javaScriptEnabled: false });
  await page.goto(PORTAL);
  await page.waitForURL(/status/);
  await keep(page, 'portal-plain-phone-light.png');
  await close();
  await app.close();
}

mkdirSync(OUT, { recursive: true });
const stage = await openStage();
for (const look of LOOKS) await shoot(stage, look);
await shootPlain(stage);
await stage.browser.close();
