/**
 * The LuCI pages in a real Chromium: with data, without, with a hostile guest, and with every way in which the agent may
 * be missing. LUCI_STATIC=DIR runs the same against an installed LuCI instead of our stub of its classes.
 */
import { existsSync } from 'node:fs';
import { setTimeout } from 'node:timers/promises';
import type { BrowserContextOptions, Page } from 'playwright-core';
import t, { type Test } from 'tap';
import { viewNames } from '../openwrt/luci/support/app-files.ts';
import type { FakeRouter } from '../openwrt/luci/support/fake-rpcd.ts';
import { CHROMIUM_PATH, type LuciVisit, openLuci } from '../openwrt/luci/support/luci-stage.ts';
import * as routers from '../openwrt/luci/support/sample-router.ts';

if (!existsSync(CHROMIUM_PATH)) t.bailout(`These tests need ${CHROMIUM_PATH}: apt-get install chromium.`);

const PHONE = { viewport: { width: 360, height: 740 }, screen: { width: 360, height: 740 } };
/** Pages that show what the agent says, and not only what the owner wrote. */
const TELLING = viewNames().filter((name) => name !== 'portal' && name !== 'settings');
const FORMS = ['prices', 'portal', 'payout', 'settings', 'rewards'];
const luci = await openLuci();
t.setTimeout(290_000);
t.teardown(() => luci.close());

/** Opens a page, runs `story`, and fails on anything the browser complains about. */
async function withView(
  t: Test,
  router: FakeRouter,
  name: string,
  story: (visit: LuciVisit) => Promise<unknown>,
  options: BrowserContextOptions = {},
): Promise<void> {
  const visit = await luci.visit(router, name, options);
  await story(visit);
  t.strictSame(visit.complaints, [], `${name}: the console is clean`);
}

function text({ page }: LuciVisit): Promise<string> {
  return textOf(page, '#maincontent');
}

/** As a person reads it: what is not shown is not there. */
function textOf(page: Page, selector: string): Promise<string> {
  return page.evaluate(`document.querySelector(${JSON.stringify(selector)}).innerText`);
}

async function noSidewaysScroll(t: Test, { page }: LuciVisit, name: string): Promise<void> {
  const out = await page.evaluate(`[...document.querySelectorAll('#maincontent *')]
    .filter((node) => node.getBoundingClientRect().right > document.documentElement.clientWidth + 1)
    .map((node) => node.outerHTML.slice(0, 120))`);
  t.strictSame(out, [], `${name}: nothing sticks out sideways`);
}

const RENDERED = [
  ['busy', routers.WITH_PASSES, viewNames()],
  ['quiet', routers.QUIET, TELLING],
] as const;

async function waitUntil(isTrue: () => boolean): Promise<void> {
  for (let i = 0; i < 600 && !isTrue(); i++) await setTimeout(25);
  if (!isTrue()) throw new Error('it did not come true within 15 s');
}

for (const [state, router, names] of RENDERED) {
  t.test(`every page renders on a phone with the data of a ${state} router`, async (t) => {
    for (const name of names) {
      await withView(
        t,
        router,
        name,
        async (visit) => {
          await noSidewaysScroll(t, visit, name);
          const shown = await text(visit);
          t.notMatch(shown, /undefined|null|NaN|\[object/, `${name}: no value is missing its words`);
          const refused = visit.rpcd.calls.filter(
            ({ object, method }) => router.agent?.[method] === undefined && object === 'shareagent',
          );
          t.strictSame(refused, [], `${name}: only methods that the agent has are called`);
        },
        PHONE,
      );
    }
  });
}

t.test('the overview tells guests, earnings, reports and health in words', async (t) => {
  await withView(t, routers.BUSY, 'overview', async (visit) => {
    const shown = await text(visit);
    for (const words of [
      /Selling WiFi/,
      /0\.1 SSP for a megabyte/,
      /annas-phone/,
      /841\.2345 SSP/,
      /8\.4 GB/,
      /128\.43 SSP/,
    ])
      t.match(shown, words);
    t.match(shown, /Accepted: 612, waiting for an answer: 2, rejected: 3/);
    t.match(shown, /restart the WiFi/, 'a fault comes with what to do');
    const firstCheck = await textOf(visit.page, '.sa-checks li');
    t.match(firstCheck, /count differently/, 'what is wrong stands first');
  });
});

t.test('names that guests choose never become markup, on no page', async (t) => {
  for (const name of TELLING) {
    await withView(t, routers.HOSTILE, name, async ({ page }) => {
      await page.waitForTimeout(100);
      t.equal(await page.evaluate('window.hacked'), undefined, `${name}: nothing ran`);
      t.equal(
        await page.locator('#view img, #view svg, #view script, #view b > b').count(),
        0,
        `${name}: no element made`,
      );
    });
  }
  await withView(t, routers.HOSTILE, 'guests', async (visit) => {
    const shown = await text(visit);
    for (const hostname of routers.HOSTILE_NAMES) t.ok(shown.includes(hostname), `shown as it is: ${hostname}`);
    for (const button of ['Give data', 'End']) {
      await visit.page.click(`button:has-text("${button}") >> nth=0`);
      const modal = await textOf(visit.page, '.modal');
      t.ok(modal.includes(routers.HOSTILE_NAMES[0]), `${button}: the question names the guest as text`);
      t.equal(await visit.page.locator('.modal img').count(), 0);
      await visit.page.click('.modal button:has-text("Cancel")');
    }
    t.equal(await visit.page.evaluate('window.hacked'), undefined);
  });
});

t.test('ending a session and giving data ask first, then call the agent with the right numbers', async (t) => {
  await withView(t, routers.BUSY, 'guests', async ({ page, rpcd }) => {
    const acts = () =>
      rpcd.calls.filter(({ method }) => /^session_/.test(method)).map(({ method, args }) => [method, args]);
    await page.click('button:has-text("Give data") >> nth=0');
    await page.fill('.modal input', '1 potato');
    await page.click('.modal button:has-text("Give")');
    await page.waitForSelector('.modal :text("Enter a size")');
    t.strictSame(acts(), [], 'nothing is called with a bad size');
    await page.fill('.modal input', '20MB');
    await page.click('.modal button:has-text("Give")');
    await page.waitForSelector('.alert-message :text("Done.")');
    t.strictSame(acts(), [['session_extend', { id: 1, bytes: 20_000_000 }]]);
    await page.click('button:has-text("End") >> nth=1');
    await page.click('.modal button:has-text("End session")');
    await page.waitForSelector('.alert-message >> nth=1');
    t.strictSame(acts().at(-1), ['session_end', { id: 2 }]);
  });
});

t.test('when the agent refuses, the owner reads why and nothing pretends to be done', async (t) => {
  const router = { ...routers.BUSY, agent: { ...routers.BUSY.agent, session_end: 4 } };
  await withView(t, router, 'guests', async ({ page }) => {
    await page.click('button:has-text("End") >> nth=0');
    await page.click('.modal button:has-text("End session")');
    await page.waitForSelector('.alert-message :text("gone already")');
    t.equal(await page.locator('.alert-message :text("Done.")').count(), 0);
  });
});

const TROUBLES: readonly (readonly [state: string, router: FakeRouter, words: RegExp, button: RegExp | undefined])[] = [
  ['selling is switched off', routers.SWITCHED_OFF, /Selling is switched off/, /Open settings/],
  ['the agent is stopped', routers.STOPPED, /ShareAgent is not running/, /Start ShareAgent/],
  ['the agent crashed', routers.CRASHED, /stopped with an error/, /Restart ShareAgent/],
  ['the agent does not answer', routers.SILENT, /starting, or does not answer/, /Restart ShareAgent/],
  ['only the pages are installed', routers.NOT_INSTALLED, /ShareAgent is not installed/, undefined],
  ['rpcd does not know the plugin', routers.NO_PLUGIN, /log out and in again/, undefined],
  ['the login has no rights', routers.NO_RIGHTS, /Your login may not see this/, undefined],
];

for (const [state, router, words, button] of TROUBLES) {
  t.test(`while ${state}, the overview says so and says what to do`, async (t) => {
    await withView(t, router, 'overview', async (visit) => {
      const shown = await text(visit);
      t.match(shown, words);
      if (button !== undefined) t.match(shown, button);
    });
  });
}

t.test('while the agent does not run every page says so or is a form that can be used', async (t) => {
  for (const name of viewNames())
    await withView(t, routers.STOPPED, name, async (visit) => {
      const isForm = FORMS.includes(name);
      if (!isForm || name === 'payout') t.match(await text(visit), /ShareAgent is not running/, name);
      t.equal(await visit.page.isVisible('.cbi-button-save'), isForm, `${name}: saving is offered on forms only`);
      t.equal((await visit.page.locator('#view input').count()) > 0, isForm, `${name}: fields`);
    });
});

t.test('a service button starts the agent through the plugin, and only that', async (t) => {
  await withView(t, routers.STOPPED, 'overview', async ({ page, rpcd }) => {
    await page.click('button:has-text("Start ShareAgent")');
    await page.waitForSelector('.alert-message :text("Done.")');
    t.strictSame(
      rpcd.calls.filter(({ method }) => method === 'action').map(({ args }) => args),
      [{ name: 'start' }],
    );
  });
});

t.test('an open page sees the agent come and go by itself, but takes no button from under the keyboard', async (t) => {
  await withView(t, routers.STOPPED, 'guests', async ({ page, rpcd }) => {
    rpcd.become(routers.BUSY);
    await page.waitForSelector('#view :text("annas-phone")');
    const button = page.locator('button:has-text("End") >> nth=0');
    await button.focus();
    rpcd.become(routers.QUIET);
    const asked = rpcd.calls.length;
    await t.resolves(
      waitUntil(() => rpcd.calls.length >= asked + 6),
      'the page goes on asking',
    );
    t.ok(await button.evaluate((node) => node.ownerDocument.activeElement === node), 'the focus stays');
    await button.blur();
    await page.waitForSelector('#view :text("Nobody is online")');
  });
});

t.test('a form refuses a bad price and saves a good one to UCI', async (t) => {
  await withView(t, routers.BUSY, 'prices', async ({ page, rpcd }) => {
    const field = page.locator('[data-name="per_mb"] input').first();
    await field.fill('1,5');
    await field.blur();
    await page.waitForSelector('.cbi-input-invalid');
    await field.fill('0.25');
    await field.blur();
    await page.click('.cbi-button-save');
    const sets = () => rpcd.changes.filter(({ method }) => method === 'set').map(({ args }) => args);
    // What one click changes goes in one request.
    await waitUntil(() => sets().length > 0);
    t.match(sets(), [{ config: 'shareagent', section: 'price', values: { per_mb: '0.25' } }]);
    t.equal(sets().length, 1, 'nothing else is touched');
  });
});

t.test('who may only look sees all, and no button does anything', async (t) => {
  await withView(t, routers.READ_ONLY, 'guests', async ({ page }) => {
    t.ok(await page.isDisabled('button:has-text("End") >> nth=0'));
    t.ok(await page.isDisabled('button:has-text("Give data") >> nth=0'));
  });
});

t.test('pass codes are offered only when the agent has them', async (t) => {
  await withView(t, routers.BUSY, 'prices', async (visit) => t.notMatch(await text(visit), /pass codes/i));
  await withView(t, routers.WITH_PASSES, 'prices', async (visit) => t.match(await text(visit), /Open pass codes/));
  await withView(t, routers.BUSY, 'passes', async (visit) => t.match(await text(visit), /cannot make pass codes/));
  await withView(t, routers.WITH_PASSES, 'passes', async ({ page, rpcd }) => {
    await page.click('button:has-text("Make codes")');
    const made = () => rpcd.calls.filter(({ method }) => method === 'pass_create');
    await waitUntil(() => made().length > 0);
    t.match(made(), [{ args: { count: 10, value_units: '50000' } }]);
  });
});
