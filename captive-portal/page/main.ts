/**
 * The guest's page: wires elements, wallet and live view together. Works over plain http, without storage and without
 * crypto.subtle; asks nobody but the router it came from.
 */

import './old-browsers.ts';
import { ArrivalWatch } from './arrival-watch.ts';
import { type Choosing, chosen, showChoices, showChosen, typedKeys, untriedCode } from './choices.ts';
import { forgetKeys, type Keys, keysFromText, makeKeys, recallKeys, rememberKeys } from './key-ring.ts';
import { LiveFeed } from './live-feed.ts';
import { canAdd, canOpen, moodOf } from './mood.ts';
import { changeLanguage, loadAnew } from './navigation.ts';
import type { Deal } from './offer.ts';
import { OfferWatch } from './offer-watch.ts';
import { hideWallet, showReceipt, showTicket, showWallet } from './panels.ts';
import { type Answer, getView, post, problemOf } from './router-client.ts';
import { element, groupCode, show, showCode, showConnection, showOffer, showProblem } from './screen.ts';
import { speedBetween } from './speed.ts';
import { StreamPayer } from './stream-payer.ts';
import { adviceText } from './strings.ts';
import { add, type Choice, joinOrOpen, leastDeposit, modeOf, startTrial, takeUp } from './till.ts';
import { STRINGS } from './tongue.ts';
import { type Terms, ticketInFragment } from './wallet.ts';
import type { View } from './wire.ts';

let view: View | undefined;
let viewedMs = 0;
let bytesPerSecond = 0n;
let keys: Keys | undefined = recallKeys();
let payer: StreamPayer | undefined;
let isAdding = false;
/** A ticket this page made, while it waits for money from another wallet. */
let waiting: Keys | undefined;
const arrival = new ArrivalWatch();
let isTrialUsed = false;
/** A request of the guest's is under way: nothing may navigate away from it. */
let isBusy = false;
/** The page is to be loaded anew, as soon as nothing is under way. */
let isLeaving = false;

const feed = new LiveFeed({
  onView: accept,
  onTrouble: (problem) => showConnection(problem && adviceText(problem.reason, STRINGS)),
});

const offers = new OfferWatch({
  onOffer: acceptOffer,
  onTrouble: (problem) => showProblem(adviceText(problem.reason, STRINGS)),
  isWanted: () => !isBusy && view !== undefined && canOpen(moodOf(view)),
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
  element('language').addEventListener('change', (event) =>
    changeLanguage((event.target as HTMLSelectElement).value, untriedCode(keys)),
  );
  element('add').addEventListener('click', beginAdding);
  element('options').addEventListener('change', () => showChosen(choosing()));
  element('code').addEventListener('input', groupCode);
  element('pay').addEventListener('submit', (event) => {
    event.preventDefault();
    void act('pay-button', pay);
  });
  showCode(keys);
  feed.start();
  void offers.start();
  void joinByLink();
  setInterval(render, 1_000);
}

/** What is typed and chosen stays; a guest who saw another price is told. */
function acceptOffer(terms: Terms, isChanged: boolean): void {
  // Clears what an earlier try may have said.
  showProblem(
    isChanged && view !== undefined && canOpen(moodOf(view)) ? adviceText('offer-changed', STRINGS) : undefined,
  );
  showOffer(terms);
  showChoices(choosing(), isChanged);
  if (isChanged) showRequest();
  if (payer === undefined) resumeStream();
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
    showChoices(choosing(), false);
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
    terms: offers.shown,
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
  loadAnew();
}

async function pay(): Promise<Answer<View>> {
  const choice = chosen();
  if (choice === undefined) return { ok: false, problem: problemOf('not-selling') };
  if (isAdding && view !== undefined && canAdd(moodOf(view))) return await payMore(view, choice);
  const typed = typedKeys(modeOf(choice));
  if (typed === undefined) return { ok: false, problem: problemOf('bad-pass-code') };
  const answer = await payWith(typed, choice, false);
  if (!answer.ok) forget();
  return answer;
}

/** A code whose session runs already pays nothing more: this device joins what is left of it. */
async function payWith(paying: Keys, choice: Choice, isExact: boolean): Promise<Answer<View>> {
  const { shown } = offers;
  if (shown === undefined) return { ok: false, problem: problemOf('not-selling') };
  if (offers.isUnread) return { ok: false, problem: problemOf('offer-changed') };
  const { code, secretKey, mode } = paying;
  const known = keys?.code === code ? keys.deal : undefined;
  const onDeal = (deal: Deal | undefined) => {
    keys = { code, secretKey, mode, ...(deal !== undefined && { deal }) };
    rememberKeys(keys);
  };
  onDeal(known);
  const answer = await joinOrOpen(secretKey, { shown, choice, isExact, onDeal }, known);
  if (answer.ok) resumeStream();
  else if (answer.changed !== undefined) offers.show(answer.changed);
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
  const choice = chosen();
  if (choice === undefined || isBusy) return;
  // A ticket whose money may be on its way is shown again, whatever was loaded anew meanwhile.
  waiting ??= keys !== undefined && keys.deal === undefined ? keys : makeKeys(modeOf(choice));
  keys = { ...waiting, mode: modeOf(choice) };
  rememberKeys(keys);
  showRequest();
  showProblem(undefined);
  render();
  element('wallet-heading').focus();
}

function showRequest(): void {
  const choice = chosen();
  if (waiting === undefined || offers.shown === undefined || choice === undefined) return;
  showWallet(waiting, offers.shown, leastDeposit(offers.shown, choice));
}

function closeWallet(): void {
  arrival.stop();
  showCode(waiting);
  waiting = undefined;
  hideWallet();
  render();
  element('other-wallet').focus();
}

async function payFromWallet(): Promise<Answer<View>> {
  const choice = chosen();
  const { shown } = offers;
  const ticket = waiting;
  if (ticket === undefined || choice === undefined || shown === undefined)
    return { ok: false, problem: problemOf('bad-pass-code') };
  arrival.stop();
  const answer = await payWith({ ...ticket, mode: modeOf(choice) }, choice, true);
  if (!answer.ok && answer.problem.reason === 'chain-refused') {
    // The guest has said that it is sent: when it is there, what the button was pressed for is done.
    const again = () => void act('wallet-sent', payFromWallet);
    if (waiting === ticket) arrival.start(ticket.secretKey, leastDeposit(shown, choice), again);
    return { ok: false, problem: problemOf('not-arrived') };
  }
  if (answer.ok) {
    waiting = undefined;
    hideWallet();
  }
  return answer;
}

async function payMore(current: View, { units }: Choice): Promise<Answer<View>> {
  const paying = keys ?? typedKeys('hold');
  if (paying === undefined) return { ok: false, problem: problemOf('bad-pass-code') };
  const { shown } = offers;
  if (shown === undefined || units === undefined) return { ok: false, problem: problemOf('not-selling') };
  const answer = await add(shown, paying.secretKey, current, units);
  if (answer.ok) {
    keys = { ...paying, mode: 'hold' };
    rememberKeys(keys);
    isAdding = false;
  }
  return answer;
}

function beginAdding(): void {
  isAdding = true;
  showChoices(choosing(), false);
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
  showProblem(adviceText(answer.problem.reason, STRINGS), answer.problem.reason);
  render();
}

function choosing(): Choosing {
  return { terms: offers.shown, view, deal: keys?.deal, isAdding };
}

function resumeStream(): void {
  if (offers.shown === undefined || keys?.mode !== 'stream' || keys.deal === undefined) return;
  payer = new StreamPayer(offers.shown, keys.secretKey, keys.deal, accept);
}

function forget(): void {
  keys = undefined;
  payer = undefined;
  forgetKeys();
}
