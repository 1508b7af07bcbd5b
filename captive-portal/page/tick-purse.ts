/**
 * A chain of coins that this page made: after its signed tick voucher, a payment is one coin, without a signature. A coin may
 * pay for several: it stands for all before it. Never worth more than the deposit.
 */
import type { ChannelsDeployment } from '../../protocol/channel.ts';
import { hexFromBytes } from '../../protocol/hex.ts';
import { type ChainSeed, TICKS_PER_RENEWAL, tickChain } from '../../protocol/payword.ts';
import { type SignedTickVoucher, signTickVoucher, tickCeiling } from '../../protocol/tick-voucher.ts';
import type { TickJson } from '../../protocol/tick-wire.ts';
import type { TokenAmount } from '../../protocol/units.ts';
import type { Voucher } from '../../protocol/voucher.ts';
import type { Tariff } from './offer.ts';
import { leastStep } from './wallet.ts';

/** Tick values are 32 bits on the wire and on chain. */
const MAX_TICK_VALUE = 0xffff_ffffn;

export type Coin = { readonly amount: TokenAmount; readonly json: TickJson };

export class TickPurse {
  readonly voucher: SignedTickVoucher;
  readonly #words: readonly Uint8Array[];
  #spent = 0;

  private constructor(voucher: SignedTickVoucher, words: readonly Uint8Array[]) {
    this.voucher = voucher;
    this.#words = words;
  }

  /**
   * Coins on top of `base`, which the router holds; undefined if not even one fits the deposit or the wire. `seed`: 32 random bytes.
   */
  static fill(
    tariff: Tariff,
    deployment: ChannelsDeployment,
    secretKey: Uint8Array,
    base: Pick<Voucher, 'channelId' | 'amount'>,
    depositUnits: TokenAmount,
    seed: ChainSeed,
  ): TickPurse | undefined {
    const tickValue = leastStep(tariff);
    const left = Number((depositUnits - base.amount) / tickValue);
    const ticks = Math.min(TICKS_PER_RENEWAL, left);
    if (ticks < 1 || tickValue > MAX_TICK_VALUE) return undefined;
    const words = tickChain(seed, ticks);
    const { channelId, amount } = base;
    const anchor = hexFromBytes(words[0] as Uint8Array);
    const unsigned = { channelId, amount, anchor, tickValue, ticks: BigInt(ticks) };
    return new TickPurse(signTickVoucher(deployment, unsigned, secretKey), words);
  }

  /** All that left this purse: what the router may hold, whatever it answered. */
  get promised(): TokenAmount {
    return tickCeiling(this.voucher, this.#spent);
  }

  /** The first coin that brings the promise to `target`, or the one that has; undefined if the chain is too short. */
  coinFor(target: TokenAmount): Coin | undefined {
    const { channelId, amount: base, tickValue, ticks } = this.voucher;
    const index = (target - base + tickValue - 1n) / tickValue;
    if (index < 1n || index > ticks) return undefined;
    const i = Number(index);
    this.#spent = Math.max(this.#spent, i);
    const pre = hexFromBytes(this.#words[i] as Uint8Array);
    return { amount: tickCeiling(this.voucher, i), json: { v: 1, ch: channelId, i, pre } };
  }
}
