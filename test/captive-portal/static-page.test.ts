import { gunzipSync } from 'node:zlib';
import t from 'tap';
import { LANGUAGES } from '../../captive-portal/page/language.ts';
import { loadPageAssets } from '../../captive-portal/page-assets.ts';
import { byGuest, cafe } from './support/cafe.ts';

const PATHS = ['/', '/page.js', '/page.css', '/icon.svg'];
/** The whole page must load over a bad link: issue's budget. */
const BUDGET_BYTES = 40 * 1_024;

t.test('the page is at most 40 KiB, compressed, in all, in each language', async (t) => {
  const { app } = await cafe();
  const size = async (path: string) => {
    const response = await app.inject({
      ...byGuest('GET', path),
      headers: { host: 'portal.lan', 'accept-encoding': 'gzip' },
    });
    t.equal(response.statusCode, 200);
    t.equal(response.headers['content-encoding'], 'gzip');
    return response.rawPayload.length;
  };
  const shared = await Promise.all(PATHS.slice(1).map(size));
  t.comment(`${PATHS.slice(1)}: ${shared} B gzip`);
  for (const { code } of LANGUAGES) {
    const page = await size(`/?lang=${code}`);
    const total = shared.reduce((sum, bytes) => sum + bytes, page);
    t.comment(`${code}: page ${page} B, in all ${total} B gzip`);
    t.ok(total <= BUDGET_BYTES, `${code}: ${total} B`);
  }
});

t.test('the page comes in the language that is asked for, right to left where it is written so', async (t) => {
  const { app } = await cafe();
  const page = async (url: string, accept: string) =>
    (await app.inject({ ...byGuest('GET', url), headers: { host: 'portal.lan', 'accept-language': accept } })).body;
  t.match(await page('/', 'ar-EG,en;q=0.5'), '<html lang="ar" dir="rtl">');
  t.match(await page('/?lang=ru', 'ar'), '<html lang="ru" dir="ltr">');
  t.match(await page('/?lang=ru', 'ar'), '<option value="ru" lang="ru" selected>');
  t.match(await page('/?lang=ru&lang=zh', 'fr'), '<html lang="fr" dir="ltr">', 'two are none');
  t.match(await page('/?online', 'xx'), '<html lang="en" dir="ltr">');
});

t.test('a browser that takes no gzip gets the same bytes plain', async (t) => {
  const { app } = await cafe();
  for (const path of PATHS) {
    const plain = await app.inject(byGuest('GET', path));
    const packed = await app.inject({
      ...byGuest('GET', path),
      headers: { host: 'portal.lan', 'accept-encoding': 'br, gzip;q=0.8' },
    });
    t.equal(plain.headers['content-encoding'], undefined);
    t.strictSame(gunzipSync(packed.rawPayload), plain.rawPayload);
    t.equal(plain.headers.vary, path === '/' ? 'accept-encoding, accept-language' : 'accept-encoding');
  }
});

t.test("the page shows the owner's name as text and asks nobody outside", async (t) => {
  const { app } = await cafe();
  const { body, headers } = await app.inject(byGuest('GET', '/'));
  t.match(headers['content-type'], 'text/html; charset=utf-8');
  t.match(body, '<h1><bdi>Café &lt;Zentral&gt; &amp; Söhne</bdi></h1>');
  t.notMatch(body, '{{');
  const { html, script, style } = loadPageAssets();
  for (const text of [html, script, style])
    t.notMatch(text, /https?:\/\/(?!www\.w3\.org\/2000\/svg)|@import|url\((?!#)/);
  t.notMatch(
    html,
    /<script(?! src="\/page\.js"| type="application\/json" id="texts")|<style|\sstyle=|\son[a-z]+=/,
    'nothing inline: the CSP allows none',
  );
});

t.test('a browser without JavaScript is led to the status page', async (t) => {
  const { app } = await cafe();
  t.match(
    (await app.inject(byGuest('GET', '/'))).body,
    '<noscript><meta http-equiv="refresh" content="0;url=/status?lang=en"></noscript>',
  );
});

t.test('HEAD tells the length and sends nothing', async (t) => {
  const { app } = await cafe();
  const response = await app.inject(byGuest('HEAD', '/'));
  t.equal(response.statusCode, 200);
  t.equal(response.rawPayload.length, 0);
});

t.test('the script calls nothing that Chrome 80 and Safari 14 lack, but what it brings along', async (t) => {
  await cafe();
  const { script } = loadPageAssets();
  const newer = script.match(/\?\?=|\|\|=|&&=|\.at\(|replaceAll|structuredClone|\.replaceChildren\(|static\s*\{/g);
  t.strictSame(newer, null);
  t.match(script, /Object\.defineProperty\(Object,"hasOwn"/);
});
