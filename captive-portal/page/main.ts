/**
 * The guest's page: wires elements, wallet and live view together. Works over plain http, without storage and without
 * crypto.subtle; asks nobody but the router it came from.
 */

import './old-browsers.ts';
import { formatPassCode, parsePassCode } from '../../protocol/pass-code.ts';
import { sspFromUnits } from '../../protocol/units.ts';
import { forgetKeys, type Keys, recallKeys, rememberKeys } from './key-ring.ts';
import { LiveFeed } from './live-feed.ts';
import { canAdd, canOpen, moodOf } from './mood.ts';
import { type Answer, getTerms, type Problem, post, problemOf } from './router-client.ts';
import { chosen, element, markChosen, show, showChoices, showConnection, showOffer, showProblem } from './screen.ts';
import { StreamPayer } from './stream-payer.ts';
import { ENGLISH } from './strings.ts';
import { add, type Choice, modeOf, open, planOf, takeUp } from './till.ts';
import { secretKeyFromText, type Terms } from './wallet.ts';
import type { View } from './wire.ts';

let view: View | undefined;
let viewedMs = 0;
let bytesPerSecond = 0n;
let terms: Terms | undefined;
let keys: Keys | undefined = recallKeys();
let payer: StreamPayer | undefined;
let isAdding = false;
let isTrialUsed = false;
/** A request of the guest's is under way: nothing may navigate away from it. */
let isBusy = false;
/** The page is to be loaded anew, as soon as nothing is under way. */
let isLeaving = false;

const feed = new LiveFeed({ onView: accept, onTrouble: showTrouble });

start();

function start(): void {
  element('trial').addEventListener('click', () => void act('trial', () => post('/api/trial')));
  element('finish').addEventListener('click', () => void act('finish', finish));
  element('add').addEventListener('click', beginAdding);
  element('options').addEventListener('change', () => {
    markChosen();
    describeDeposit();
  });
  element('code').addEventListener('input', groupCode);
  element('pay').addEventListener('submit', (event) => {
    event.preventDefault();
    void act('pay-button', pay);
  });
  feed.start();
  void loadTerms();
  setInterval(render, 1_000);
}

async function loadTerms(): Promise<void> {
  const answer = await getTerms();
  if (!answer.ok) {
    showProblem(answer.problem.text);
    setTimeout(() => void loadTerms(), 10_000);
    return;
  }
  // Clears what an earlier try may have said.
  if (terms === undefined) showProblem(undefined);
  terms = answer.value;
  showOffer(terms);
  refreshChoices();
  resumeStream();
  render();
}

/** A new view, from the feed or as the answer to what the guest did. */
function accept(next: View): void {
  const now = performance.now();
  const before = view;
  if (before !== undefined) bytesPerSecond = speedBetween(before, next, now - viewedMs);
  view = next;
  viewedMs = now;
  if (before !== undefined && canOpen(moodOf(before)) !== canOpen(moodOf(next))) {
    isAdding = false;
    refreshChoices();
  }
  if (next.phase === 'settled') forget();
  render();
  void payer?.look(next, now);
  if (before !== undefined && !before.isOnline && next.isOnline) isLeaving = true;
  if (isLeaving) leaveForSheet();
}

function render(): void {
  if (view === undefined) return;
  const ageMs = performance.now() - viewedMs;
  show({
    view,
    terms,
    mode: keys?.mode,
    isAdding,
    isTrialUsed,
    bytesPerSecond: ageMs > 20_000 ? 0n : bytesPerSecond,
    ageMs,
  });
  element('code-field').hidden = isAdding && keys !== undefined;
  element<HTMLInputElement>('code').required = !element('code-field').hidden;
}

/** A sign-in sheet looks again whether it is online only after a navigation; paying as you go must stay on the page. */
function leaveForSheet(): void {
  if (keys?.mode === 'stream' || isBusy) return;
  isLeaving = false;
  location.replace('/?online');
}

async function pay(): Promise<Answer<View>> {
  const choice = chosenChoice();
  if (isAdding && view !== undefined && canAdd(moodOf(view))) return await payMore(view, choice);
  const secretKey = typedKey();
  if (secretKey === undefined) return { ok: false, problem: problemOf('bad-pass-code') };
  keys = { secretKey, mode: modeOf(choice) };
  rememberKeys(keys);
  // A code whose session runs already pays nothing more: this device joins what is left of it.
  const answer = (await takeUp(secretKey)) ?? (await open(secretKey, choice));
  if (!answer.ok) forget();
  else resumeStream();
  return answer;
}

async function payMore(current: View, { units }: Choice): Promise<Answer<View>> {
  const secretKey = keys?.secretKey ?? typedKey();
  if (secretKey === undefined) return { ok: false, problem: problemOf('bad-pass-code') };
  if (terms === undefined || units === undefined) return { ok: false, problem: problemOf('not-selling') };
  const answer = await add(terms, secretKey, current, units);
  if (answer.ok) {
    keys = { secretKey, mode: 'hold' };
    rememberKeys(keys);
    isAdding = false;
  }
  return answer;
}

async function finish(): Promise<Answer<View>> {
  payer = undefined;
  return await post('/api/leave');
}

function beginAdding(): void {
  isAdding = true;
  refreshChoices();
  render();
  element('pay').scrollIntoView({ block: 'nearest' });
  element(keys === undefined ? 'code' : 'pay-button').focus({ preventScroll: true });
}

/** Does one thing at a time, says so on its button, and shows what came of it. */
async function act(buttonId: string, work: () => Promise<Answer<View>>): Promise<void> {
  const button = element<HTMLButtonElement>(buttonId);
  if (isBusy) return;
  isBusy = true;
  const label = button.textContent;
  button.disabled = true;
  button.textContent = ENGLISH.pay.working;
  showProblem(undefined);
  const answer = await settled(work);
  isBusy = false;
  button.disabled = false;
  button.textContent = label;
  if (answer.ok) {
    element<HTMLInputElement>('code').value = '';
    accept(answer.value);
    return;
  }
  if (answer.problem.reason === 'trial-used') isTrialUsed = true;
  showProblem(answer.problem.text);
  render();
}

/** An offer with values that fit no signature throws in the wallet: to the guest that is a mistake of the router's. */
async function settled(work: () => Promise<Answer<View>>): Promise<Answer<View>> {
  try {
    return await work();
  } catch {
    return { ok: false, problem: problemOf('internal') };
  }
}

function refreshChoices(): void {
  if (terms === undefined) return;
  showChoices(terms, isAdding && view !== undefined ? view.depositUnits - view.creditUnits : undefined);
  describeDeposit();
}

function describeDeposit(): void {
  if (terms === undefined) return;
  const deposit = planOf(terms, chosenChoice()).deposits[0] ?? 0n;
  const left = view === undefined ? 0n : view.depositUnits - view.creditUnits;
  const { openFee } = terms.quote;
  const fee = openFee === 0n ? '' : ` ${ENGLISH.pay.openFee(sspFromUnits(openFee))}`;
  element('deposit').textContent = isAdding
    ? ENGLISH.pay.addTo(sspFromUnits(left))
    : ENGLISH.pay.deposit(sspFromUnits(deposit)) + fee;
  element('deposit').hidden = false;
}

function chosenChoice(): Choice {
  const choice = chosen();
  return { units: choice === 'stream' ? undefined : (choice ?? terms?.quote.minDeposit) };
}

function typedKey(): Uint8Array | undefined {
  return secretKeyFromText(element<HTMLInputElement>('code').value);
}

/** Writes a complete code as it is printed, so that it can be compared with the card. */
function groupCode(): void {
  const field = element<HTMLInputElement>('code');
  const code = parsePassCode(field.value);
  if (code !== undefined && field.selectionStart === field.value.length) field.value = formatPassCode(code);
}

function resumeStream(): void {
  if (terms === undefined || keys?.mode !== 'stream') return;
  payer = new StreamPayer(terms, keys.secretKey, accept);
}

function forget(): void {
  keys = undefined;
  payer = undefined;
  forgetKeys();
}

function showTrouble(problem: Problem | undefined): void {
  showConnection(problem?.text);
}

function speedBetween(before: View, after: View, elapsedMs: number): bigint {
  if (elapsedMs < 200) return bytesPerSecond;
  const bytes = after.downBytes + after.upBytes - before.downBytes - before.upBytes;
  return bytes > 0n ? (bytes * 1_000n) / BigInt(Math.ceil(elapsedMs)) : 0n;
}
