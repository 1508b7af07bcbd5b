/**
 * Whether a tick voucher, or a tick of its chain, may extend credit. A tick's one hash comes last; a tick voucher's signature
 * is checked by the caller, after this.
 */

import type { Hex } from '../../protocol/hex.ts';
import { isLaterTick, RENEWAL_MS, type Tick } from '../../protocol/payword.ts';
import { type SignedTickVoucher, tickCeiling } from '../../protocol/tick-voucher.ts';
import type { TokenAmount } from '../../protocol/units.ts';
import { promisable } from './deposit.ts';
import { judgePayer, type PayerRefused, type VoucherTime } from './judge-voucher.ts';
import type { Mac } from './model.ts';
import { refuse } from './refusal.ts';
import type { AgentState, LiveChannel } from './state.ts';
import { promisedUnits, renewalCeiling } from './tick-account.ts';

export type TickRefusal =
  | 'no-tick-voucher'
  | 'tick-not-later'
  | 'tick-not-in-chain'
  | 'renewal-due'
  | 'amount-above-deposit';

export type TickVoucherJudgement =
  | { readonly ok: true; readonly channel: LiveChannel; readonly isRepeat: boolean }
  | PayerRefused<TickRefusal>;

export type TickJudgement = { readonly ok: true; readonly promisedUnits: TokenAmount } | PayerRefused<TickRefusal>;

/**
 * The base must be covered by a voucher, which is durable: then ticks are all that a crash can lose. A chain that was begun
 * is followed by one that starts where it stands, or above.
 */
export function judgeTickVoucher(
  state: AgentState,
  mac: Mac,
  tickVoucher: SignedTickVoucher,
  time: VoucherTime | undefined,
): TickVoucherJudgement {
  const payer = judgePayer(state, mac, tickVoucher.channelId, time);
  if (!payer.ok) return payer;
  const { channel } = payer;
  if (isSame(channel.ticks?.voucher, tickVoucher)) return { ok: true, channel, isRepeat: true };
  if (tickVoucher.amount > channel.voucher.amount) {
    return {
      ...refuse(
        'renewal-due',
        `a base of at most the last voucher, ${channel.voucher.amount}`,
        `${tickVoucher.amount}`,
      ),
      lastVoucher: channel.voucher,
    };
  }
  const promised = promisedUnits(channel);
  if (channel.ticks !== undefined && tickVoucher.amount < promised) {
    return {
      ...refuse('renewal-due', `a base of at least ${promised}, already promised`, `${tickVoucher.amount}`),
      lastVoucher: channel.voucher,
    };
  }
  return { ok: true, channel, isRepeat: false };
}

/** `last`: the furthest coin seen, where that is newer than the state's. `nowMs`: monotonic. `time`: as for a voucher. */
export type TickMoment = {
  readonly last: Tick | undefined;
  readonly nowMs: number;
  readonly time: VoucherTime | undefined;
};

/** The last coin again is `tick-not-later`, and harmless. */
export function judgeTick(
  state: AgentState,
  mac: Mac,
  channelId: Hex,
  tick: Tick,
  { last, nowMs, time }: TickMoment,
): TickJudgement {
  const payer = judgePayer(state, mac, channelId, time);
  if (!payer.ok) return payer;
  const { voucher, ticks } = payer.channel;
  if (ticks === undefined) return refuse('no-tick-voucher', 'a tick voucher before its ticks', `tick ${tick.index}`);
  const known = last !== undefined && last.index > ticks.last.index ? last : ticks.last;
  if (tick.index <= known.index) return refuse('tick-not-later', `a tick after ${known.index}`, `tick ${tick.index}`);
  if (BigInt(tick.index) > ticks.voucher.ticks) {
    return refuse('tick-not-in-chain', `a tick of 1..${ticks.voucher.ticks}`, `tick ${tick.index}`);
  }
  const promised = tickCeiling(ticks.voucher, tick.index);
  const ceiling = renewalCeiling(voucher, ticks.voucher);
  if (promised > ceiling) {
    return {
      ...refuse('renewal-due', `a voucher that covers the ticks before more than ${ceiling} units`, `${promised}`),
      lastVoucher: voucher,
    };
  }
  const sinceMs = nowMs - ticks.renewedMs;
  if (promised > voucher.amount && sinceMs > RENEWAL_MS) {
    const covering = `a voucher that covers the ticks within ${RENEWAL_MS / 1_000} s`;
    return { ...refuse('renewal-due', covering, `${Math.floor(sinceMs / 1_000)} s`), lastVoucher: voucher };
  }
  const most = promisable(payer.channel);
  if (promised > most) return refuse('amount-above-deposit', `at most the deposit, ${most}`, `${promised}`);
  if (isLaterTick(known, tick)) return { ok: true, promisedUnits: promised };
  return refuse('tick-not-in-chain', `a preimage that hashes to tick ${known.index}`, 'another');
}

/** In every field: a signature that was seen says nothing of other numbers beside it. */
function isSame(held: SignedTickVoucher | undefined, sent: SignedTickVoucher): boolean {
  return (
    held !== undefined &&
    held.signature === sent.signature &&
    held.amount === sent.amount &&
    held.anchor === sent.anchor &&
    held.tickValue === sent.tickValue &&
    held.ticks === sent.ticks
  );
}
