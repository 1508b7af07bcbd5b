/** Firefox without a window of its own, driven by Marionette, its native form of WebDriver. Debian: apt-get install firefox-esr. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { BrowserStart, Remote } from './browser-window.ts';

const FIREFOX_PATH = '/usr/bin/firefox-esr';
/** The last lets the console be read. */
const FLAGS = ['--headless', '--marionette', '--no-remote', '--remote-allow-system-access'];
const SOON_MS = 20_000;
/** A window of the other kind is no narrower than 450 pixels. */
const POPUP = `window.open('about:blank', '_blank', 'width=320,height=568')`;
/** In the browser's own scope: everything that it complained about, of pages and policies. */
const COMPLAINTS = `return Services.console.getMessageArray()
  .filter((message) => message instanceof Ci.nsIScriptError && message.sourceName.startsWith('http'))
  .map((message) => message.errorMessage)`;

/** Why Firefox cannot be had here, or false if it can. */
export const FIREFOX_MISSING: string | false = existsSync(FIREFOX_PATH)
  ? false
  : 'needs Firefox: apt-get install firefox-esr';

export async function startFirefox(start: BrowserStart): Promise<Remote> {
  const profile = mkdtempSync(join(tmpdir(), 'firefox-'));
  const lines = Object.entries(preferences(start)).map(
    ([n, value]) => `user_pref("${n}", ${JSON.stringify(value)});\n`,
  );
  writeFileSync(join(profile, 'user.js'), lines.join(''));
  const browser = spawn(FIREFOX_PATH, [...FLAGS, '--profile', profile], {
    env: { ...process.env, HOME: profile, MOZ_CRASHREPORTER_DISABLE: '1' },
    stdio: 'ignore',
  });
  const marionette = new Marionette(await connected(join(profile, 'MarionetteActivePort')));
  await marionette.ask('WebDriver:NewSession', {});
  const first = await marionette.ask('WebDriver:GetWindowHandle', {});
  await marionette.ask('WebDriver:ExecuteScript', { script: POPUP, args: [] });
  const handles = (await marionette.ask('WebDriver:GetWindowHandles', {})) as readonly string[];
  await marionette.ask('WebDriver:SwitchToWindow', { handle: handles.find((handle) => handle !== first), focus: true });
  return {
    command: (name, parameters = {}) => marionette.ask(`WebDriver:${name}`, parameters),
    complaints: async () => {
      await marionette.ask('Marionette:SetContext', { value: 'chrome' });
      const said = await marionette.ask('WebDriver:ExecuteScript', { script: COMPLAINTS, args: [] });
      await marionette.ask('Marionette:SetContext', { value: 'content' });
      return said as readonly string[];
    },
    close: async () => {
      const over = browser.exitCode === null ? once(browser, 'exit') : undefined;
      await marionette.ask('Marionette:Quit', { flags: ['eForceQuit'] }).catch(() => browser.kill());
      await over;
      rmSync(profile, { recursive: true, force: true, maxRetries: 5 });
    },
  };
}

function preferences({
  portalPort,
  hasScript,
  isDark,
}: BrowserStart): Readonly<Record<string, string | number | boolean>> {
  return {
    'marionette.port': 0,
    'network.proxy.type': 1,
    'network.proxy.http': '127.0.0.1',
    'network.proxy.http_port': portalPort,
    'dom.disable_open_during_load': false,
    'javascript.enabled': hasScript,
    'layout.css.prefers-color-scheme.content-override': isDark ? 0 : 1,
    // Nothing of its own to say on the network.
    'network.captive-portal-service.enabled': false,
    'network.connectivity-service.enabled': false,
    'datareporting.policy.dataSubmissionEnabled': false,
    'app.update.disabledForTesting': true,
    'browser.safebrowsing.blockedURIs.enabled': false,
    'services.settings.server': 'data:,#remote-settings-dummy/v1',
    'dom.security.https_only_mode': false,
    'dom.security.https_first': false,
    'browser.shell.checkDefaultBrowser': false,
    'intl.accept_languages': 'en',
  };
}

/** Firefox writes the port it chose into its profile. */
async function connected(portFile: string): Promise<Socket> {
  for (const untilMs = performance.now() + SOON_MS; ; await delay(50)) {
    const port = existsSync(portFile) ? Number(readFileSync(portFile, 'utf8')) : 0;
    if (port > 0) {
      const socket = connect({ host: '127.0.0.1', port });
      await once(socket, 'connect');
      return socket;
    }
    if (performance.now() > untilMs) throw new Error(`Firefox wrote no ${portFile} within ${SOON_MS / 1_000} s.`);
  }
}

/**
 * Messages are "LENGTH:JSON"; a command [0, id, name, parameters], its answer [1, id, error, result].
 * @see https://firefox-source-docs.mozilla.org/testing/marionette/Protocol.html
 */
class Marionette {
  readonly #socket: Socket;
  readonly #waiting = new Map<number, (error: object | null, result: unknown) => void>();
  #unread = Buffer.alloc(0);
  #lastId = 0;

  constructor(socket: Socket) {
    this.#socket = socket;
    socket.on('data', (chunk: Buffer) => this.#read(chunk));
    socket.on('close', () => {
      for (const hear of this.#waiting.values()) hear({ message: 'Firefox hung up.' }, undefined);
    });
    socket.on('error', () => socket.destroy());
  }

  ask(name: string, parameters: object): Promise<unknown> {
    const id = ++this.#lastId;
    const text = JSON.stringify([0, id, name, parameters]);
    this.#socket.write(`${Buffer.byteLength(text)}:${text}`);
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, (error, result) => {
        this.#waiting.delete(id);
        if (error !== null) reject(new Error(JSON.stringify(error)));
        else resolve(isWrapped(result) ? result.value : result);
      });
    });
  }

  #read(chunk: Buffer): void {
    this.#unread = Buffer.concat([this.#unread, chunk]);
    for (;;) {
      const colon = this.#unread.indexOf(':');
      const end = colon + 1 + Number(this.#unread.subarray(0, Math.max(colon, 0)).toString('latin1'));
      if (colon < 0 || this.#unread.length < end) return;
      this.#hear(JSON.parse(this.#unread.subarray(colon + 1, end).toString('utf8')));
      this.#unread = this.#unread.subarray(end);
    }
  }

  /** The first message is a greeting; whatever is no answer is nobody's. */
  #hear(message: unknown): void {
    if (!Array.isArray(message)) return;
    const [, id, error, result] = message as [number, number, object | null, unknown];
    this.#waiting.get(id)?.(error, result);
  }
}

function isWrapped(result: unknown): result is { readonly value: unknown } {
  return typeof result === 'object' && result !== null && 'value' in result;
}
