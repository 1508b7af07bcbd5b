/**
 * The guest's whole way in a real browser on the guest's own network: probe, redirect, page, pass code, online, live usage,
 * warning, more, finish, and the rest back on chain. Router, kernel, dnsmasq and EVM are real.
 */
import { existsSync } from 'node:fs';
import type { BrowserContextOptions } from 'playwright-core';
import t from 'tap';
import type { Address } from '../../protocol/address.ts';
import { CHROMIUM_PATH, type Visit, visit } from '../captive-portal/support/browser.ts';
import { OLD_SHEET } from '../captive-portal/support/old-sheet.ts';
import { mood } from '../captive-portal/support/visits.ts';
import { OTHER_PORT, PORTAL_NAME } from '../lab/addresses.ts';
import { openTestScene } from '../lab/test-scene.ts';
import { until } from '../lab/wait.ts';
import { openGuestBrowser } from './support/guest-browser.ts';

if (!existsSync(CHROMIUM_PATH)) t.bailout(`These tests need ${CHROMIUM_PATH}: apt-get install chromium.`);

const PROBE = 'http://connectivitycheck.gstatic.com/generate_204';
const PHONE: BrowserContextOptions = {
  viewport: { width: 390, height: 844 },
  isMobile: true,
  hasTouch: true,
  locale: 'en',
};
/** Pictures of each step, for whoever wants to look. */
const PICTURES = process.env['STORY_PICTURES'];

const { lab, chain, guest, other } = await openTestScene({
  options: { session: { sample_ms: '200' }, package: { name: 'Coffee break', price: '1' } },
});
await Promise.all([guest.join(), other.join()]);
const [phone, laptop] = await Promise.all([openGuestBrowser(lab, guest), openGuestBrowser(lab, other)]);
t.teardown(() => Promise.all([phone.close(), laptop.close()]));

async function atProbe(browser: typeof phone, options: BrowserContextOptions, initScript = ''): Promise<Visit> {
  const made = await visit(browser, options);
  made.page.setDefaultTimeout(15_000);
  await made.page.addInitScript(initScript);
  await made.page.goto(PROBE);
  return made;
}

async function picture({ page }: Visit, name: string): Promise<void> {
  if (PICTURES !== undefined) await page.screenshot({ path: `${PICTURES}/${name}.png`, fullPage: true });
}

/** What the contract gave back to the payer, once the channel is closed. */
async function refunded(payer: Address, beforeUnits: bigint): Promise<bigint> {
  return await until('the rest to come back', 20_000, async () => {
    const units = (await chain.balanceOf(payer)) - beforeUnits;
    return units > 0n ? units : undefined;
  });
}

t.test('probe, redirect, pass code, online, usage, warning, more, finish, refund', async (t) => {
  const sheet = await atProbe(phone, PHONE);
  const { page } = sheet;
  t.equal(new URL(page.url()).hostname, PORTAL_NAME, 'the probe leads to the portal under its one name');
  await mood(page, 'offline');
  await page.waitForSelector('.option');
  await picture(sheet, '1-offline');
  const heldUnits = await chain.balanceOf(guest.passCode.address);
  await page.fill('#code', guest.passCode.code);
  await page.click('#pay-button');
  await page.waitForURL(/\?online$/);
  await mood(page, 'online');
  await picture(sheet, '2-online');
  t.equal(await guest.reaches(4), true);
  t.equal(await guest.reaches(6), true);

  // The browser itself surfs: the same page that was redirected is now what the internet says.
  const surf = await sheet.page.context().newPage();
  const answer = await surf.goto(`http://${guest.server.ip4}:${OTHER_PORT}/`);
  t.equal(answer?.ok(), true);
  await surf.close();

  const left = async () => (await guest.portal.view()).bytesRemaining;
  const shown = await page.textContent('#left-value');
  const paidBytes = await left();
  await guest.download(4, Number(paidBytes / 2n));
  // A sample may fall within the download: only a count of all of it says what is really left to use.
  await guest.viewWhere('the download to be counted', 10_000, (view) => view.bytesRemaining <= paidBytes / 2n);
  await until('the page to show the use', 10_000, async () =>
    (await page.textContent('#left-value')) === shown ? undefined : true,
  );
  await guest.download(6, Number(((await left()) * 85n) / 100n));
  await mood(page, 'low');
  await picture(sheet, '3-low');
  await page.click('#add');
  await picture(sheet, '4-adding');
  await page.click('#pay-button');
  await mood(page, 'online');
  t.ok((await left()) > paidBytes / 2n, 'what was bought is added to what was left');
  await picture(sheet, '5-added');

  const before = await guest.portal.view();
  const paying = await chain.balanceOf(guest.passCode.address);
  await page.click('#finish');
  await page.waitForSelector('#refund-text:text("came back")', { timeout: 30_000 });
  await picture(sheet, '6-finished');
  const refund = await refunded(guest.passCode.address, paying);
  const { isClosed, claimed } = await chain.channel(before.channelId ?? '0x');
  t.equal(isClosed, true);
  t.equal(
    heldUnits - claimed,
    await chain.balanceOf(guest.passCode.address),
    'what was not claimed is back on the code',
  );
  t.equal(refund, before.depositUnits - claimed);
  t.equal(await guest.reaches(4), false, 'and the guest is offline again');
  t.strictSame(sheet.complaints, [], 'console and policy are clean');
  await sheet.close();
});

t.test('without JavaScript a pass code gets the second guest online, and the rest back', async (t) => {
  const plain = await atProbe(laptop, {
    javaScriptEnabled: false,
    viewport: { width: 320, height: 568 },
    locale: 'en',
  });
  const { page } = plain;
  await page.waitForURL(/\/status/);
  await picture(plain, '7-plain');
  const heldUnits = await chain.balanceOf(other.passCode.address);
  await page.fill('#code', other.passCode.code);
  await page.click('form[action^="/pass"] button');
  await page.waitForURL(/\/status/);
  t.match(await page.textContent('.card'), /You are online/);
  await picture(plain, '8-plain-online');
  t.equal(await other.reaches(4), true);
  await other.download(4, 500_000);
  await page.click('form[action^="/pause"] button');
  await page.waitForURL(/\/status/);
  t.equal(await other.reaches(4), false, 'a pause stops everything');
  await page.click('form[action^="/resume"] button');
  await page.waitForURL(/\/status/);
  t.equal(await other.reaches(4), true);
  const { channelId, depositUnits } = await other.portal.view();
  const paying = await chain.balanceOf(other.passCode.address);
  t.equal(paying, heldUnits - depositUnits);
  await page.click('form[action^="/leave"] button');
  const refund = await refunded(other.passCode.address, paying);
  const { claimed } = await chain.channel(channelId ?? '0x');
  t.equal(refund, depositUnits - claimed);
  // The page asks anew by itself while it is closing.
  await page.waitForSelector('.card:has-text("came back")', { timeout: 20_000 });
  await picture(plain, '9-plain-finished');
  t.strictSame(plain.complaints, []);
  await plain.close();
});

t.test(
  'an old sheet pays from another wallet and is killed: its ticket brings the rest back, under another MAC',
  async (t) => {
    const sheet = await atProbe(laptop, PHONE, OLD_SHEET);
    await sheet.page.click('#other-wallet');
    await sheet.page.waitForSelector('#wallet-qr svg[role=img]');
    const ticket = await sheet.page.textContent('#wallet-ticket');
    const payer = (await sheet.page.textContent('#wallet-address')) as Address;
    await picture(sheet, '10-sheet-wallet');
    await sheet.page.click('#wallet-sent');
    await sheet.page.waitForSelector('#problem:text("has not arrived yet")');
    // It looks by itself from here on.
    await chain.give(payer, 10_000n);
    await mood(sheet.page, 'online');
    await sheet.close();
    t.equal(await other.reaches(4), true, 'the sheet is gone, the service is not');
    await other.download(4, 500_000);

    const moved = await other.changeMac('02:00:00:00:77:02');
    t.equal(await moved.reaches(4), false, 'a MAC carries no credit');
    const later = await visit(laptop, PHONE);
    later.page.setDefaultTimeout(15_000);
    await later.page.goto(`http://${PORTAL_NAME}/#t=${ticket}`);
    await mood(later.page, 'online');
    t.equal(await moved.reaches(4), true);
    await picture(later, '11-sheet-later');
    const { channelId, depositUnits } = await moved.portal.view();
    const before = await chain.balanceOf(payer);
    await later.page.click('#finish');
    const refund = await refunded(payer, before);
    const { isClosed, claimed } = await chain.channel(channelId ?? '0x');
    t.equal(isClosed, true);
    t.equal(refund, depositUnits - claimed);
    t.ok(claimed > 0n && refund > 0n, `${claimed} units claimed, ${refund} came back to the ticket`);
    await later.page.waitForSelector('#refund-text:text("came back")', { timeout: 30_000 });
    await picture(later, '12-sheet-finished');
    t.strictSame(later.complaints, []);
    await later.close();
  },
);
