/** Takes the screenshots of the guest's page that the documents show: docs/images/portal-*.png. Needs Chromium. */
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
type Look = {
  readonly size: keyof typeof SIZES;
  readonly colorScheme: 'light' | 'dark';
  /** Scenes to keep; undefined = all. */
  readonly only?: readonly string[];
};
type Scene = readonly [name: string, play: (page: Page, desk: LivingDesk) => Promise<void>];

const LOOKS: readonly Look[] = [
  { size: 'phone', colorScheme: 'light' },
  { size: 'phone', colorScheme: 'dark' },
  { size: 'small', colorScheme: 'light', only: ['welcome', 'low'] },
  { size: 'desktop', colorScheme: 'light', only: ['online'] },
];

/** A guest's story; each scene goes on where the one before ended. */
const STORY: readonly Scene[] = [
  ['welcome', async (page) => void (await page.waitForSelector('.option'))],
  [
    'code',
    async (page) => {
      await page.fill('#code', PASS_CODE);
      await page.click('.option >> nth=1');
    },
  ],
  [
    'online',
    async (page, desk) => {
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
    'add',
    async (page) => {
      await page.click('#add');
      await page.waitForSelector('#pay:not([hidden])');
    },
  ],
  [
    'refund',
    async (page, desk) => {
      await page.click('#finish');
      await page.waitForSelector('#state[data-mood=closing]');
      desk.settle();
      await page.waitForSelector('#refund:not([hidden])');
    },
  ],
];

async function surf(page: Page, desk: LivingDesk, downBytes: bigint, upBytes: bigint): Promise<void> {
  await page.waitForTimeout(400);
  desk.use(downBytes, upBytes);
}

async function shoot({ browser, present }: Stage, look: Look): Promise<void> {
  const desk = livingDesk(quote(), 1_000_000n);
  const { app } = await cafe(desk, { ...CONFIG, portal: { ...CONFIG.portal, name: 'Café Zentral' } });
  await present(app);
  const { page, complaints, close } = await visit(browser, {
    viewport: SIZES[look.size],
    colorScheme: look.colorScheme,
  });
  await page.goto(PORTAL);
  for (const [name, play] of STORY) {
    await play(page, desk);
    if (look.only?.includes(name) === false) continue;
    await page.waitForTimeout(300);
    const file = new URL(`portal-${name}-${look.size}-${look.colorScheme}.png`, OUT);
    await page.screenshot({ path: fileURLToPath(file), fullPage: true });
  }
  for (const complaint of complaints) console.error(`${look.size} ${look.colorScheme}: ${complaint}`);
  await close();
  await app.close();
}

/** The page of a guest whose browser has no JavaScript. */
async function shootPlain({ browser, present }: Stage): Promise<void> {
  const { app } = await cafe(livingDesk(quote(), 1_000_000n), CONFIG);
  await present(app);
  const { page, close } = await visit(browser, { viewport: SIZES.phone, javaScriptEnabled: false });
  await page.goto(PORTAL);
  await page.waitForURL(/status$/);
  await page.screenshot({ path: fileURLToPath(new URL('portal-plain-phone-light.png', OUT)), fullPage: true });
  await close();
  await app.close();
}

mkdirSync(OUT, { recursive: true });
const stage = await openStage();
for (const look of LOOKS) await shoot(stage, look);
await shootPlain(stage);
await stage.browser.close();
