/**
 * The app's pages in a real Chromium, served as a router would serve them. What stands behind them is our own stub of
 * LuCI's classes, or LuCI itself: set LUCI_STATIC to a directory `luci-static` of an installed LuCI (with `resources/`
 * and `bootstrap/`), and the same tests run against its luci.js, form.js and ui.js.
 */
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { URL } from 'node:url';
import { type BrowserContextOptions, chromium, type Page } from 'playwright-core';
import { APP_DIRECTORY, menu } from './app-files.ts';
import { type FakeRouter, FakeRpcd } from './fake-rpcd.ts';

export const CHROMIUM_PATH = '/usr/bin/chromium';
const PAGES = '/cgi-bin/luci/admin/services/shareagent/';
const APP_STATIC = new URL('htdocs/luci-static/', APP_DIRECTORY);
const LUCI_STATIC =
  process.env['LUCI_STATIC'] === undefined
    ? new URL('./stub/', import.meta.url)
    : new URL(`file://${process.env['LUCI_STATIC']}/`);
const TYPES: Readonly<Record<string, string>> = { js: 'text/javascript', css: 'text/css', svg: 'image/svg+xml' };
/** A hanging page is a failure long before the whole file is one. */
const WAIT_MS = 60_000;
const READY =
  'document.querySelector("#view h2, .alert-message.error, .alert-message.danger") !== null && document.querySelector("#view > .spinning") === null';

export type LuciVisit = {
  readonly page: Page;
  readonly rpcd: FakeRpcd;
  /** What the browser complained about. */
  readonly complaints: readonly string[];
};

/** A browser, and one router that it can reach: the one of the newest visit. */
export type LuciStage = {
  /** Opens page `name` on `router` and waits until the view is there. */
  readonly visit: (router: FakeRouter, name: string, options?: BrowserContextOptions) => Promise<LuciVisit>;
  readonly close: () => Promise<void>;
};

export async function openLuci(): Promise<LuciStage> {
  let shown: { readonly router: FakeRouter; readonly rpcd: FakeRpcd } | undefined;
  const server = createServer((request, response) => {
    if (shown !== undefined) void answer(request, response, shown.rpcd, shown.router.rights);
  }).listen({ host: '127.0.0.1', port: 0 });
  await once(server, 'listening');
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const quiet = [
    '--no-sandbox',
    '--disable-gpu',
    '--no-first-run',
    '--disable-background-networking',
    '--disable-sync',
  ];
  const browser = await chromium.launch({ executablePath: CHROMIUM_PATH, args: quiet });
  // One page for each kind of screen: making one, and filling its cache, costs more than all that is shown on it.
  const pages = new Map<string, Promise<Page>>();
  const pageFor = (options: BrowserContextOptions): Promise<Page> => {
    const key = JSON.stringify(options);
    const made =
      pages.get(key) ??
      browser
        .newContext({ locale: 'en-GB', timezoneId: 'Europe/Berlin', ...options })
        .then((context) => context.newPage());
    pages.set(key, made);
    return made;
  };
  return {
    visit: async (router, name, options = {}) => {
      const rpcd = new FakeRpcd(router);
      const page = await pageFor(options);
      await page.goto('about:blank');
      shown = { router, rpcd };
      page.setDefaultTimeout(WAIT_MS);
      const complaints = listen(page);
      await page.goto(`${origin}${PAGES}${name}`);
      await page.waitForFunction(READY);
      return { page, rpcd, complaints };
    },
    close: async () => {
      await browser.close();
      server.close();
    },
  };
}

/** From now on the page's complaints go to a list of this visit only. */
function listen(page: Page): readonly string[] {
  const complaints: string[] = [];
  page.removeAllListeners('console').removeAllListeners('pageerror');
  page.on('console', (message) => {
    if (message.type() === 'error' || message.type() === 'warning') complaints.push(message.text());
  });
  page.on('pageerror', (error) => complaints.push(error.message));
  return complaints;
}

async function answer(
  request: IncomingMessage,
  response: ServerResponse,
  rpcd: FakeRpcd,
  rights: FakeRouter['rights'],
): Promise<void> {
  const path = new URL(request.url ?? '/', 'http://router').pathname;
  if (path.startsWith('/ubus')) {
    const reply = rpcd.answer(JSON.parse(await text(request)));
    response.setHeader('content-type', 'application/json').end(JSON.stringify(reply));
    return;
  }
  if (path.startsWith(PAGES)) {
    response.setHeader('content-type', 'text/html').end(html(path.slice(PAGES.length), rights));
    return;
  }
  const file = [APP_STATIC, LUCI_STATIC]
    .map((root) => new URL(path.replace('/luci-static/', ''), root))
    .find((url) => path.startsWith('/luci-static/') && existsSync(url));
  if (file === undefined) {
    response.writeHead(path === '/favicon.ico' ? 204 : 404).end();
    return;
  }
  const type = TYPES[path.split('.').at(-1) ?? ''] ?? 'application/octet-stream';
  response.writeHead(200, { 'content-type': type, 'cache-control': 'max-age=600' }).end(readFileSync(file));
}

/** What the theme bootstrap puts around a view, with the tabs of menu.d. */
function html(name: string, rights: FakeRouter['rights']): string {
  const path = ['admin', 'services', 'shareagent', name];
  const environment = {
    token: '0'.repeat(32),
    media: '/luci-static/bootstrap',
    resource: '/luci-static/resources',
    scriptname: '/cgi-bin/luci',
    pathinfo: `/${path.join('/')}`,
    documentroot: '/www',
    requestpath: path,
    dispatchpath: path,
    pollinterval: 5,
    ubuspath: '/ubus/',
    sessionid: '0'.repeat(32),
    nodespec: { satisfied: true, readonly: rights !== 'write' },
    apply_rollback: 90,
    apply_holdoff: 4,
    apply_timeout: 5,
    apply_display: 1.5,
    rollback_token: null,
  };
  const tabs = Object.entries(menu())
    .filter(([key, node]) => key.split('/').length === 4 && node.title !== undefined)
    .map(([key, node]) => {
      const isHere = key.endsWith(`/${name}`);
      return `<li class="tabmenu-item-x${isHere ? ' active' : ''}"><a href="/cgi-bin/luci/${key}">${node.title}</a></li>`;
    });
  return `<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><title>Router - LuCI</title>
<meta name="viewport" content="initial-scale=1.0">
<script>matchMedia('(prefers-color-scheme: dark)').matches && document.documentElement.setAttribute('data-darkmode', 'true')</script>
<link rel="stylesheet" href="/luci-static/bootstrap/cascade.css">
<link rel="stylesheet" media="only screen and (max-device-width: 854px)" href="/luci-static/bootstrap/mobile.css">
<script src="/luci-static/resources/cbi.js"></script></head>
<body class="lang_en"><header><a class="brand" href="/">OpenWrt</a><ul class="nav" id="topmenu"></ul>
<div id="indicators" class="pull-right"></div></header>
<div id="maincontent" class="container"><div id="tabmenu"><ul class="tabs">${tabs.join('')}</ul></div>
<div id="view"><div class="spinning">Loading view…</div></div></div>
<script src="/luci-static/resources/luci.js"></script>
<script>L = new LuCI(${JSON.stringify(environment)});
L.require('ui').then((ui) => ui.instantiateView('shareagent/${name}'));</script></body></html>`;
}
