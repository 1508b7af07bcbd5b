/** Visits of a browser to a fresh portal, for the end-to-end tests of the page. */
import { setTimeout as delay } from 'node:timers/promises';
import type { BrowserContextOptions, Page } from 'playwright-core';
import type { Test } from 'tap';
import type { PortalDeps } from '../../../captive-portal/portal.ts';
import type { PortalConfig } from '../../../captive-portal/portal-config.ts';
import { PORTAL, type Stage, type Visit, visit } from './browser.ts';
import { cafe } from './cafe.ts';
import type { LivingDesk } from './living-desk.ts';

/** What a router has beside its desk. */
export type Extras = { readonly config?: PortalConfig; readonly faucet?: PortalDeps['faucet'] };

export function visitsOf(stage: Stage) {
  /** Runs `story` with a fresh router and no page yet. */
  async function withRouter(
    desk: LivingDesk,
    story: (logged: readonly unknown[]) => Promise<void>,
    { config, faucet }: Extras = {},
  ): Promise<void> {
    const { app, logged } = await cafe(desk, config, undefined, undefined, faucet);
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

  /** Runs `story` on a fresh router, and a page that offers something to buy. */
  async function withOffer(
    desk: LivingDesk,
    story: (page: Page) => Promise<void>,
    options: BrowserContextOptions = {},
    extras?: Extras,
  ): Promise<void> {
    const visited = async () => {
      const { page, close } = await opened(options);
      await page.waitForSelector('.option');
      await story(page);
      await close();
    };
    await withRouter(desk, visited, extras);
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

  return { withRouter, opened, withPage, withOffer };
}

/** Types the code and takes what is chosen. */
export async function payWith(page: Page, code: string): Promise<void> {
  await page.fill('#code', code);
  await page.click('#pay-button');
}

/** What each open that the desk has taken was to put aside. */
export function depositsOf({ opens }: Pick<LivingDesk, 'opens'>): readonly bigint[] {
  return opens.map(({ deposit }) => deposit);
}

/** Waits until the page says so. */
export async function mood(page: Page, name: string): Promise<void> {
  await page.waitForSelector(`#state[data-mood=${name}]`);
}

/**
 * The value of a field once something stands in it. Not `waitForFunction`: it polls by `eval` inside the page, which the
 * portal's Content-Security-Policy refuses from the second look on.
 */
export async function filled(page: Page, selector: string): Promise<string> {
  const until = Date.now() + 10_000;
  for (;;) {
    const value = await page.inputValue(selector);
    if (value !== '' || Date.now() > until) return value;
    await delay(50);
  }
}
