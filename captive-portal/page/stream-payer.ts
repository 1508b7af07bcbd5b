/**
 * Pays as you go: looks at each view and signs the next voucher when the credit runs low, one request at a time, never above
 * the deposit the guest agreed to.
 */

import { type SignedVoucher, voucherJsonFromVoucher } from '../../protocol/voucher.ts';
import { post } from './router-client.ts';
import { isOwnVoucher, nextVoucher, streamStep, type Terms } from './wallet.ts';
import { type View, voucherFromJson } from './wire.ts';

export class StreamPayer {
  readonly #terms: Terms;
  readonly #secretKey: Uint8Array;
  readonly #onView: (view: View) => void;
  #last: SignedVoucher | undefined;
  #seen: { readonly chargedUnits: bigint; readonly atMs: number } | undefined;
  #isSending = false;

  constructor(terms: Terms, secretKey: Uint8Array, onView: (view: View) => void) {
    this.#terms = terms;
    this.#secretKey = secretKey;
    this.#onView = onView;
  }

  /** Pays what this view asks for, if anything; the answer is a view again. */
  async look(view: View, nowMs: number): Promise<void> {
    if (view.phase !== 'active' && view.phase !== 'grace') return;
    const chargedPerSecond = this.#speedUntil(view, nowMs);
    this.#adopt(view.lastVoucher);
    if (this.#isSending || this.#last === undefined) return;
    const { chargedUnits, bytesRemaining } = view;
    const creditUnits = this.#last.amount;
    const addUnits = streamStep(this.#terms.quote, { chargedUnits, creditUnits, bytesRemaining, chargedPerSecond });
    if (addUnits === 0n) return;
    const made = nextVoucher({
      deployment: this.#terms.deployment,
      secretKey: this.#secretKey,
      last: this.#last,
      depositUnits: view.depositUnits,
      addUnits,
      ackBytes: view.downBytes + view.upBytes,
    });
    // The deposit is spent: the view says so by itself.
    if (!made.ok) return;
    await this.#send(made.voucher);
  }

  async #send(voucher: SignedVoucher): Promise<void> {
    this.#isSending = true;
    const answer = await post('/api/voucher', voucherJsonFromVoucher(voucher));
    this.#isSending = false;
    if (answer.ok) {
      this.#adopt(voucher);
      this.#onView(answer.value);
    } else if (answer.problem.last !== undefined) {
      this.#adopt(voucherFromJson(answer.problem.last));
    }
  }

  /** Takes over a newer voucher only if this very key signed it: the router's word alone is not enough. */
  #adopt(voucher: SignedVoucher | undefined): void {
    if (voucher === undefined || voucher.signature === this.#last?.signature) return;
    const isNewer = voucher.channelId !== this.#last?.channelId || voucher.amount > this.#last.amount;
    if (isNewer && isOwnVoucher(this.#terms.deployment, this.#secretKey, voucher)) this.#last = voucher;
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
