import { gunzipSync } from 'node:zlib';
import t from 'tap';
import { loadPageAssets } from '../../captive-portal/page-assets.ts';
import { byGuest, cafe } from './support/cafe.ts';

const PATHS = ['/', '/page.js', '/page.css', '/icon.svg'];
/** The whole page must load over a bad link: issue's budget. */
const BUDGET_BYTES = 40 * 1_024;

t.test('the page is at most 40 KiB, compressed, in all', async (t) => {
  const { app } = await cafe();
  let total = 0;
  for (const path of PATHS) {
    const response = await app.inject({
      ...byGuest('GET', path),
      headers: { host: 'portal.lan', 'accept-encoding': 'gzip' },
    });
    t.equal(response.statusCode, 200);
    t.equal(response.headers['content-encoding'], 'gzip');
    total += response.rawPayload.length;
    t.comment(`${path} ${response.rawPayload.length} B gzip`);
  }
  t.comment(`in all ${total} B gzip`);
  t.ok(total <= BUDGET_BYTES, `${total} B`);
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
    t.equal(plain.headers.vary, 'accept-encoding');
  }
});

t.test("the page shows the owner's name as text and asks nobody outside", async (t) => {
  const { app } = await cafe();
  const { body, headers } = await app.inject(byGuest('GET', '/'));
  t.match(headers['content-type'], 'text/html; charset=utf-8');
  t.match(body, '<h1>Café &lt;Zentral&gt; &amp; Söhne</h1>');
  t.notMatch(body, '{{');
  const { html, script, style } = loadPageAssets();
  for (const text of [html, script, style])
    t.notMatch(text, /https?:\/\/(?!www\.w3\.org\/2000\/svg)|@import|url\((?!#)/);
  t.notMatch(html, /<script(?! src="\/page\.js")|<style|\sstyle=|\son[a-z]+=/, 'nothing inline: the CSP allows none');
});

t.test('a browser without JavaScript is led to the status page', async (t) => {
  const { app } = await cafe();
  t.match(
    (await app.inject(byGuest('GET', '/'))).body,
    '<noscript><meta http-equiv="refresh" content="0;url=/status"></noscript>',
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
