/**
 * What others can prove of a channel and the journal does not know. A journal that was put back from an old copy has forgotten
 * what was sold since; the chain proves what was claimed, and with it what the guest had promised; a guest's own voucher proves
 * what it has seen metered. Usage is raised to that, never lowered. What is raised counts as proven: the life of the journal
 * that metered it has told the collector.
 */
import type { ByteCount, TokenAmount } from '../../protocol/units.ts';
import { accountOf, paidMs } from './account.ts';
import { totalBytes } from './meter.ts';
import type { LiveChannel, LiveSession } from './state.ts';
import { bytesForUnits, millisForUnits } from './tariff.ts';

/** The channel with what the chain says was claimed, and its session charged for no less. The channel must have credit. */
export function raisedToClaim(
  session: LiveSession,
  channel: LiveChannel,
  claimed: TokenAmount,
): { readonly session: LiveSession; readonly channel: LiveChannel } {
  const known = claimed > (channel.claimedUnits ?? 0n) ? { ...channel, claimedUnits: claimed } : channel;
  if (claimed <= accountOf(session, known).chargedUnits) return { session, channel: known };
  const { tariff, openFee } = channel;
  // Above 0: a claim of no more than the open fee is charged already.
  const usageUnits = claimed - openFee;
  const isByMinute = tariff.unitsPerMb === 0n;
  const paidForMs = isByMinute ? Number(millisForUnits(tariff, usageUnits) ?? 0n) : 0;
  const onlineMs = Math.max(session.usage.onlineMs, (session.freeMs ?? 0) + paidForMs);
  const timed = { ...session, usage: { ...session.usage, onlineMs } };
  const raised = isByMinute
    ? timed
    : withBytes(timed, bytesForUnits(tariff, usageUnits, paidMs(timed), session.trialBytes));
  return { session: { ...raised, proven: { ...raised.proven, units: claimed } }, channel: known };
}

/** The session with no fewer bytes than the guest has acknowledged. */
export function raisedToAck(session: LiveSession, channel: LiveChannel, ackBytes: ByteCount): LiveSession {
  if (ackBytes <= totalBytes(session.usage)) return session;
  const raised = withBytes(session, ackBytes);
  return { ...raised, proven: { ...raised.proven, units: accountOf(raised, channel).chargedUnits } };
}

/** The most that a guest may acknowledge: what was metered; more, where the journal may be older than the guest, if it is paid for. */
export function acknowledgeable(session: LiveSession, channel: LiveChannel, amount: TokenAmount): ByteCount {
  const metered = totalBytes(session.usage);
  if (channel.isStale !== true || amount < channel.openFee) return metered;
  const paidFor = bytesForUnits(channel.tariff, amount - channel.openFee, paidMs(session), session.trialBytes);
  return paidFor > metered ? paidFor : metered;
}

/** `bytes` are no fewer than were metered. Nobody knows in which direction the others went. */
function withBytes(session: LiveSession, bytes: ByteCount): LiveSession {
  const { usage, proven } = session;
  const more = bytes - totalBytes(usage);
  return {
    ...session,
    usage: { ...usage, downBytes: usage.downBytes + more },
    proven: { ...proven, downBytes: proven.downBytes + more },
    raisedBytes: (session.raisedBytes ?? 0n) + more,
  };
}
