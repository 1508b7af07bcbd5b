/**
 * What a channel's ticks are worth. Vouchers and tick vouchers are durable when they are acknowledged; the furthest tick of
 * each channel is written every TIME_REFRESH_MS (5 s) in one commit of all channels, so that a tick costs a hash and no write
 * of its own. A crash can lose the ticks of those 5 s, never more than TICKS_PER_RENEWAL, and the guest can present its last
 * tick again. Before a claim that rests on ticks is sent, they are durable.
 */
import { TICKS_PER_RENEWAL, type Tick } from '../../protocol/payword.ts';
import { type SignedTickVoucher, tickCeiling } from '../../protocol/tick-voucher.ts';
import type { TokenAmount } from '../../protocol/units.ts';
import type { SignedVoucher } from '../../protocol/voucher.ts';

/** A tick voucher, and the furthest coin of its chain that was seen (index 0: the anchor, none yet). */
export type TickCredit = { readonly voucher: SignedTickVoucher; readonly last: Tick };

type Paying = { readonly voucher: SignedVoucher; readonly ticks?: TickCredit };

/** Cumulative units that the guest has promised, by voucher or by ticks: the channel's credit. */
export function promisedUnits({ voucher, ticks }: Paying): TokenAmount {
  if (ticks === undefined) return voucher.amount;
  const byTicks = tickCeiling(ticks.voucher, ticks.last.index);
  return byTicks > voucher.amount ? byTicks : voucher.amount;
}

/** The most that ticks may promise before a voucher must cover them. */
export function renewalCeiling(voucher: SignedVoucher, tickVoucher: SignedTickVoucher): TokenAmount {
  return voucher.amount + BigInt(TICKS_PER_RENEWAL) * tickVoucher.tickValue;
}

/** Units that only a claim by ticks can bring in: charged, and above the newest voucher. */
export function tickUnits(channel: Paying, chargedUnits: TokenAmount): TokenAmount {
  const promised = promisedUnits(channel);
  const owed = chargedUnits < promised ? chargedUnits : promised;
  return owed > channel.voucher.amount ? owed - channel.voucher.amount : 0n;
}

/** Whether a claim by ticks brings in more than its gas costs. `gasUnits`: that cost in base units of the token. */
export function isTickClaimWorth(channel: Paying, chargedUnits: TokenAmount, gasUnits: TokenAmount): boolean {
  return tickUnits(channel, chargedUnits) > gasUnits;
}
