/** What a session has paid, used and left: the one place where credit, charge and kernel allowance meet. */
import type { ByteCount, TokenAmount } from '../../protocol/units.ts';
import { gasUnits, openGasUnits, TICK_CLAIM_GAS } from './gas.ts';
import { LOW_CREDIT_DIVISOR, ONE_PACKET_BYTES, TIME_RESERVE_MS } from './limits.ts';
import { totalBytes } from './meter.ts';
import type { LiveChannel, LiveSession } from './state.ts';
import { bytesForUnits, chargeForUsage } from './tariff.ts';
import { isTickClaimWorth, promisedUnits, tickUnits } from './tick-account.ts';

export type Account = {
  /** What the guest has promised by voucher or ticks once the channel is confirmed on chain, else 0. */
  readonly creditUnits: TokenAmount;
  /** Open fee and usage charge; never above creditUnits. */
  readonly chargedUnits: TokenAmount;
  /** Cumulative bytes the kernel may let pass, free ones included. */
  readonly limitBytes: ByteCount;
  /** limitBytes - used, not below 0. */
  readonly remainingBytes: ByteCount;
  /** Not even one full-size packet fits any more. */
  readonly isUsedUp: boolean;
  /** Nothing was ever granted: an open is pending and there is no trial to bridge it. */
  readonly isWaiting: boolean;
  /** 10 % or less of the paid (or free) bytes is left. */
  readonly isLow: boolean;
};

export function accountOf(session: LiveSession, channel: LiveChannel | undefined): Account {
  const used = totalBytes(session.usage);
  const isFunded = channel !== undefined && hasCredit(channel);
  // The contract pays out nothing that the guest has not promised, whatever the journal knows of it.
  const creditUnits = isFunded ? maximum(promisedUnits(channel), channel.claimedUnits ?? 0n) : 0n;
  const openFee = isFunded ? minimum(channel.openFee, creditUnits) : 0n;
  const limitBytes = isFunded
    ? bytesForUnits(channel.tariff, creditUnits - openFee, paidMs(session) + reserveMs(channel), session.trialBytes)
    : session.trialBytes;
  const paidUsage = { ...session.usage, onlineMs: paidMs(session) };
  const usageUnits = isFunded ? chargeForUsage(channel.tariff, paidUsage, session.trialBytes) : 0n;
  const remainingBytes = limitBytes > used ? limitBytes - used : 0n;
  return {
    creditUnits,
    // Bytes given later make the usage cheaper; what a proof already names stays charged.
    chargedUnits: isFunded ? maximum(openFee + usageUnits, session.proven.units) : openFee + usageUnits,
    limitBytes,
    remainingBytes,
    isUsedUp: remainingBytes < ONE_PACKET_BYTES,
    isWaiting: !isFunded && session.trialBytes === 0n,
    isLow: remainingBytes * LOW_CREDIT_DIVISOR <= grantedBytes(session, channel, isFunded, limitBytes),
  };
}

/** Time online that is charged where the tariff has a price for time: all but the free trial and the wait for the open. */
export function paidMs({ usage, freeMs = 0 }: Pick<LiveSession, 'usage' | 'freeMs'>): number {
  return Math.max(0, usage.onlineMs - freeMs);
}

/** The charge, as far as the newest voucher covers it: what a proof may name, because it carries that voucher. */
export function coveredUnits(session: LiveSession, channel: LiveChannel): TokenAmount {
  return minimum(accountOf(session, channel).chargedUnits, channel.voucher.amount);
}

/** Units the payee claims when the channel closes: the charge; what only ticks cover of it, if it is worth its gas. */
export function finalClaim(session: LiveSession, channel: LiveChannel): TokenAmount {
  return claimableUnits(channel, accountOf(session, channel).chargedUnits, 1n);
}

/** Of `chargedUnits`, what can be claimed now; that of ticks only where it brings more than `ratio` times its gas. */
export function claimableUnits(channel: LiveChannel, chargedUnits: TokenAmount, ratio: bigint): TokenAmount {
  const gas = ratio * gasUnits(TICK_CLAIM_GAS, openGasUnits(channel.openFee));
  const byTicks = isTickClaimWorth(channel, chargedUnits, gas) ? tickUnits(channel, chargedUnits) : 0n;
  const covered = minimum(chargedUnits, channel.voucher.amount);
  return byTicks === 0n ? covered : minimum(channel.voucher.amount + byTicks, channel.deposit);
}

/** A pending channel's money is not there yet; a failed one's never came. */
export function hasCredit(channel: LiveChannel): boolean {
  return channel.phase !== 'pending' && channel.phase !== 'failed';
}

/** Time not yet spent is kept back from the byte allowance, so that a late tick cannot charge more than the credit. */
function reserveMs(channel: LiveChannel): number {
  return channel.tariff.unitsPerMinute > 0n ? TIME_RESERVE_MS : 0;
}

/** What "10 % left" is measured against: the bytes the whole credit buys, or the trial. */
function grantedBytes(
  session: LiveSession,
  channel: LiveChannel | undefined,
  isFunded: boolean,
  limitBytes: ByteCount,
): ByteCount {
  return isFunded && channel !== undefined ? limitBytes - session.trialBytes : session.trialBytes;
}

function maximum(a: bigint, b: bigint): bigint {
  return a > b ? a : b;
}

function minimum(a: bigint, b: bigint): bigint {
  return a < b ? a : b;
}
