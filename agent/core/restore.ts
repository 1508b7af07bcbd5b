/**
 * The state after a start, from what the journal holds. Sessions go on where their last stored usage was; what the kernel
 * counted since is added by the first reading, because kernel counters are cumulative and outlive the agent.
 */

import type { Custody } from './custody.ts';
import { raisedToAck } from './evidence.ts';
import type { JournalSnapshot } from './journal-entry.ts';
import { totalBytes } from './meter.ts';
import type { Channel, Session } from './model.ts';
import { restoredOpens } from './open-limits.ts';
import { type AgentState, emptyState, type KnownStation, type LiveChannel, type LiveSession } from './state.ts';

export function stateFromJournal(snapshot: JournalSnapshot, nowMs: number, nowS: bigint): AgentState {
  const empty = emptyState(nowMs, nowS);
  const sessions = new Map<number, LiveSession>();
  for (const { session, counters } of snapshot.sessions) {
    sessions.set(session.id, {
      ...session,
      startedMs: nowMs,
      // Who left while the agent was away is refunded after the usual wait; hostapd or traffic show who is still there.
      ...(session.ended === undefined ? { absentSinceMs: nowMs } : {}),
      // How long it has been paused is not known any more: it may be paused as long again.
      ...(session.pausedAtMs === undefined ? {} : { pausedAtMs: nowMs }),
      counters: new Map(counters.map(({ key, bytes }) => [key, bytes])),
      storedBytes: totalBytes(session.usage),
      storedAtMs: nowMs,
    });
  }
  const channels = liveChannels(snapshot, nowMs);
  for (const session of sessions.values()) {
    const channel = channels.get(session.channelId ?? '0x');
    // The voucher is written before the usage that it acknowledges.
    if (channel?.isStale === true) sessions.set(session.id, raisedToAck(session, channel, channel.voucher.ackBytes));
  }
  const running = [...sessions.values()].filter(({ ended }) => ended === undefined);
  const last = snapshot.lastProof;
  return {
    ...empty,
    sessions,
    channels,
    sessionByMac: new Map(running.flatMap(({ id, stations }) => stations.map(({ mac }) => [mac, id] as const))),
    sessionByChannel: new Map(
      [...sessions.values()].flatMap(({ id, channelId }) =>
        channelId === undefined ? [] : [[channelId, id] as const],
      ),
    ),
    stations: new Map(running.flatMap((session) => stationsOf(session, nowMs))),
    addressOwner: new Map(
      running.flatMap(({ stations }) =>
        stations.flatMap(({ mac, addresses }) => addresses.map((ip) => [ip, mac] as const)),
      ),
    ),
    custody: new Map((snapshot.custody ?? []).map((one) => [idOfCustody(one), one])),
    opens: restoredOpens(snapshot.opens ?? [], nowMs, nowS),
    trials: new Map(snapshot.trials.map(({ mac, ...use }) => [mac, use])),
    ...(snapshot.gifts === undefined ? {} : { gifts: snapshot.gifts }),
    nextSessionId: Math.max(0, ...sessions.keys()) + 1,
    proofs: {
      ...(last === undefined ? empty.proofs : chainAfter(last, nowMs)),
      ...(snapshot.minEpoch === undefined ? {} : { minEpoch: snapshot.minEpoch }),
    },
    settledUnits: snapshot.channels.reduce(
      (sum, { phase, closeUnits }) => (phase === 'settled' ? sum + (closeUnits ?? 0n) : sum),
      snapshot.totals?.units ?? 0n,
    ),
  };
}

function chainAfter(last: NonNullable<JournalSnapshot['lastProof']>, nowMs: number): AgentState['proofs'] {
  return { nextSeq: last.proof.seq + 1n, prev: last.digest, startedMs: nowMs, startedS: last.proof.endS };
}

function liveChannels({ channels, ticks = [], custody = [] }: JournalSnapshot, nowMs: number): AgentState['channels'] {
  const gone = new Set(custody.filter(({ self, last }) => last.handOver.to !== self).map(idOfCustody));
  const live = new Map(channels.map((channel) => [channel.id, liveChannel(channel, gone)]));
  for (const credit of ticks) {
    const channel = live.get(credit.voucher.channelId);
    // When the last voucher came is not known any more: the guest has its minute again.
    const kept = { ...credit, renewedMs: nowMs, storedIndex: credit.last.index };
    if (channel !== undefined) live.set(channel.id, { ...channel, ticks: kept });
  }
  return live;
}

function liveChannel(channel: Channel, gone: ReadonlySet<Channel['id']>): LiveChannel {
  const phase = phaseAfter(channel, gone.has(channel.id));
  // What an earlier run signed for it is not asked for.
  const sent = phase === 'pending' ? { isUnsent: false } : {};
  return { ...channel, ...sent, phase, closeAttempts: 0, nextCloseMs: 0 };
}

/**
 * Stopped for a sister who was never told: it ends as if the guest had left. Of an old copy nothing is served before the chain,
 * and the sisters, have said what they know: it waits as one that was rolled back does.
 */
function phaseAfter({ phase, isStale }: Channel, isGone: boolean): LiveChannel['phase'] {
  if (phase === 'away') return isGone ? 'away' : isStale === true ? 'pending' : 'closing';
  return isStale === true && (phase === 'active' || phase === 'grace') ? 'pending' : phase;
}

function idOfCustody({ last }: Custody): Channel['id'] {
  return last.handOver.channelId;
}

function stationsOf(session: Session, nowMs: number): (readonly [KnownStation['mac'], KnownStation])[] {
  return session.stations.map(
    (station) => [station.mac, { ...station, lastSeenMs: nowMs, isAssociated: false }] as const,
  );
}
