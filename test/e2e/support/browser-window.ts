/**
 * One window of a browser that is not Chromium, driven from outside by the commands of W3C WebDriver. What it is looked at for
 * is asked by commands, not by scripts in the page: those are subject to the page's policy, or switched off.
 */
import { writeFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';

/** Carries commands to a browser. Names are those of WebDriver's sections 10 to 17. */
export type Remote = {
  readonly command: (name: CommandName, parameters?: Readonly<Record<string, unknown>>) => Promise<unknown>;
  /** What the browser said on its console since it was started. */
  readonly complaints: () => Promise<readonly string[]>;
  /** Ends the browser and all that was started for it. */
  readonly close: () => Promise<void>;
};
export type CommandName =
  | 'Navigate'
  | 'GetCurrentURL'
  | 'FindElement'
  | 'ElementClick'
  | 'ElementClear'
  | 'ElementSendKeys'
  | 'GetElementText'
  | 'GetElementAttribute'
  | 'GetElementProperty'
  | 'IsElementDisplayed'
  | 'ExecuteScript'
  | 'SetWindowRect'
  | 'TakeScreenshot';

/** How a browser is started. All names lead to the portal: it is its http proxy. */
export type BrowserStart = {
  readonly portalPort: number;
  readonly hasScript: boolean;
  readonly isDark: boolean;
};

/** The key under which WebDriver wraps an element. */
const ELEMENT = 'element-6066-11e4-a52e-4f735466cecf';
const PATIENCE_MS = 30_000;
const LOOK_MS = 50;

export class BrowserWindow {
  readonly #remote: Remote;

  constructor(remote: Remote) {
    this.#remote = remote;
  }

  async open(url: string): Promise<void> {
    await this.#remote.command('Navigate', { url });
  }

  /** Of the page's area in CSS pixels. */
  async resize(width: number, height: number): Promise<void> {
    const [more = 0, higher = 0] = (await this.evaluate(
      '[outerWidth - innerWidth, outerHeight - innerHeight]',
    )) as number[];
    await this.#remote.command('SetWindowRect', { x: 0, y: 0, width: width + more, height: height + higher });
    await this.#until(`a page ${width} pixels wide`, async () => (await this.evaluate('innerWidth')) === width);
  }

  async url(): Promise<string> {
    return String(await this.#remote.command('GetCurrentURL'));
  }

  /** What a person reads there. */
  async text(selector: string): Promise<string> {
    return String(await this.#of(selector, 'GetElementText'));
  }

  async attribute(selector: string, name: string): Promise<string | null> {
    return (await this.#of(selector, 'GetElementAttribute', { name })) as string | null;
  }

  async value(selector: string): Promise<string> {
    return String(await this.#of(selector, 'GetElementProperty', { name: 'value' }));
  }

  async click(selector: string): Promise<void> {
    await this.sees(selector);
    await this.#of(selector, 'ElementClick');
  }

  async fill(selector: string, text: string): Promise<void> {
    await this.sees(selector);
    await this.#of(selector, 'ElementClear');
    await this.#of(selector, 'ElementSendKeys', { text });
  }

  /** Waits until it is there, and `says` so if that is given. */
  async sees(selector: string, says: RegExp = /^/): Promise<void> {
    await this.#until(`${selector} to say ${says}`, async () => {
      const isDisplayed = await this.#of(selector, 'IsElementDisplayed');
      return isDisplayed === true && says.test(await this.text(selector));
    });
  }

  /** An expression's value in the page. */
  async evaluate(expression: string): Promise<unknown> {
    return await this.#remote.command('ExecuteScript', { script: `return ${expression}`, args: [] });
  }

  /** A picture of the window as PNG. */
  async picture(path: string): Promise<void> {
    writeFileSync(path, Buffer.from(String(await this.#remote.command('TakeScreenshot', { full: false })), 'base64'));
  }

  /** Found anew each time: pages are loaded anew in between. */
  async #of(selector: string, name: CommandName, more: Readonly<Record<string, unknown>> = {}): Promise<unknown> {
    const found = await this.#remote.command('FindElement', { using: 'css selector', value: selector });
    return await this.#remote.command(name, { id: (found as Readonly<Record<string, string>>)[ELEMENT], ...more });
  }

  /** An element that is missing, or of a page that was just left, is not there yet. */
  async #until(what: string, look: () => Promise<boolean>): Promise<void> {
    const untilMs = performance.now() + PATIENCE_MS;
    let last: unknown = 'it never was so';
    while (performance.now() < untilMs) {
      const isSo = await look().catch((error: unknown) => {
        last = error;
        return false;
      });
      if (isSo) return;
      await delay(LOOK_MS);
    }
    throw new Error(`Waited ${PATIENCE_MS / 1_000} s for ${what}.`, { cause: last });
  }
}
