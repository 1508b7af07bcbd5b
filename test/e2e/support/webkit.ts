/**
 * WebKit, the engine of every sign-in sheet on iOS and macOS: WebKitGTK's MiniBrowser, driven by WebKitWebDriver, on a screen that
 * nobody sees. Debian: apt-get install webkit2gtk-driver xvfb.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, globSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { BrowserStart, CommandName, Remote } from './browser-window.ts';

const [MINI_BROWSER = ''] = globSync('/usr/lib/*/webkit2gtk-4.[01]/MiniBrowser');
const NEEDED = [MINI_BROWSER, '/usr/bin/WebKitWebDriver', '/usr/bin/Xvfb'];
/** Or no window is narrower than its title bar. */
const NARROW = '* { min-width: 0; min-height: 0; margin: 0; padding: 0; border-width: 0; font-size: 1px; }';
const POPUP = `window.open('about:blank', '_blank', 'width=320,height=568,toolbar=no'); return 0`;
const SOON_MS = 10_000;

/** Method and path of a command below its session; {id} is an element's. */
const ROUTES: Readonly<Record<CommandName, readonly [method: 'GET' | 'POST', path: string]>> = {
  Navigate: ['POST', '/url'],
  GetCurrentURL: ['GET', '/url'],
  FindElement: ['POST', '/element'],
  ElementClick: ['POST', '/element/{id}/click'],
  ElementClear: ['POST', '/element/{id}/clear'],
  ElementSendKeys: ['POST', '/element/{id}/value'],
  GetElementText: ['GET', '/element/{id}/text'],
  GetElementAttribute: ['GET', '/element/{id}/attribute/{name}'],
  GetElementProperty: ['GET', '/element/{id}/property/{name}'],
  IsElementDisplayed: ['GET', '/element/{id}/displayed'],
  ExecuteScript: ['POST', '/execute/sync'],
  SetWindowRect: ['POST', '/window/rect'],
  TakeScreenshot: ['GET', '/screenshot'],
};

/** Why WebKit cannot be had here, or false if it can. */
export const WEBKIT_MISSING: string | false = NEEDED.every((path) => existsSync(path))
  ? false
  : 'needs WebKitGTK: apt-get install webkit2gtk-driver xvfb';

export async function startWebKit({ portalPort, hasScript, isDark }: BrowserStart): Promise<Remote> {
  const home = mkdtempSync(join(tmpdir(), 'webkit-'));
  mkdirSync(join(home, 'gtk-3.0'));
  writeFileSync(join(home, 'gtk-3.0/gtk.css'), NARROW);
  const screen = spawn('Xvfb', ['-displayfd', '3', '-screen', '0', '1280x1024x24', '-nolisten', 'tcp'], {
    stdio: ['ignore', 'ignore', 'ignore', 'pipe'],
  });
  const [display] = (await once(screen.stdio[3] as NodeJS.ReadableStream, 'data')) as [Buffer];
  const port = await freePort();
  const driver = spawn('WebKitWebDriver', [`--port=${port}`], {
    env: {
      ...process.env,
      DISPLAY: `:${display.toString().trim()}`,
      GTK_THEME: isDark ? 'Adwaita:dark' : 'Adwaita',
      HOME: home,
      XDG_CONFIG_HOME: home,
      XDG_CACHE_HOME: home,
      XDG_DATA_HOME: home,
      NO_AT_BRIDGE: '1',
      LIBGL_ALWAYS_SOFTWARE: '1',
    },
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  let said = '';
  driver.stdout.on('data', (chunk: Buffer) => {
    said += chunk.toString('utf8');
  });
  const session = await openSession(`http://127.0.0.1:${port}`, {
    proxy: { proxyType: 'manual', httpProxy: `127.0.0.1:${portalPort}` },
    'webkitgtk:browserOptions': {
      binary: MINI_BROWSER,
      args: [
        '--automation',
        '--enable-write-console-messages-to-stdout=true',
        '--javascript-can-open-windows-automatically=true',
        `--enable-javascript-markup=${hasScript}`,
      ],
    },
  });
  await takePopup(session);
  return {
    command: (name, parameters = {}) => {
      const [method, path] = ROUTES[name];
      const filled = path.replace(/\{(\w+)\}/g, (_, key: string) => String(parameters[key]));
      return ask(method, session + filled, method === 'POST' ? parameters : undefined);
    },
    complaints: () => Promise.resolve(said.split('\n').filter((line) => /^CONSOLE/.test(line))),
    close: async () => {
      await ask('DELETE', session).catch(() => undefined);
      await Promise.all([driver, screen].map(ended));
      rmSync(home, { recursive: true, force: true, maxRetries: 5 });
    },
  };
}

/** Of two windows the second is without bars, and as narrow as a phone. */
async function takePopup(session: string): Promise<void> {
  const first = await ask('GET', `${session}/window`);
  await ask('POST', `${session}/execute/sync`, { script: POPUP, args: [] });
  const handles = (await ask('GET', `${session}/window/handles`)) as readonly string[];
  await ask('POST', `${session}/window`, { handle: handles.find((handle) => handle !== first) });
}

/** Address of the new session; the driver may be a moment from listening. */
async function openSession(driver: string, alwaysMatch: object): Promise<string> {
  for (const untilMs = performance.now() + SOON_MS; ; await delay(50)) {
    const opened = await ask('POST', `${driver}/session`, { capabilities: { alwaysMatch } }).catch((error: unknown) => {
      if (error instanceof TypeError && performance.now() < untilMs) return undefined;
      throw error;
    });
    if (opened !== undefined) return `${driver}/session/${(opened as { readonly sessionId: string }).sessionId}`;
  }
}

async function ask(method: 'GET' | 'POST' | 'DELETE', url: string, body?: object): Promise<unknown> {
  const headers = { 'content-type': 'application/json' };
  const answer = await fetch(url, { method, headers, ...(body !== undefined && { body: JSON.stringify(body) }) });
  const { value } = (await answer.json()) as { readonly value: unknown };
  if (!answer.ok) throw new Error(`${method} ${url}: ${JSON.stringify(value)}`);
  return value;
}

async function ended(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  child.kill();
  await once(child, 'exit');
}

async function freePort(): Promise<number> {
  const server = createServer().listen({ host: '127.0.0.1', port: 0 });
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  server.close();
  await once(server, 'close');
  return port;
}
