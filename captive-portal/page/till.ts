/** What a guest buys: opening a channel for a package or for paying as you go, and adding to one. No DOM. */
import { attachJsonFromAttach } from '../../protocol/attach.ts';
import { hexFromBytes } from '../../protocol/hex.ts';
import type { PaymentMode } from '../../protocol/open-wire.ts';
import { type SignedVoucher, voucherJsonFromVoucher } from '../../protocol/voucher.ts';
import { trialKey } from './key-ring.ts';
import { type Answer, getTerms, post, postChallenge, problemOf } from './router-client.ts';
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
import { type View, voucherFromJson } from './wire.ts';

/** As long as a guest looks at a screen that says "one moment". */
const OPEN_ATTEMPTS = 4;
const OPEN_RETRY_MS = 3_000;

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

/** Opens a channel on a fresh quote; tries the smaller deposit if the pass code does not hold the larger one. */
export async function open(secretKey: Uint8Array, choice: Choice): Promise<Answer<View>> {
  const fresh = await getTerms();
  if (!fresh.ok) return fresh;
  const { firstAmount, deposits } = planOf(fresh.value, choice);
  let answer: Answer<View> = { ok: false, problem: problemOf('chain-refused') };
  for (const deposit of deposits) {
    const salt = hexFromBytes(crypto.getRandomValues(new Uint8Array(32)));
    const made = openRequestFrom({ terms: fresh.value, secretKey, deposit, firstAmount, mode: modeOf(choice), salt });
    if (!made.ok) return { ok: false, problem: problemOf(made.reason) };
    answer = await sendOpen(openJsonFromRequest(made.request));
    if (answer.ok || answer.problem.reason !== 'chain-refused') return answer;
  }
  return answer;
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

/** Adds `units` to the running channel; catches up once if the router holds a newer voucher of the same key. */
export async function add(terms: Terms, secretKey: Uint8Array, view: View, units: bigint): Promise<Answer<View>> {
  if (view.lastVoucher === undefined) return { ok: false, problem: problemOf('channel-not-open') };
  const answer = await raise(terms, secretKey, view, view.lastVoucher, units);
  if (answer.ok || answer.problem.last === undefined) return answer;
  return await raise(terms, secretKey, view, voucherFromJson(answer.problem.last), units);
}

async function raise(
  { deployment }: Terms,
  secretKey: Uint8Array,
  { depositUnits, downBytes, upBytes }: View,
  last: SignedVoucher,
  addUnits: bigint,
): Promise<Answer<View>> {
  if (!isOwnVoucher(deployment, secretKey, last)) return { ok: false, problem: problemOf('other-code') };
  const ackBytes = downBytes + upBytes;
  const made = nextVoucher({ deployment, secretKey, last, depositUnits, addUnits, ackBytes });
  if (!made.ok) return { ok: false, problem: problemOf(made.reason) };
  return await post('/api/voucher', voucherJsonFromVoucher(made.voucher));
}
