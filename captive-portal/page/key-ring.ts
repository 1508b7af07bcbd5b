/**
 * Remembers the pass code and way of paying while this tab lives, so that a reload or a sheet's navigation does not ask for the
 * code again. Nothing outlives the tab: other places' portals share this page's origin. What outlives it is the ticket that the
 * guest writes down, which is the same code.
 *
 * Sheets differ: sessionStorage may be missing, throw, or be emptied; memory survives no navigation. window.name does, but
 * Chrome 80 to 90 and Firefox before 86 hand it to the next site in the tab: it holds the code from the page's own navigation
 * to the load that follows, and at no other time.
 */
import type { Hex } from '../../protocol/hex.ts';
import type { PaymentMode } from '../../protocol/open-wire.ts';
import { parsePassCode, passCodeFromRandom } from '../../protocol/pass-code.ts';
import type { Deal } from './offer.ts';
import { secretKeyFromText } from './wallet.ts';

/** `code` is canonical (no hyphens); `secretKey` is derived from it. */
export type Keys = {
  readonly code: string;
  readonly secretKey: Uint8Array;
  readonly mode: PaymentMode;
  /** The newest channel that this page signed or took up under the code. */
  readonly deal?: Deal;
};

const SLOT = 'ssp-pass';
const TRIAL_SLOT = 'ssp-trial';
const RANDOM_BYTES = 13;
/** window, of which only the name is used here. */
const tab = globalThis as unknown as { name: string };
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

export function rememberKeys({ code, mode, deal }: Keys): void {
  memory = [mode, code, ...(deal === undefined ? [] : dealFields(deal))].join(':');
  storeInSession(SLOT, memory);
}

/** To be called right before the page itself navigates to itself. */
export function carryKeys(): void {
  if (memory !== '' && readFromSession(SLOT) !== memory) tab.name = `${SLOT}:${memory}`;
}

export function recallKeys(): Keys | undefined {
  const text = memory || readFromSession(SLOT) || readFromName();
  if (tab.name.startsWith(SLOT)) tab.name = '';
  const [mode, code, ...rest] = text.split(':');
  if ((mode !== 'hold' && mode !== 'stream') || code === undefined) return undefined;
  memory = text;
  const keys = keysFromText(code, mode);
  const deal = dealFrom(rest);
  return keys === undefined || deal === undefined ? keys : { ...keys, deal };
}

function dealFields({ channelId, most, tariff }: Deal): readonly string[] {
  const prices = tariff === undefined ? [] : [`${tariff.unitsPerMb}`, `${tariff.unitsPerMinute}`];
  return [channelId, `${most}`, ...prices];
}

/** Written by dealFields, in a tab that other places' portals may have used before: believed only if it is whole. */
function dealFrom([channelId, most, unitsPerMb, unitsPerMinute]: readonly string[]): Deal | undefined {
  const isNumber = (text: string | undefined): text is string => /^\d{1,20}$/.test(text ?? '');
  if (!/^0x[0-9a-f]{64}$/.test(channelId ?? '') || !isNumber(most)) return undefined;
  const hasTariff = isNumber(unitsPerMb) && isNumber(unitsPerMinute);
  const tariff = hasTariff ? { unitsPerMb: BigInt(unitsPerMb), unitsPerMinute: BigInt(unitsPerMinute) } : undefined;
  return { channelId: channelId as Hex, most: BigInt(most), tariff };
}

export function forgetKeys(): void {
  memory = '';
  tab.name = '';
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
  return tab.name.startsWith(`${SLOT}:`) ? tab.name.slice(SLOT.length + 1) : '';
}
