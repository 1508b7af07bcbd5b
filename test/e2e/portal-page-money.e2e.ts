/** Little money, none yet, and money that is on its way: the guest's page in a real Chromium, against a desk that verifies every signature. */
import { existsSync } from 'node:fs';
import type { Page } from 'playwright-core';
import t from 'tap';
import type { FaucetResult } from '../../agent/ports.ts';
import type { Address } from '../../protocol/address.ts';
import { CHROMIUM_PATH, openStage } from '../captive-portal/support/browser.ts';
import { CONFIG, PASS_CODE, quote } from '../captive-portal/support/cafe.ts';
import { livingDesk } from '../captive-portal/support/living-desk.ts';
import { depositsOf, filled, mood, payWith, visitsOf } from '../captive-portal/support/visits.ts';

if (!existsSync(CHROMIUM_PATH)) t.bailout(`These tests need ${CHROMIUM_PATH}: apt-get install chromium.`);

const stage = await openStage();
t.setTimeout(290_000);
t.teardown(() => stage.browser.close());
const { withOffer } = visitsOf(stage);

t.test('a pass code that holds less than the roomy deposit still opens, with the exact one', async (t) => {
  const desk = livingDesk(quote(), 20_000n);
  await withOffer(desk, async (page) => {
    await payWith(page, PASS_CODE);
    await mood(page, 'online');
    t.strictSame(depositsOf(desk), [20_000n]);
  });
});

t.test('where the router cannot say what a code holds, the smaller deposit is tried after the larger', async (t) => {
  const desk = livingDesk(quote(), 20_000n);
  const balance = async () => ({ ok: false, reason: 'chain-unreachable', expected: '', got: '' }) as const;
  await withOffer({ ...desk, balance }, async (page) => {
    await payWith(page, PASS_CODE);
    await mood(page, 'online');
    t.strictSame(depositsOf(desk), [30_000n, 20_000n]);
  });
});

t.test('mistakes are answered with what to do next', async (t) => {
  const desk = livingDesk(quote(), 0n);
  await withOffer(desk, async (page) => {
    await payWith(page, 'ABCDE');
    await page.waitForSelector('#problem:not([hidden])');
    t.match(await page.textContent('#problem'), /20 letters and digits/);
    await payWith(page, PASS_CODE);
    await page.waitForSelector('#problem:text("holds enough SSP")');
    t.equal(await page.isEnabled('#pay-button'), true, 'the guest can try again');
    await page.click('#other-wallet');
    await page.click('#wallet-sent');
    await page.waitForSelector('#problem:text("has not arrived yet")');
    t.strictSame(desk.opens, [], 'what is not there was not tried: a guest has few tries in an hour');
    const ticket = await page.textContent('#wallet-ticket');
    await page.reload();
    await page.waitForSelector('#other-wallet:not([hidden])');
    t.equal(await page.inputValue('#code'), ticket, 'the ticket is not lost while its money is on the way');
    await page.click('#other-wallet');
    t.equal(await page.textContent('#wallet-ticket'), ticket, 'and no other takes its place');
  });
});

t.test('money from another wallet is seen to arrive, and the guest is online without another tap', async (t) => {
  const desk = livingDesk(quote(), 0n);
  await withOffer(desk, async (page) => {
    await page.click('#other-wallet');
    await page.click('#wallet-sent');
    await page.waitForSelector('#problem:text("has not arrived yet")');
    desk.fund(20_000n);
    await mood(page, 'online');
    t.strictSame(depositsOf(desk), [20_000n], 'for what was asked, once');
    t.equal(await page.isVisible('#wallet'), false);
    await page.click('#receipt summary');
    t.match(await page.textContent('#deposit-tx-row'), /2.SSP set aside.*Transaction 0x(0e){32}$/s);
  });
});

t.test(
  'on a development chain the button gives test money, and the guest is online with it, without a code',
  async (t) => {
    const desk = livingDesk(quote(), 0n);
    const asked: string[] = [];
    const faucet = (to: Address): Promise<FaucetResult> => {
      asked.push(to);
      if (asked.length === 1) return Promise.resolve({ ok: false, reason: 'busy', message: 'another guest is served' });
      desk.fund(20_000n);
      return Promise.resolve({ ok: true, to, units: 20_000n, tx: `0x${'7e'.repeat(32)}`, feeWei: 0n });
    };
    const story = async (page: Page) => {
      await page.click('#other-wallet');
      await page.click('#wallet-faucet:enabled');
      await page.click('#wallet-faucet:enabled');
      await page.waitForSelector('#wallet-faucet', { state: 'hidden' });
      await page.click('#wallet-sent');
      await mood(page, 'online');
      t.strictSame(asked, [asked[0], asked[0]], 'it was asked again, for the same ticket');
      t.strictSame(
        desk.opens.map(({ deposit, config }) => [deposit, config.payer]),
        [[20_000n, asked[0]]],
      );
    };
    const config = { ...CONFIG, portal: { ...CONFIG.portal, faucetUnits: 20_000n } };
    await withOffer(desk, story, {}, { config, faucet });
  },
);

t.test('a whole code that was typed goes along into another language', async (t) => {
  await withOffer(livingDesk(quote(), 1_000_000n), async (page) => {
    await page.fill('#code', PASS_CODE);
    await page.selectOption('#language', 'es');
    await page.waitForURL(/lang=es$/);
    t.equal(await filled(page, '#code'), PASS_CODE);
    t.notMatch(page.url(), /#/, 'and does not stay in the address');
  });
});

t.test('on a slow network the button says that it is at work until it is done, and taps buy nothing', async (t) => {
  const desk = livingDesk(quote(), 1_000_000n);
  let release = (): void => {};
  const released = new Promise<void>((done) => {
    release = done;
  });
  const open = async (...request: Parameters<typeof desk.open>) => {
    await released;
    return await desk.open(...request);
  };
  const story = async (page: Page) => {
    await payWith(page, PASS_CODE);
    // Longer than the page lets its figures stand.
    await page.waitForTimeout(1_300);
    t.equal(await page.textContent('#pay-button'), 'One moment...');
    await page.evaluate(
      'for (const id of ["pay-button", "trial", "other-wallet"]) document.getElementById(id).click()',
    );
    release();
    await mood(page, 'online');
    t.equal(desk.opens.length, 1);
    t.strictSame(desk.trialKeys, []);
    await page.waitForURL(/online/);
    await page.click('#ticket summary');
    t.equal(await page.textContent('#ticket-code'), PASS_CODE, 'and the page knows whose session it is');
  };
  await withOffer({ ...desk, open }, story, { locale: 'en' });
});
