/** What a guest buys: opening a channel for a package or for paying as you go, and adding to one. No DOM. */
import type { Address } from '../../protocol/address.ts';
import { attachJsonFromAttach } from '../../protocol/attach.ts';
import { type Hex, hexFromBytes } from '../../protocol/hex.ts';
import type { PaymentMode } from '../../protocol/open-wire.ts';
import { addressFromSecretKey } from '../../protocol/signature.ts';
import { voucherJsonFromVoucher } from '../../protocol/voucher.ts';
import { trialKey } from './key-ring.ts';
import { type Deal, isSameOffer } from './offer.ts';
import { type Answer, getTerms, getView, post, postBalance, postChallenge, problemOf } from './router-client.ts';
import {
  attachRequestFrom,
  challengeJsonFromKey,
  depositsToTry,
  firstStreamAmount,
  isOwnVoucher,
  nextVoucher,
  openJsonFromRequest,
  openRequestFrom,
  streamDeposit,
  type Terms,
  trialJsonFromKey,
} from './wallet.ts';
import type { View } from './wire.ts';

/** As long as a guest looks at a screen that says "one moment". */
const OPEN_ATTEMPTS = 4;
const OPEN_RETRY_MS = 3_000;
/** A phone's clock may be hours off. */
const MAX_CLOCK_DIFFERENCE_S = 86_400n;

/** `units` in advance, or undefined to pay as you go. */
export type Choice = { readonly units: bigint | undefined };

export function modeOf(choice: Choice): PaymentMode {
  return choice.units === undefined ? 'stream' : 'hold';
}

/** First voucher and deposits to try for a choice. */
export function planOf(
  terms: Terms,
  choice: Choice,
): { readonly firstAmount: bigint; readonly deposits: readonly bigint[] } {
  const { quote } = terms;
  if (choice.units === undefined) {
    return { firstAmount: firstStreamAmount(quote), deposits: [streamDeposit(terms)] };
  }
  const firstAmount = choice.units > quote.openFee ? choice.units : quote.openFee;
  return { firstAmount, deposits: depositsToTry(quote, firstAmount) };
}

/** What another wallet is asked for: the smallest deposit that the choice needs. */
export function leastDeposit(terms: Terms, choice: Choice): bigint {
  return planOf(terms, choice).deposits.slice(-1)[0] ?? 0n;
}

/** Asks for the free trial under this tab's key. */
export function startTrial(): Promise<Answer<View>> {
  return post('/api/trial', trialJsonFromKey(trialKey()));
}

/** Takes up the session that this key has running here, from another device or under another MAC; undefined if it has none. */
export async function takeUp(secretKey: Uint8Array): Promise<Answer<View> | undefined> {
  const asked = await postChallenge(challengeJsonFromKey(secretKey));
  if (!asked.ok) return asked;
  if (asked.value === undefined) return undefined;
  return await post('/api/attach', attachJsonFromAttach(attachRequestFrom({ secretKey, ...asked.value })));
}

/** What the guest tapped: a choice among what was shown. */
export type Tap = {
  readonly shown: Terms;
  readonly choice: Choice;
  /** Only what the purchase needs is set aside: what the request for another wallet named. */
  readonly isExact: boolean;
  /** Called with what holds for the channel: before what opens it is sent, or when a running one was taken up. */
  readonly onDeal: (deal: Deal | undefined) => void;
};

/** `changed`: what the router offers instead of what was shown; then nothing was signed. */
export type Sale = Answer<View> & { readonly changed?: Terms };

/** What was signed and led to no session that this page knows of: whoever has it may still open that one channel. */
type Attempt = { readonly payer: Address; readonly terms: Terms; readonly salt: Hex; readonly endsMs: number };
let attempt: Attempt | undefined;

/** A key whose session runs here pays nothing more: this device joins what is left of it. `known`: its newest deal. */
export async function joinOrOpen(secretKey: Uint8Array, tap: Tap, known: Deal | undefined): Promise<Sale> {
  const taken = await takeUp(secretKey);
  if (taken === undefined) return await open(secretKey, tap);
  if (taken.ok) tap.onDeal(dealTakenUp(taken.value, tap, known));
  return taken;
}

/** The price of a session from another device is not known here; paying as you go goes no further than was shown on this one. */
function dealTakenUp({ channelId }: View, { shown, choice }: Tap, known: Deal | undefined): Deal | undefined {
  if (channelId === undefined) return known;
  const most = planOf(shown, choice).deposits[0] ?? 0n;
  if (channelId !== known?.channelId) return { channelId, most, tariff: undefined };
  return most < known.most ? { ...known, most } : known;
}

/**
 * Opens a channel on a fresh quote that says what the guest was shown; tries the smaller deposit if the pass code does not
 * hold the larger one. Every try, also that of a second tap, is for one channel: the deposit's EIP-3009 nonce derives from the
 * channel's id, so of all that was signed only one can ever be executed.
 */
export async function open(secretKey: Uint8Array, { shown, choice, isExact, onDeal }: Tap): Promise<Sale> {
  const [fresh, held] = await Promise.all([getTerms(), postBalance(challengeJsonFromKey(secretKey))]);
  if (!fresh.ok) return fresh;
  if (!isSameOffer(shown, fresh.value)) return { ok: false, problem: problemOf('offer-changed'), changed: fresh.value };
  attempt = attemptFor(secretKey, fresh.value);
  const { terms, salt } = attempt;
  const validBefore = authorizedUntil(terms);
  const { firstAmount, deposits } = planOf(shown, choice);
  let answer: Answer<View> = { ok: false, problem: problemOf('chain-refused') };
  // What the code does not hold is not asked for: each try that the chain refuses is one of the few that a guest has in an hour.
  const possible = deposits.filter((deposit) => held === undefined || deposit <= held);
  for (const deposit of isExact ? possible.slice(-1) : possible) {
    const purchase = { terms, secretKey, deposit, firstAmount, mode: modeOf(choice), salt, validBefore };
    const made = openRequestFrom(purchase);
    if (!made.ok) return { ok: false, problem: problemOf(made.reason) };
    onDeal({ channelId: made.request.voucher.channelId, most: deposit, tariff: terms.quote });
    answer = await sendOpen(openJsonFromRequest(made.request));
    if (answer.ok) attempt = undefined;
    if (answer.ok || answer.problem.reason !== 'chain-refused') return answer;
  }
  return answer;
}

/** The channel of the last try, as long as its quote lives and the same is offered; else a new one. */
function attemptFor(secretKey: Uint8Array, fresh: Terms): Attempt {
  const payer = addressFromSecretKey(secretKey);
  const now = performance.now();
  if (attempt?.payer === payer && now < attempt.endsMs && isSameOffer(attempt.terms, fresh)) return attempt;
  const salt = hexFromBytes(crypto.getRandomValues(new Uint8Array(32)));
  return { payer, terms: fresh, salt, endsMs: now + 1_000 * Number(fresh.quote.validUntil - fresh.nowS) };
}

/** The authorization ends with the quote: by then a new try gets a new channel. The phone's clock bounds what a router may claim. */
function authorizedUntil({ quote }: Terms): bigint {
  const latest = BigInt(Math.floor(Date.now() / 1_000)) + MAX_CLOCK_DIFFERENCE_S;
  return quote.validUntil < latest ? quote.validUntil : latest;
}

/** The same request again while the payment network is slow or the answer got lost: the router knows it by its channel. */
async function sendOpen(request: object): Promise<Answer<View>> {
  for (let attempt = 1; ; attempt++) {
    const answer = await post('/api/open', request);
    const isWorthwhile = !answer.ok && ['chain-unreachable', 'offline'].includes(answer.problem.reason);
    if (!isWorthwhile || attempt === OPEN_ATTEMPTS) return answer;
    await new Promise((resolve) => setTimeout(resolve, OPEN_RETRY_MS));
  }
}

/**
 * Adds `units` to what the guest is shown as paid. Signs one voucher for one tap: a router that says it holds more than that
 * already has what this tap agreed to, so the answer is its view, and never a larger voucher.
 */
export async function add(terms: Terms, secretKey: Uint8Array, view: View, units: bigint): Promise<Answer<View>> {
  const { deployment } = terms;
  const { lastVoucher: last, channelId, depositUnits, downBytes, upBytes } = view;
  if (last === undefined || last.channelId !== channelId) return { ok: false, problem: problemOf('channel-not-open') };
  if (!isOwnVoucher(deployment, secretKey, last)) return { ok: false, problem: problemOf('other-code') };
  const ackBytes = downBytes + upBytes;
  const made = nextVoucher({ deployment, secretKey, last, depositUnits, addUnits: units, ackBytes });
  if (!made.ok) return { ok: false, problem: problemOf(made.reason) };
  const answer = await post('/api/voucher', voucherJsonFromVoucher(made.voucher));
  return answer.ok || answer.problem.last === undefined ? answer : await getView();
}
