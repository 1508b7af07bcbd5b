/**
 * Remembers the key and way of paying while this tab lives, so that a reload or a sheet's navigation does not ask for the
 * pass code again. Nothing outlives the tab: other places' portals share this page's origin.
 *
 * Sheets differ: sessionStorage may be missing, throw, or be emptied; window.name survives a navigation within the tab, and
 * memory survives none.
 */
import { bytesFromHex, hexFromBytes, isHexOfLength } from '../../protocol/hex.ts';
import type { PaymentMode } from '../../protocol/open-wire.ts';

export type Keys = { readonly secretKey: Uint8Array; readonly mode: PaymentMode };

const SLOT = 'ssp-pass';
let memory = '';

export function rememberKeys({ secretKey, mode }: Keys): void {
  memory = `${mode}:${hexFromBytes(secretKey)}`;
  if (!storeInSession(memory)) window.name = `${SLOT}:${memory}`;
}

export function recallKeys(): Keys | undefined {
  const text = memory || readFromSession() || readFromName();
  const [mode, hex] = text.split(':');
  if ((mode !== 'hold' && mode !== 'stream') || !isHexOfLength(hex, 32)) return undefined;
  memory = text;
  return { mode, secretKey: bytesFromHex(hex) };
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

function storeInSession(text: string): boolean {
  try {
    sessionStorage.setItem(SLOT, text);
    return sessionStorage.getItem(SLOT) === text;
  } catch {
    return false;
  }
}

function readFromSession(): string {
  try {
    return sessionStorage.getItem(SLOT) ?? '';
  } catch {
    return '';
  }
}

function readFromName(): string {
  return window.name.startsWith(`${SLOT}:`) ? window.name.slice(SLOT.length + 1) : '';
}
