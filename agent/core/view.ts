/** What guest and owner are shown, as functions of the state. */

import type { Hex } from '../../protocol/hex.ts';
import type { TokenAmount } from '../../protocol/units.ts';
import type { SignedVoucher } from '../../protocol/voucher.ts';
import { accountOf } from './account.ts';
import { judgePause } from './judge-pause.ts';
import type { Channel, IpAddress, Mac, Session, SessionId } from './model.ts';
import { type AgentState, channelOfSession, type LiveChannel, type LiveSession, sessionOfMac } from './state.ts';
import { millisForUnits } from './tariff.ts';

/** Everything the guest's page shows. Amounts in units, bytes as counted in the kernel. */
export type GuestView = {
  readonly mac: Mac;
  readonly isOnline: boolean;
  readonly phase: 'none' | 'trial' | Exclude<Channel['phase'], 'away'>;
  readonly sessionId?: SessionId;
  readonly channelId?: Hex;
  readonly downBytes: bigint;
  readonly upBytes: bigint;
  readonly onlineMs: number;
  /** Charged so far, and the credit of the newest voucher. */
  readonly chargedUnits: TokenAmount;
  readonly creditUnits: TokenAmount;
  readonly depositUnits: TokenAmount;
  /** True what is left: bytes the kernel will still let pass, both directions. */
  readonly bytesRemaining: bigint;
  /** Seconds left at the tariff's price per minute; absent without a time price. */
  readonly secondsRemaining?: number;
  /** True once 10 % or less is left. */
  readonly isLow: boolean;
  /** Present if the guest may pause the session: true while it is paused. */
  readonly isPaused?: boolean;
  readonly lastVoucher?: SignedVoucher;
  readonly refund?: { readonly units: TokenAmount; readonly tx: Hex };
  readonly onChain?: OnChainView;
};

/** What of the guest's channel is settled on chain, and what that costs: the fee to the guest, the gas to the router. */
export type OnChainView = {
  readonly openFeeUnits: TokenAmount;
  /** Of the deposit, what the router has claimed so far. */
  readonly claimedUnits: TokenAmount;
  readonly gasWei: bigint;
  readonly openTx?: Hex;
  readonly closeTx?: Hex;
};

/** One line of `shareagent sessions`. */
export type SessionRow = {
  readonly id: SessionId;
  readonly macs: readonly Mac[];
  readonly addresses: readonly IpAddress[];
  readonly phase: GuestView['phase'];
  readonly channelId?: Hex;
  readonly downBytes: bigint;
  readonly upBytes: bigint;
  readonly onlineMs: number;
  readonly chargedUnits: TokenAmount;
  readonly creditUnits: TokenAmount;
  readonly bytesRemaining: bigint;
};

export function guestView(state: AgentState, mac: Mac): GuestView {
  const session = sessionOfMac(state, mac);
  if (session === undefined) return emptyView(mac);
  const channel = channelOfSession(state, session);
  const account = accountOf(session, channel);
  const isOver = session.ended !== undefined;
  const isPaused = session.pausedAtMs !== undefined;
  const isOnline = !isOver && !isPaused && session.depletedAtMs === undefined && !account.isUsedUp;
  const chargedUnits = channel?.closeUnits ?? account.chargedUnits;
  return {
    mac,
    isOnline,
    phase: phaseOf(session, channel),
    sessionId: session.id,
    downBytes: session.usage.downBytes,
    upBytes: session.usage.upBytes,
    onlineMs: session.usage.onlineMs,
    chargedUnits,
    creditUnits: account.creditUnits,
    depositUnits: channel?.deposit ?? 0n,
    bytesRemaining: isOver ? 0n : account.remainingBytes,
    isLow: isOver || account.isLow,
    ...(channel === undefined
      ? {}
      : { channelId: channel.id, lastVoucher: channel.voucher, onChain: onChain(channel) }),
    ...(judgePause(state, mac).ok ? { isPaused } : {}),
    ...timeLeft(session, channel, account.creditUnits - account.chargedUnits),
    ...refundOf(channel),
  };
}

export function sessionRow(state: AgentState, session: LiveSession): SessionRow {
  const channel = channelOfSession(state, session);
  const account = accountOf(session, channel);
  return {
    id: session.id,
    macs: session.stations.map(({ mac }) => mac),
    addresses: session.stations.flatMap(({ mac, addresses }) => state.stations.get(mac)?.addresses ?? addresses),
    phase: phaseOf(session, channel),
    ...(channel === undefined ? {} : { channelId: channel.id }),
    downBytes: session.usage.downBytes,
    upBytes: session.usage.upBytes,
    onlineMs: session.usage.onlineMs,
    chargedUnits: channel?.closeUnits ?? account.chargedUnits,
    creditUnits: account.creditUnits,
    bytesRemaining: session.ended === undefined ? account.remainingBytes : 0n,
  };
}

function phaseOf(session: Session, channel: LiveChannel | undefined): GuestView['phase'] {
  // Gone with the guest to another router: nothing runs here, and the page may ask for it back.
  if (channel?.phase === 'away') return 'none';
  if (channel !== undefined) return channel.phase;
  return session.ended === undefined ? 'trial' : 'none';
}

function timeLeft(
  { trialMs, usage, ended }: Session,
  channel: LiveChannel | undefined,
  unitsLeft: bigint,
): { readonly secondsRemaining?: number } {
  if (channel === undefined && trialMs !== undefined) {
    const leftMs = ended === undefined ? Math.max(0, trialMs - usage.onlineMs) : 0;
    return { secondsRemaining: Math.floor(leftMs / 1000) };
  }
  const millis = channel === undefined ? undefined : millisForUnits(channel.tariff, unitsLeft > 0n ? unitsLeft : 0n);
  return millis === undefined ? {} : { secondsRemaining: Number(millis / 1000n) };
}

function onChain({
  phase,
  openFee,
  claimedUnits = 0n,
  closeUnits,
  gasWei = 0n,
  openTx,
  closeTx,
}: LiveChannel): OnChainView {
  return {
    openFeeUnits: openFee,
    claimedUnits: phase === 'settled' ? (closeUnits ?? claimedUnits) : claimedUnits,
    gasWei,
    ...(openTx === undefined ? {} : { openTx }),
    ...(closeTx === undefined ? {} : { closeTx }),
  };
}

function refundOf(channel: LiveChannel | undefined): Pick<GuestView, 'refund'> {
  if (channel?.phase !== 'settled' || channel.closeTx === undefined) return {};
  return { refund: { units: channel.deposit - (channel.closeUnits ?? 0n), tx: channel.closeTx } };
}

function emptyView(mac: Mac): GuestView {
  return {
    mac,
    isOnline: false,
    phase: 'none',
    downBytes: 0n,
    upBytes: 0n,
    onlineMs: 0,
    chargedUnits: 0n,
    creditUnits: 0n,
    depositUnits: 0n,
    bytesRemaining: 0n,
    isLow: false,
  };
}
