/**
 * Whether a voucher may extend credit. Cheap checks here, first; the caller checks the signature last, stores the voucher
 * durably, and only then dispatches vouchers-stored (invariants I2, I3).
 */
import type { Hex } from '../../protocol/hex.ts';
import type { SignedVoucher } from '../../protocol/voucher.ts';
import { promisable } from './deposit.ts';
import { acknowledgeable } from './evidence.ts';
import type { Mac } from './model.ts';
import { type Refused, refuse } from './refusal.ts';
import { type AgentState, type LiveChannel, type LiveSession, sessionOfChannel, sessionOfMac } from './state.ts';

/** Why a channel takes nothing from this device now. */
export type PayerRefusal = 'unknown-channel' | 'not-your-channel' | 'channel-not-open' | 'channel-draining';
export type VoucherRefusal = PayerRefusal | 'amount-not-increasing' | 'amount-above-deposit' | 'ack-above-metered';

/** `lastVoucher`: where the guest shall go on from, if it has lost its place. */
export type PayerRefused<Reason extends string = never> = Refused<PayerRefusal | Reason> & {
  readonly lastVoucher?: SignedVoucher;
};

export type VoucherJudgement =
  | { readonly ok: true; readonly channel: LiveChannel; readonly isRepeat: boolean }
  | PayerRefused<VoucherRefusal>;

/** Unix seconds now, and how many before its expiry a channel takes no more vouchers. */
export type VoucherTime = { readonly nowS: bigint; readonly marginSeconds: number };

/** `time` is undefined while the wall clock is not trusted: then no voucher is refused for the age of its channel. */
export function judgeVoucher(
  state: AgentState,
  mac: Mac,
  voucher: SignedVoucher,
  time: VoucherTime | undefined,
): VoucherJudgement {
  const payer = judgePayer(state, mac, voucher.channelId, time);
  if (!payer.ok) return payer;
  const { channel, session } = payer;
  const last = channel.voucher;
  if (voucher.amount === last.amount && voucher.signature === last.signature) {
    return { ok: true, channel, isRepeat: true };
  }
  if (voucher.amount <= last.amount) {
    const refusal = refuse('amount-not-increasing', `an amount above ${last.amount}`, `${voucher.amount}`);
    return { ...refusal, lastVoucher: last };
  }
  const most = promisable(channel);
  if (voucher.amount > most) {
    return refuse('amount-above-deposit', `an amount of at most the deposit, ${most}`, `${voucher.amount}`);
  }
  const mostBytes = acknowledgeable(session, channel, voucher.amount);
  if (voucher.ackBytes > mostBytes) {
    return refuse('ack-above-metered', `at most the ${mostBytes} bytes metered so far`, `${voucher.ackBytes}`);
  }
  return { ok: true, channel, isRepeat: false };
}

/** Whether the device may pay into the channel at all: it is in its session, the channel is open, and not near its end. */
export function judgePayer(
  state: AgentState,
  mac: Mac,
  channelId: Hex,
  time: VoucherTime | undefined,
): { readonly ok: true; readonly channel: LiveChannel; readonly session: LiveSession } | PayerRefused {
  const channel = state.channels.get(channelId);
  if (channel === undefined) {
    return refuse('unknown-channel', 'the id of a channel opened at this router', channelId);
  }
  const session = sessionOfChannel(state, channelId);
  if (session === undefined || sessionOfMac(state, mac)?.id !== session.id) {
    return refuse('not-your-channel', 'a channel that this device opened or attached to', channelId);
  }
  if (channel.phase !== 'active' && channel.phase !== 'grace') {
    return refuse('channel-not-open', 'a channel in phase active or grace', channel.phase);
  }
  if (time !== undefined && time.nowS + BigInt(time.marginSeconds) >= channel.config.expiry) {
    return refuse(
      'channel-draining',
      `expiry more than ${time.marginSeconds} s away`,
      `${channel.config.expiry - time.nowS} s`,
    );
  }
  return { ok: true, channel, session };
}
