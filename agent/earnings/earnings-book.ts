/** Gathers what `earnings` needs out of state and journal. */

import type { Hex } from '../../protocol/hex.ts';
import type { SessionLeaf } from '../../protocol/traffic-proof.ts';
import { decodeProofUpload } from '../../protocol/traffic-proof-wire.ts';
import { accountOf } from '../core/account.ts';
import { openShares } from '../core/open-shares.ts';
import { decodeDraft, totalsOf } from '../core/proof-draft.ts';
import { type AgentState, channelOfSession, type LiveSession } from '../core/state.ts';
import type { Driver } from '../driver.ts';
import type { Clock, Journal } from '../ports.ts';
import { type Earnings, earnings, type SessionEarnings, type WeekReward } from './earnings.ts';

export type EarningsBookDeps = {
  readonly driver: Pick<Driver, 'state'>;
  readonly journal: Pick<Journal, 'proofs' | 'drafts' | 'outbox'>;
  readonly clock: Clock;
  /** Why no proofs are signed; undefined while they are. */
  readonly proofsHeld: () => string | undefined;
  /** What is known of rewards; absent: nothing. */
  readonly weeks?: () => readonly WeekReward[];
  /** Free bytes of today, those of ended trials among them; absent: of trials that run. */
  readonly freeToday?: () => bigint;
};

/** A month of ten-minute intervals and some more. */
const MAX_PROOFS = 5_000;

/** The report over so many days, as of now. */
export function createEarningsBook(deps: EarningsBookDeps): (days: number) => Earnings {
  const { driver, journal, clock, proofsHeld, weeks = () => [], freeToday = () => freeNow(driver.state) } = deps;
  return (days) => {
    const { unixS: nowS } = clock.wall();
    const heldBecause = proofsHeld();
    const shares = openShares(driver.state);
    const drafts = journal.drafts(MAX_PROOFS).map(({ body }) => decodeDraft(body));
    return earnings(
      {
        records: journal.proofs(MAX_PROOFS),
        unsigned: drafts.map(({ leaves, endS, clockState }) => {
          const { bytesUp, bytesDown, paid } = totalsOf(leaves);
          return { endS, isDated: clockState !== 0n, bytes: bytesUp + bytesDown, units: paid };
        }),
        open: {
          bytes: shares.reduce((sum, { downBytes, upBytes }) => sum + downBytes + upBytes, 0n),
          units: shares.reduce((sum, { units }) => sum + units, 0n),
        },
        ...(heldBecause === undefined ? {} : { heldBecause }),
        freeBytesToday: freeToday(),
        weeks: weeks(),
        sessions: sessionsOf(
          driver.state,
          bytesByChannel(drafts.flatMap(({ leaves }) => leaves)),
          bytesByChannel(journal.outbox(MAX_PROOFS).flatMap(({ body }) => leavesOf(body))),
        ),
        nowS,
      },
      days,
    );
  };
}

/** Trials that run. What was given away in sessions with a channel is metered, and proven, as part of them. */
function freeNow(state: AgentState): bigint {
  let bytes = 0n;
  for (const session of state.sessions.values()) {
    if (channelOfSession(state, session) === undefined) bytes += session.usage.downBytes + session.usage.upBytes;
  }
  return bytes;
}

function sessionsOf(
  state: AgentState,
  unsigned: ReadonlyMap<Hex, bigint>,
  waiting: ReadonlyMap<Hex, bigint>,
): readonly SessionEarnings[] {
  return [...state.sessions.values()].map((session) => sessionOf(state, session, unsigned, waiting));
}

function sessionOf(
  state: AgentState,
  session: LiveSession,
  unsigned: ReadonlyMap<Hex, bigint>,
  waiting: ReadonlyMap<Hex, bigint>,
): SessionEarnings {
  const channel = channelOfSession(state, session);
  const meteredBytes = session.usage.downBytes + session.usage.upBytes;
  const closed = session.proven.downBytes + session.proven.upBytes;
  const unsignedBytes = channel === undefined ? 0n : (unsigned.get(channel.id) ?? 0n);
  const waitingBytes = channel === undefined ? 0n : (waiting.get(channel.id) ?? 0n);
  const judged = closed - unsignedBytes - waitingBytes;
  const freeBytes = channel === undefined ? meteredBytes : smaller(session.trialBytes, meteredBytes);
  return {
    id: session.id,
    ...(channel === undefined ? {} : { channelId: channel.id }),
    meteredBytes,
    chargedUnits: channel?.closeUnits ?? accountOf(session, channel).chargedUnits,
    openBytes: channel === undefined ? 0n : meteredBytes - closed,
    unsignedBytes,
    waitingBytes,
    judgedBytes: judged > 0n ? judged : 0n,
    freeBytes,
  };
}

function bytesByChannel(leaves: readonly SessionLeaf[]): ReadonlyMap<Hex, bigint> {
  const sums = new Map<Hex, bigint>();
  for (const { channelId, bytesUp, bytesDown } of leaves) {
    sums.set(channelId, (sums.get(channelId) ?? 0n) + bytesUp + bytesDown);
  }
  return sums;
}

function leavesOf(body: Uint8Array): readonly SessionLeaf[] {
  const decoded = decodeProofUpload(body);
  return decoded.ok ? decoded.value.leaves : [];
}

function smaller(a: bigint, b: bigint): bigint {
  return a < b ? a : b;
}
