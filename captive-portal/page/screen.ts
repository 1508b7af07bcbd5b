/** The page's elements: what is shown for a view. Reads nothing from the router and decides nothing about money. */
import type { PaymentMode } from '../../protocol/open-wire.ts';
import { formatPassCode, parsePassCode } from '../../protocol/pass-code.ts';
import { canAdd, canFinish, canOpen, explanationOf, moodOf } from './mood.ts';
import { filled } from './strings.ts';
import { STRINGS, TONGUE } from './tongue.ts';
import type { Terms } from './wallet.ts';
import type { View } from './wire.ts';
import { dataText, isUnlimited, leftText, moneyText, priceText, speedText, spentText, timeText } from './wording.ts';

export type Shown = {
  readonly view: View;
  readonly terms: Terms | undefined;
  /** How this page pays, if it opened the channel. */
  readonly mode: PaymentMode | undefined;
  readonly isAdding: boolean;
  /** The request for another wallet stands in place of the pass code. */
  readonly isWalletOpen: boolean;
  /** The router said that the free data of today is gone. */
  readonly isTrialUsed: boolean;
  /** Bytes a second, both directions, over the last moments. */
  readonly bytesPerSecond: bigint;
  /** Milliseconds since the view was made. */
  readonly ageMs: number;
};

export function element<T extends HTMLElement = HTMLElement>(id: string): T {
  const found = document.getElementById(id);
  if (found === null) throw new Error(`The page has no element "${id}".`);
  return found as T;
}

export function show(shown: Shown): void {
  const { view, terms, mode, isAdding } = shown;
  const mood = moodOf(view);
  element('state').dataset['mood'] = mood;
  setText('heading', STRINGS.heading[mood]);
  setText('explain', explanationOf(view, mode, STRINGS));
  showUsage(shown);
  showOnChain(view);
  const isOpening = canOpen(mood);
  const canGrow = canAdd(mood) && mode !== 'stream' && view.creditUnits < view.depositUnits;
  element('add').hidden = !canGrow || isAdding;
  element('finish').hidden = !canFinish(mood);
  element('pause').hidden = view.isPaused === undefined || !(canAdd(mood) || mood === 'paused');
  setLabel('pause', mood === 'paused' ? STRINGS.live.resume : STRINGS.live.pause);
  element('receipt').hidden = view.hasReceipt !== true;
  setLabel('finish', mood.startsWith('trial') ? STRINGS.live.finishTrial : STRINGS.live.finish);
  element('offer').hidden = !isOpening || terms === undefined || mood === 'settled' || mood === 'failed';
  const hasTrial = !shown.isTrialUsed && view.phase === 'none' && terms !== undefined && terms.trialBytes > 0n;
  element('trial').hidden = !hasTrial;
  element('pay').hidden = shown.isWalletOpen || (!isOpening && !(canGrow && isAdding));
  element('other-wallet').hidden = !isOpening || terms === undefined;
  setText('pay-heading', isOpening ? STRINGS.pay.heading : STRINGS.pay.addHeading);
  setLabel('pay-button', isOpening ? STRINGS.pay.button : STRINGS.pay.add);
}

export function showOffer(terms: Terms): void {
  const { main, extra } = priceText(terms.quote, TONGUE);
  setText('price', main);
  setText('price-extra', extra ?? '');
  element('price-extra').hidden = extra === undefined;
  setLabel('trial', filled(STRINGS.trial.button, { data: dataText(terms.trialBytes, TONGUE) }));
}

/** A problem, or undefined to take the last one away. One that a silent router made goes by itself when it answers again. */
export function showProblem(text: string | undefined, reason = ''): void {
  element('problem').dataset['reason'] = reason;
  setText('problem', text ?? '');
  element('problem').hidden = text === undefined;
  if (text !== undefined) element('problem').scrollIntoView({ block: 'nearest' });
}

export function showConnection(text: string | undefined): void {
  if (text === undefined && element('problem').dataset['reason'] === 'offline') showProblem(undefined);
  setText('connection', text ?? '');
  element('connection').hidden = text === undefined;
}

/** Fills in a code as it is printed; nothing for undefined. */
export function showCode(keys: { readonly code: string } | undefined): void {
  if (keys !== undefined) element<HTMLInputElement>('code').value = formatPassCode(keys.code);
}

/** Writes a complete code as it is printed, so that it can be compared with the card. */
export function groupCode(): void {
  const field = element<HTMLInputElement>('code');
  const code = parsePassCode(field.value);
  if (code !== undefined && field.selectionStart === field.value.length) field.value = formatPassCode(code);
}

function showUsage({ view, bytesPerSecond, ageMs }: Shown): void {
  const used = view.downBytes + view.upBytes;
  const isRunning = ['trial', 'pending', 'active', 'grace'].includes(view.phase);
  element('usage').hidden = !isRunning && used === 0n;
  const isEndless = isUnlimited(view.bytesRemaining);
  setText('left-value', isEndless ? STRINGS.live.unlimited : dataText(view.bytesRemaining, TONGUE));
  element('left-label').hidden = isEndless;
  element('left-bar').hidden = isEndless || !isRunning;
  element<HTMLProgressElement>('left-bar').value = permille(view.bytesRemaining, view.bytesRemaining + used);
  document.querySelector<HTMLElement>('.left')?.toggleAttribute('hidden', !isRunning);
  setText('down', dataText(view.downBytes, TONGUE));
  setText('up', dataText(view.upBytes, TONGUE));
  setText('time', timeText((view.onlineMs + (view.isOnline ? ageMs : 0)) / 1_000, TONGUE));
  setText('speed', speedText(bytesPerSecond, TONGUE));
  const secondsLeft = view.secondsRemaining;
  element('time-left-row').hidden = secondsLeft === undefined || !isRunning;
  if (secondsLeft !== undefined) setText('time-left', timeText(secondsLeft - ageMs / 1_000, TONGUE));
  for (const row of document.querySelectorAll<HTMLElement>('.money')) row.hidden = view.channelId === undefined;
  element('speed-row').hidden = !isRunning;
  if (!isRunning) element('money-row').hidden = true;
  setText('spent', isRunning ? spentText(view.chargedUnits, TONGUE) : moneyText(view.chargedUnits, TONGUE));
  setText('money', leftText(positive(view.creditUnits - view.chargedUnits), TONGUE));
  setText('aside', filled(STRINGS.live.aside, { money: moneyText(view.depositUnits, TONGUE) }));
  element('aside').hidden = view.depositUnits === 0n || !isRunning;
}

/** What the guest can look up on chain: where the deposit went, and what came back. */
function showOnChain({ refund, openTx, depositUnits }: View): void {
  element('deposit-tx-row').hidden = openTx === undefined;
  setText('deposit-units', filled(STRINGS.live.aside, { money: moneyText(depositUnits, TONGUE) }));
  setText('deposit-tx', openTx ?? '');
  element('refund').hidden = refund === undefined;
  if (refund === undefined) return;
  element('refund-text').hidden = refund.units === 0n;
  setText('refund-text', filled(STRINGS.live.refund, { money: moneyText(refund.units, TONGUE) }));
  setText('refund-tx', refund.tx);
}

/** Writes only what changed, so that screen readers and selections are left alone. */
export function setText(id: string, text: string): void {
  const target = element(id);
  if (target.textContent !== text) target.textContent = text;
}

/** A button that is at work says so until it is done. */
function setLabel(id: string, text: string): void {
  if (!element<HTMLButtonElement>(id).disabled) setText(id, text);
}

function permille(part: bigint, whole: bigint): number {
  return whole <= 0n ? 0 : Number((part * 1_000n) / whole);
}

function positive(value: bigint): bigint {
  return value > 0n ? value : 0n;
}
