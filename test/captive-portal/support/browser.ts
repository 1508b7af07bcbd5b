/**
 * A real Chromium that sees a portal on its own name over plain http, as a guest's phone does: no secure context, no
 * crypto.subtle. Everything it complains about on the console is kept.
 */
import type { AddressInfo } from 'node:net';
import type { FastifyInstance } from 'fastify';
import { type Browser, type BrowserContextOptions, chromium, type Page } from 'playwright-core';
import { HOST } from './cafe.ts';

export const CHROMIUM_PATH = '/usr/bin/chromium';
export const PORTAL = `http://${HOST}/`;

export type Visit = {
  readonly page: Page;
  readonly complaints: readonly string[];
  readonly close: () => Promise<void>;
};

/** Listens, and starts a browser for which the portal's name is this server and every other name does not exist. */
export async function openBrowser(app: FastifyInstance): Promise<Browser> {
  await app.listen({ host: '127.0.0.1', port: 0 });
  const { port } = app.server.address() as AddressInfo;
  return await chromium.launch({
    executablePath: CHROMIUM_PATH,
    args: [
      '--no-sandbox',
      '--disable-gpu',
      '--disable-quic',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
      `--host-resolver-rules=MAP ${HOST} 127.0.0.1:${port}, MAP * ~NOTFOUND`,
    ],
  });
}

export async function visit(browser: Browser, options: BrowserContextOptions): Promise<Visit> {
  const context = await browser.newContext(options);
  const page = await context.newPage();
  const complaints: string[] = [];
  page.on('console', (message) => {
    // Asking whether a session of this key runs here is answered 404 for every new guest.
    if (!message.location().url.endsWith('/api/challenge')) complaints.push(`${message.type()}: ${message.text()}`);
  });
  page.on('pageerror', (error) => complaints.push(`error: ${error.message}`));
  page.on('requestfailed', (request) => {
    // A navigation ends the event stream, and the icon's request, of the page it leaves.
    if (!/\/(api\/events|icon\.svg)$/.test(request.url())) complaints.push(`failed: ${request.url()}`);
  });
  return { page, complaints, close: () => context.close() };
}
