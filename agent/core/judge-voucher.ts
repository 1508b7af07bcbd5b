/**
 * Whether a voucher may extend credit. Cheap checks here, first; the caller checks the signature last, stores the voucher
 * durably, and only then dispatches voucher-stored (invariants I2, I3).
 */
import type { SignedVoucher } from '../../protocol/voucher.ts';
import { totalBytes } from './meter.ts';
import type { Mac } from './model.ts';
import { type AgentState, type LiveChannel, sessionOfMac } from './state.ts';

export type VoucherRefusal =
  | 'unknown-channel'
  | 'not-your-channel'
  | 'channel-not-open'
  | 'channel-draining'
  | 'amount-not-increasing'
  | 'amount-above-deposit'
  | 'ack-above-metered';

export type VoucherJudgement =
  | { readonly ok: true; readonly channel: LiveChannel; readonly isRepeat: boolean }
  | {
      readonly ok: false;
      readonly reason: VoucherRefusal;
      readonly expected: string;
      readonly got: string;
      readonly lastVoucher?: SignedVoucher;
    };

/** Unix seconds now, and how many before its expiry a channel takes no more vouchers. */
export type VoucherTime = { readonly nowS: bigint; readonly marginSeconds: number };

/** `time` is undefined while the wall clock is not trusted: then no voucher is refused for the age of its channel. */
export function judgeVoucher(
  state: AgentState,
  mac: Mac,
  voucher: SignedVoucher,
  time: VoucherTime | undefined,
): VoucherJudgement {
  const channel = state.channels.get(voucher.channelId);
  if (channel === undefined) {
    return refuse('unknown-channel', 'the id of a channel opened at this router', voucher.channelId);
  }
  const sessionId = state.sessionByChannel.get(channel.id);
  const session = sessionId === undefined ? undefined : state.sessions.get(sessionId);
  if (session === undefined || sessionOfMac(state, mac)?.id !== sessionId) {
    return refuse('not-your-channel', 'a channel that this device opened or attached to', voucher.channelId);
  }
  if (channel.phase !== 'active' && channel.phase !== 'grace') {
    const reason = channel.phase === 'drain' ? 'channel-draining' : 'channel-not-open';
    return refuse(reason, 'a channel in phase active or grace', channel.phase);
  }
  if (time !== undefined && time.nowS + BigInt(time.marginSeconds) >= channel.config.expiry) {
    return refuse(
      'channel-draining',
      `expiry more than ${time.marginSeconds} s away`,
      `${channel.config.expiry - time.nowS} s`,
    );
  }
  const last = channel.voucher;
  if (voucher.amount === last.amount && voucher.signature === last.signature) {
    return { ok: true, channel, isRepeat: true };
  }
  if (voucher.amount <= last.amount) {
    const refusal = refuse('amount-not-increasing', `an amount above ${last.amount}`, `${voucher.amount}`);
    return { ...refusal, lastVoucher: last };
  }
  if (voucher.amount > channel.deposit) {
    return refuse('amount-above-deposit', `an amount of at most the deposit, ${channel.deposit}`, `${voucher.amount}`);
  }
  const metered = totalBytes(session.usage);
  if (voucher.ackBytes > metered) {
    return refuse('ack-above-metered', `at most the ${metered} bytes metered so far`, `${voucher.ackBytes}`);
  }
  return { ok: true, channel, isRepeat: false };
}

function refuse(reason: VoucherRefusal, expected: string, got: string): VoucherJudgement & { ok: false } {
  return { ok: false, reason, expected, got };
}
