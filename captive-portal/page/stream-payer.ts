/**
 * Pays as you go: looks at each view and pays the next step when the credit runs low, one request at a time, never above the
 * deposit the guest agreed to, on no channel but the one that was opened for it, at that channel's own price. By ticks, each of them a hash; a signed voucher covers them when the chain is spent or a minute
 * is over, and begins the next one. By vouchers alone where the router takes no ticks.
 */

import { RENEWAL_MS } from '../../protocol/payword.ts';
import { tickVoucherJsonFromTickVoucher } from '../../protocol/tick-voucher.ts';
import { type SignedVoucher, voucherJsonFromVoucher } from '../../protocol/voucher.ts';
import type { Deal, Tariff } from './offer.ts';
import { post, postTick } from './router-client.ts';
import { TickPurse } from './tick-purse.ts';
import { isOwnVoucher, nextVoucher, streamStep, type Terms } from './wallet.ts';
import { type View, voucherFromJson } from './wire.ts';

/** The router's minute begins a little before ours. */
const COVER_AFTER_MS = RENEWAL_MS - 10_000;
/** By then the credit of a tick is in the view, or the view says truly that it is not. */
const TICK_SETTLES_MS = 1_000;
/** After these a chain may be begun another time; any other answer means that this router takes no ticks. */
const PASSING = ['offline', 'rate-limited', 'renewal-due', 'not-checked', 'storage-failed'];

export class StreamPayer {
  readonly #deployment: Terms['deployment'];
  readonly #tariff: Tariff;
  readonly #deal: Deal;
  readonly #secretKey: Uint8Array;
  readonly #onView: (view: View) => void;
  #last: SignedVoucher | undefined;
  #purse: TickPurse | undefined;
  #takesTicks = true;
  /** What the router has acknowledged, by voucher or tick. */
  #credit = 0n;
  #coveredMs = 0;
  #tickedMs = 0;
  #seen: { readonly chargedUnits: bigint; readonly atMs: number } | undefined;
  #isSending = false;

  constructor(terms: Terms, secretKey: Uint8Array, deal: Deal, onView: (view: View) => void) {
    this.#deployment = terms.deployment;
    this.#tariff = deal.tariff ?? terms.quote;
    this.#deal = deal;
    this.#secretKey = secretKey;
    this.#onView = onView;
  }

  /** Pays what this view asks for, if anything; the answer to a voucher is a view again. */
  async look(view: View, nowMs: number): Promise<void> {
    if (view.phase !== 'active' && view.phase !== 'grace') return;
    if (view.channelId !== this.#deal.channelId) return;
    const chargedPerSecond = this.#speedUntil(view, nowMs);
    this.#adopt(view.lastVoucher);
    if (this.#isSending || this.#last === undefined) return;
    // The tick is newer than this view: what it bought is still on its way to the kernel.
    if (view.creditUnits < this.#credit && nowMs - this.#tickedMs < TICK_SETTLES_MS) return;
    const { chargedUnits, bytesRemaining } = view;
    const creditUnits = this.#credit;
    const addUnits = streamStep(this.#tariff, { chargedUnits, creditUnits, bytesRemaining, chargedPerSecond });
    if (addUnits === 0n) return;
    this.#isSending = true;
    const answer = await this.#pay(view, this.#last, creditUnits + addUnits, nowMs);
    this.#isSending = false;
    if (answer !== undefined) this.#onView(answer);
  }

  async #pay(view: View, last: SignedVoucher, target: bigint, nowMs: number): Promise<View | undefined> {
    if (nowMs - this.#coveredMs < COVER_AFTER_MS && (await this.#sendTick(target, nowMs))) return undefined;
    // The voucher covers every coin that went out, whether its answer came or not.
    const promised = this.#purse?.promised ?? 0n;
    const amount = promised > target ? promised : target;
    this.#purse = undefined;
    const { most } = this.#deal;
    const depositUnits = view.depositUnits < most ? view.depositUnits : most;
    const made = nextVoucher({
      deployment: this.#deployment,
      secretKey: this.#secretKey,
      last,
      depositUnits,
      addUnits: amount - last.amount,
      ackBytes: view.downBytes + view.upBytes,
    });
    // The deposit is spent: the view says so by itself.
    if (!made.ok) return undefined;
    const answer = await post('/api/voucher', voucherJsonFromVoucher(made.voucher));
    if (!answer.ok) {
      if (answer.problem.last !== undefined) this.#adopt(voucherFromJson(answer.problem.last));
      return undefined;
    }
    this.#adopt(made.voucher);
    await this.#beginChain(made.voucher, depositUnits, nowMs);
    return answer.value;
  }

  /** True if the router has the coin. A coin whose answer was lost is sent again, and is no news to it. */
  async #sendTick(target: bigint, nowMs: number): Promise<boolean> {
    const coin = this.#purse?.coinFor(target);
    if (coin === undefined) return false;
    const answer = await postTick(coin.json);
    if (!answer.ok && answer.problem.reason !== 'tick-not-later') return answer.problem.reason === 'offline';
    if (coin.amount > this.#credit) this.#credit = coin.amount;
    this.#tickedMs = nowMs;
    return true;
  }

  async #beginChain(base: SignedVoucher, depositUnits: bigint, nowMs: number): Promise<void> {
    if (!this.#takesTicks) return;
    const seed = crypto.getRandomValues(new Uint8Array(32));
    const purse = TickPurse.fill(this.#tariff, this.#deployment, this.#secretKey, base, depositUnits, seed);
    if (purse === undefined) return;
    const answer = await post('/api/tick-voucher', tickVoucherJsonFromTickVoucher(purse.voucher));
    if (answer.ok) {
      this.#purse = purse;
      this.#coveredMs = nowMs;
    } else this.#takesTicks = PASSING.includes(answer.problem.reason);
  }

  /** Takes over a newer voucher only if this very key signed it: the router's word alone is not enough. */
  #adopt(voucher: SignedVoucher | undefined): void {
    if (voucher === undefined || voucher.channelId !== this.#deal.channelId) return;
    const isNewer = this.#last === undefined || voucher.amount > this.#last.amount;
    if (!isNewer || !isOwnVoucher(this.#deployment, this.#secretKey, voucher)) return;
    this.#last = voucher;
    if (voucher.amount > this.#credit) this.#credit = voucher.amount;
  }

  #speedUntil({ chargedUnits }: View, atMs: number): bigint {
    const before = this.#seen;
    if (before === undefined || atMs - before.atMs < 200) {
      this.#seen ??= { chargedUnits, atMs };
      return 0n;
    }
    this.#seen = { chargedUnits, atMs };
    const units = chargedUnits - before.chargedUnits;
    return units > 0n ? (units * 1_000n) / BigInt(Math.ceil(atMs - before.atMs)) : 0n;
  }
}
