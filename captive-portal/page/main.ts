/**
 * The guest's page: wires elements, wallet and live view together. Works over plain http, without storage and without
 * crypto.subtle; asks nobody but the router it came from.
 */

import './old-browsers.ts';
import { forgetKeys, type Keys, keysFromText, makeKeys, recallKeys, rememberKeys } from './key-ring.ts';
import { LiveFeed } from './live-feed.ts';
import { canAdd, canOpen, moodOf } from './mood.ts';
import { hideWallet, showReceipt, showTicket, showWallet } from './panels.ts';
import { type Answer, getTerms, getView, post, problemOf } from './router-client.ts';
import {
  chosen,
  element,
  groupCode,
  markChosen,
  show,
  showChoices,
  showCode,
  showConnection,
  showOffer,
  showProblem,
} from './screen.ts';
import { speedBetween } from './speed.ts';
import { StreamPayer } from './stream-payer.ts';
import { adviceText, filled } from './strings.ts';
import { add, type Choice, modeOf, open, planOf, startTrial, takeUp } from './till.ts';
import { STRINGS, TONGUE } from './tongue.ts';
import { type Terms, ticketInFragment } from './wallet.ts';
import type { View } from './wire.ts';
import { depositText, moneyText } from './wording.ts';

let view: View | undefined;
let viewedMs = 0;
let bytesPerSecond = 0n;
let terms: Terms | undefined;
let keys: Keys | undefined = recallKeys();
let payer: StreamPayer | undefined;
let isAdding = false;
/** A ticket this page made, while it waits for money from another wallet. */
let waiting: Keys | undefined;
let isTrialUsed = false;
/** A request of the guest's is under way: nothing may navigate away from it. */
let isBusy = false;
/** The page is to be loaded anew, as soon as nothing is under way. */
let isLeaving = false;

const feed = new LiveFeed({
  onView: accept,
  onTrouble: (problem) => showConnection(problem && adviceText(problem.reason, STRINGS)),
});

start();

function start(): void {
  element('trial').addEventListener('click', () => void act('trial', startTrial));
  element('finish').addEventListener('click', () => {
    payer = undefined;
    void act('finish', () => post('/api/leave'));
  });
  element('pause').addEventListener(
    'click',
    () => void act('pause', () => post(view?.isPaused === true ? '/api/resume' : '/api/pause')),
  );
  element('other-wallet').addEventListener('click', openWallet);
  element('wallet-cancel').addEventListener('click', closeWallet);
  element('wallet-sent').addEventListener('click', () => void act('wallet-sent', payFromWallet));
  element('ticket').addEventListener('toggle', () => showTicket(keys));
  element('receipt').addEventListener('toggle', () => void showReceipt());
  element('language').addEventListener('change', (event) => {
    location.assign(`/?lang=${(event.target as HTMLSelectElement).value}`);
  });
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
  showCode(keys);
  feed.start();
  void loadTerms();
  void joinByLink();
  setInterval(render, 1_000);
}

async function loadTerms(): Promise<void> {
  const answer = await getTerms();
  if (!answer.ok) {
    showProblem(adviceText(answer.problem.reason, STRINGS));
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
  if (before !== undefined) bytesPerSecond = speedBetween(before, next, now - viewedMs, bytesPerSecond);
  view = next;
  viewedMs = now;
  if (before !== undefined && canOpen(moodOf(before)) !== canOpen(moodOf(next))) {
    isAdding = false;
    refreshChoices();
  }
  // The keys stay: the rest is on them, and a ticket that this page made is nowhere else until it is written down.
  if (next.phase === 'settled') {
    payer = undefined;
    if (before?.phase !== 'settled') showCode(keys);
  }
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
    isWalletOpen: waiting !== undefined,
    isTrialUsed,
    bytesPerSecond: ageMs > 20_000 ? 0n : bytesPerSecond,
    ageMs,
  });
  showTicket(waiting === undefined ? keys : undefined);
  element('code-field').hidden = isAdding && keys !== undefined;
  element<HTMLInputElement>('code').required = !element('code-field').hidden;
}

/** A sign-in sheet looks again whether it is online only after a navigation; paying as you go must stay on the page. */
function leaveForSheet(): void {
  if (keys?.mode === 'stream' || isBusy) return;
  isLeaving = false;
  const asked = /[?&](lang=[a-z]+)/.exec(location.search)?.[1];
  location.replace(asked === undefined ? '/?online' : `/?${asked}&online`);
}

async function pay(): Promise<Answer<View>> {
  const choice = chosenChoice();
  if (isAdding && view !== undefined && canAdd(moodOf(view))) return await payMore(view, choice);
  const typed = typedKeys(modeOf(choice));
  if (typed === undefined) return { ok: false, problem: problemOf('bad-pass-code') };
  const answer = await payWith(typed, choice);
  if (!answer.ok) forget();
  return answer;
}

/** A code whose session runs already pays nothing more: this device joins what is left of it. */
async function payWith(paying: Keys, choice: Choice): Promise<Answer<View>> {
  keys = paying;
  rememberKeys(keys);
  const answer = (await takeUp(keys.secretKey)) ?? (await open(keys.secretKey, choice));
  if (answer.ok) resumeStream();
  return answer;
}

/** Opened by the link in a ticket's code: takes up what runs under it, else leaves the ticket filled in. */
async function joinByLink(): Promise<void> {
  const joining = keysFromText(ticketInFragment(location.hash), 'hold');
  if (joining === undefined) return;
  history.replaceState(null, '', location.pathname + location.search);
  await act('pay-button', async () => {
    const taken = await takeUp(joining.secretKey);
    if (taken?.ok === true) {
      keys = joining;
      rememberKeys(keys);
    }
    return taken ?? (await getView());
  });
  showCode(joining);
}

/** Makes a ticket for the chosen package and asks for its money. The ticket stays in this tab, whatever becomes of the payment. */
function openWallet(): void {
  if (terms === undefined) return;
  const choice = chosenChoice();
  waiting ??= makeKeys(modeOf(choice));
  keys = { ...waiting, mode: modeOf(choice) };
  rememberKeys(keys);
  const deposits = planOf(terms, choice).deposits;
  showWallet(keys, terms, deposits[deposits.length - 1] ?? 0n);
  showProblem(undefined);
  render();
  element('wallet-heading').focus();
}

function closeWallet(): void {
  showCode(waiting);
  waiting = undefined;
  hideWallet();
  render();
  element('other-wallet').focus();
}

async function payFromWallet(): Promise<Answer<View>> {
  if (waiting === undefined) return { ok: false, problem: problemOf('bad-pass-code') };
  const choice = chosenChoice();
  const answer = await payWith({ ...waiting, mode: modeOf(choice) }, choice);
  if (!answer.ok && answer.problem.reason === 'chain-refused') return { ok: false, problem: problemOf('not-arrived') };
  if (answer.ok) {
    waiting = undefined;
    hideWallet();
  }
  return answer;
}

async function payMore(current: View, { units }: Choice): Promise<Answer<View>> {
  const paying = keys ?? typedKeys('hold');
  if (paying === undefined) return { ok: false, problem: problemOf('bad-pass-code') };
  if (terms === undefined || units === undefined) return { ok: false, problem: problemOf('not-selling') };
  const answer = await add(terms, paying.secretKey, current, units);
  if (answer.ok) {
    keys = { ...paying, mode: 'hold' };
    rememberKeys(keys);
    isAdding = false;
  }
  return answer;
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
  button.textContent = STRINGS.pay.working;
  showProblem(undefined);
  // An offer with values that fit no signature throws in the wallet: to the guest that is a mistake of the router's.
  const answer = await work().catch((): Answer<View> => ({ ok: false, problem: problemOf('internal') }));
  isBusy = false;
  button.disabled = false;
  button.textContent = label;
  if (answer.ok) {
    element<HTMLInputElement>('code').value = '';
    accept(answer.value);
    return;
  }
  if (answer.problem.reason === 'trial-used') isTrialUsed = true;
  showProblem(adviceText(answer.problem.reason, STRINGS));
  render();
}

function refreshChoices(): void {
  if (terms === undefined) return;
  showChoices(terms, isAdding && view !== undefined ? view.depositUnits - view.creditUnits : undefined);
  describeDeposit();
}

function describeDeposit(): void {
  if (terms === undefined) return;
  const left = view === undefined ? 0n : view.depositUnits - view.creditUnits;
  element('deposit').textContent = isAdding
    ? filled(STRINGS.pay.addTo, { money: moneyText(left, TONGUE) })
    : depositText(planOf(terms, chosenChoice()).deposits[0] ?? 0n, terms.quote.openFee, TONGUE);
  element('deposit').hidden = false;
}

function chosenChoice(): Choice {
  const choice = chosen();
  return { units: choice === 'stream' ? undefined : (choice ?? terms?.quote.minDeposit) };
}

function typedKeys(mode: Keys['mode']): Keys | undefined {
  return keysFromText(element<HTMLInputElement>('code').value, mode);
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
