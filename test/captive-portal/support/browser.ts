/**
 * A real Chromium that sees a portal on its own name over plain http, as a guest's phone does: no secure context, no
 * crypto.subtle. Everything it complains about on the console is kept.
 */
import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import type { FastifyInstance } from 'fastify';
import { type Browser, type BrowserContextOptions, chromium, type Page } from 'playwright-core';
import { HOST } from './cafe.ts';

export const CHROMIUM_PATH = '/usr/bin/chromium';
/** Chromium as root, with nothing of its own to say on the network. */
export const QUIET_FLAGS: readonly string[] = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];
export const PORTAL = `http://${HOST}/`;

export type Visit = {
  readonly page: Page;
  readonly complaints: readonly string[];
  readonly close: () => Promise<void>;
};

/** A browser for which the portal's name is one port of this machine, and every other name does not exist. */
export type Stage = {
  readonly browser: Browser;
  /** Lets the portal answer there, until it is closed. */
  readonly present: (app: FastifyInstance) => Promise<unknown>;
};

export async function openStage(): Promise<Stage> {
  const port = await freePort();
  const browser = await chromium.launch({
    executablePath: CHROMIUM_PATH,
    args: [...QUIET_FLAGS, `--host-resolver-rules=MAP ${HOST} 127.0.0.1:${port}, MAP * ~NOTFOUND`],
  });
  return { browser, present: (app) => app.listen({ host: '127.0.0.1', port }) };
}

async function freePort(): Promise<number> {
  const server = createServer().listen({ host: '127.0.0.1', port: 0 });
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
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
    // A navigation ends the event stream, and the icon's request, of the page it leaves. The page gives up a look that takes too long.
    const isGivenUp = request.failure()?.errorText === 'net::ERR_ABORTED' && request.url().endsWith('/api/view');
    if (!isGivenUp && !/\/(api\/events|icon\.svg)$/.test(request.url())) complaints.push(`failed: ${request.url()}`);
  });
  return { page, complaints, close: () => context.close() };
}
