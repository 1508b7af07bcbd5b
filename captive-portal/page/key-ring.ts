/**
 * Remembers the pass code and way of paying while this tab lives, so that a reload or a sheet's navigation does not ask for the
 * code again. Nothing outlives the tab: other places' portals share this page's origin. What outlives it is the ticket that the
 * guest writes down, which is the same code.
 *
 * Sheets differ: sessionStorage may be missing, throw, or be emptied; window.name survives a navigation within the tab, and
 * memory survives none.
 */
import type { PaymentMode } from '../../protocol/open-wire.ts';
import { parsePassCode, passCodeFromRandom } from '../../protocol/pass-code.ts';
import { secretKeyFromText } from './wallet.ts';

/** `code` is canonical (no hyphens); `secretKey` is derived from it. */
export type Keys = { readonly code: string; readonly secretKey: Uint8Array; readonly mode: PaymentMode };

const SLOT = 'ssp-pass';
const TRIAL_SLOT = 'ssp-trial';
const RANDOM_BYTES = 13;
let memory = '';
let trialCode = '';

/** Keys of a code as a person typed it, or undefined if it is none. */
export function keysFromText(text: string, mode: PaymentMode): Keys | undefined {
  const code = parsePassCode(text);
  const secretKey = secretKeyFromText(text);
  return code === undefined || secretKey === undefined ? undefined : { code, secretKey, mode };
}

/** A new ticket: a pass code nobody has yet, holding nothing yet. */
export function makeKeys(mode: PaymentMode): Keys {
  for (;;) {
    const keys = keysFromText(passCodeFromRandom(crypto.getRandomValues(new Uint8Array(RANDOM_BYTES))), mode);
    if (keys !== undefined) return keys;
  }
}

/**
 * Key by which this tab asks for the free trial: its ticket's, else one made for that alone. It pays for nothing and is no ticket;
 * a phone that changes its MAC address while the tab lives is known by it.
 */
export function trialKey(): Uint8Array {
  trialCode ||= readFromSession(TRIAL_SLOT);
  const keys = recallKeys() ?? keysFromText(trialCode, 'hold') ?? makeKeys('hold');
  trialCode = keys.code;
  storeInSession(TRIAL_SLOT, trialCode);
  return keys.secretKey;
}

export function rememberKeys({ code, mode }: Keys): void {
  memory = `${mode}:${code}`;
  if (!storeInSession(SLOT, memory)) window.name = `${SLOT}:${memory}`;
}

export function recallKeys(): Keys | undefined {
  const text = memory || readFromSession(SLOT) || readFromName();
  const [mode, code] = text.split(':');
  if ((mode !== 'hold' && mode !== 'stream') || code === undefined) return undefined;
  memory = text;
  return keysFromText(code, mode);
}

export function forgetKeys(): void {
  memory = '';
  window.name = '';
  try {
    sessionStorage.removeItem(SLOT);
  } catch {
    // No storage: nothing to forget.
  }
}

function storeInSession(slot: string, text: string): boolean {
  try {
    sessionStorage.setItem(slot, text);
    return sessionStorage.getItem(slot) === text;
  } catch {
    return false;
  }
}

function readFromSession(slot: string): string {
  try {
    return sessionStorage.getItem(slot) ?? '';
  } catch {
    return '';
  }
}

function readFromName(): string {
  return window.name.startsWith(`${SLOT}:`) ? window.name.slice(SLOT.length + 1) : '';
}
