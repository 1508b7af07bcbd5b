/**
 * When the money of running channels is claimed on chain: a pure crank, turned by every tick. A batch goes out once what
 * it brings is worth its gas, and in any case before a channel comes so near its expiry that no voucher is taken any more.
 * What ends on its own (a guest who leaves, an exit, the expiry) is closed by on-channel.ts, which claims everything.
 * What only ticks have promised is claimed beside it where that is worth a transaction of its own.
 */
import { accountOf, claimableUnits } from './account.ts';
import type { ChainCosts } from './chain-facts.ts';
import type { AgentConfig } from './config.ts';
import type { EventOf } from './events.ts';
import { raisedToClaim } from './evidence.ts';
import { BATCH_GAS, CLAIM_GAS, CLOSE_GAS, OPEN_GAS, openGasUnits, TICK_CLAIM_GAS } from './gas.ts';
import type { Outcome } from './outcome.ts';
import { chainRetryMs } from './retry-schedule.ts';
import { isVisitor } from './roaming.ts';
import { type AgentState, channelOfSession, type LiveChannel, sessionOfChannel, withEntry } from './state.ts';

/** Claims in one transaction: 1.2 million gas, which fits any block; beyond it the next batch takes the rest. */
export const MAX_CLAIMS_PER_BATCH = 50;
/** A batch goes out when it brings so many times its gas: 5 % of what is earned is the most that claiming costs. */
export const DEFAULT_CLAIM_RATIO = 20;
/** Of the margin, what the chain needs to take a claim: 20 blocks of 12 s. */
const BLOCKS_MARGIN_S = 240;
const SHORTEST_INTERVAL_S = 60;

/**
 * Seconds between two batches, from the margin: protocol.md's margin = max(2 x claim interval, 10 min) + 20 blocks, the
 * other way round, so that two attempts always fit before the margin is over.
 */
export function claimIntervalSeconds(marginSeconds: number): number {
  return Math.max(SHORTEST_INTERVAL_S, Math.floor((marginSeconds - BLOCKS_MARGIN_S) / 2));
}

/** One turn of the crank. `nowS` is 0 while no true time is known. */
export function settle(state: AgentState, nowMs: number, nowS: bigint, config: AgentConfig): Outcome {
  const { isClaiming, nextMs } = state.settlement;
  if (isClaiming || nowMs < nextMs) return { state, actions: [] };
  const due = dueClaims(state, nowS, config);
  const urgent = due.filter(({ channel }) => isNearMargin(channel, nowS, config));
  const batch = (urgent.length > 0 || isWorthGas(due, config) ? due : []).slice(0, MAX_CLAIMS_PER_BATCH);
  if (batch.length === 0) return { state, actions: [] };
  const claims = batch.map(({ channel, units }) => ({ channelId: channel.id, units }));
  return {
    state: { ...state, settlement: { ...state.settlement, isClaiming: true } },
    actions: [{ kind: 'claim-channels', claims }],
  };
}

type Claimed = EventOf<'channels-claimed' | 'claim-failed' | 'ticks-claimed' | 'ticks-refused' | 'costs-seen'>;

/** What came of a claim, and what the next one costs. */
export function onClaim(state: AgentState, event: Claimed, config: AgentConfig): Outcome {
  switch (event.kind) {
    case 'channels-claimed':
      return onChannelsClaimed(state, event, config);
    case 'claim-failed':
      return onClaimFailed(state, event);
    case 'ticks-claimed':
      return onTicksClaimed(state, event);
    case 'ticks-refused':
      return onTicksRefused(state, event);
    case 'costs-seen':
      return { state: { ...state, costs: event.costs }, actions: [] };
  }
}

/** One channel's ticks were claimed, by a transaction of their own. */
function onTicksClaimed(state: AgentState, { channelId, units, feeWei }: EventOf<'ticks-claimed'>): Outcome {
  const channel = state.channels.get(channelId);
  if (channel === undefined) return { state, actions: [] };
  // Told again, after a close that failed: its fee was counted.
  if (units <= (channel.claimedUnits ?? 0n)) return { state, actions: [] };
  const claimed = { ...channel, claimedUnits: units, gasWei: (channel.gasWei ?? 0n) + feeWei };
  return {
    state: { ...state, channels: withEntry(state.channels, channelId, claimed) },
    actions: [{ kind: 'store-channel', channelId }],
  };
}

/** The contract takes no claim by these ticks: what vouchers cover is still claimed, and the channel is not stuck. */
function onTicksRefused(state: AgentState, { channelId }: EventOf<'ticks-refused'>): Outcome {
  const channel = state.channels.get(channelId);
  if (channel?.ticks === undefined) return { state, actions: [] };
  const { ticks: _, ...kept } = channel;
  const covered = larger(smaller(channel.closeUnits ?? 0n, channel.voucher.amount), channel.claimedUnits ?? 0n);
  const left: LiveChannel = channel.closeUnits === undefined ? kept : { ...kept, closeUnits: covered };
  return {
    state: { ...state, channels: withEntry(state.channels, channelId, left) },
    actions: [
      { kind: 'store-channel', channelId },
      { kind: 'log', event: 'ticks-refused', details: { channel: channelId } },
      { kind: 'reconcile' },
    ],
  };
}

function onChannelsClaimed(state: AgentState, event: EventOf<'channels-claimed'>, config: AgentConfig): Outcome {
  const channels = new Map(state.channels);
  const count = BigInt(event.claims.length);
  for (const { channelId, units } of event.claims) {
    const channel = channels.get(channelId);
    if (channel === undefined) continue;
    const gasWei = (channel.gasWei ?? 0n) + (event.feeWei + count - 1n) / count;
    channels.set(channelId, { ...channel, claimedUnits: larger(channel.claimedUnits ?? 0n, units), gasWei });
  }
  const nextMs = event.nowMs + claimIntervalSeconds(config.chain.marginSeconds) * 1000;
  return {
    state: { ...state, channels, settlement: { isClaiming: false, attempts: 0, nextMs } },
    actions: event.claims.map(({ channelId }) => ({ kind: 'store-channel', channelId })),
  };
}

function onClaimFailed(state: AgentState, { nowMs }: EventOf<'claim-failed'>): Outcome {
  const attempts = state.settlement.attempts + 1;
  const waitMs = chainRetryMs(attempts);
  return {
    state: { ...state, settlement: { isClaiming: false, attempts, nextMs: nowMs + waitMs } },
    actions: [{ kind: 'log', event: 'claim-failed', details: { attempts, retryInMs: waitMs } }],
  };
}

/**
 * What the chain says of a running channel. Gone: blocks were rolled back, and it gives no more credit until it is back;
 * its usage and voucher are kept. Less than was confirmed, yet enough for the newest voucher: a look that lags behind a
 * top-up, or a top-up that was rolled back; while a larger voucher may be on its way to disk what was confirmed stands, and
 * no promise above what was seen is taken. Being left, or closed there: it pays for nothing any more. More claimed than was
 * charged here: the journal is an old copy, and what was claimed is charged.
 */
export function onChannelSeen(state: AgentState, { channelId, seen }: EventOf<'channel-seen'>): Outcome {
  const channel = state.channels.get(channelId);
  const session = sessionOfChannel(state, channelId);
  if (channel === undefined || session === undefined) return { state, actions: [] };
  if (channel.phase !== 'active' && channel.phase !== 'grace') return { state, actions: [] };
  const isGone = seen.deposit < channel.voucher.amount;
  const isSame = seen.deposit === (channel.seenDeposit ?? channel.deposit);
  if (isSame && seen.claimed === (channel.claimedUnits ?? 0n)) return { state, actions: [] };
  const { seenDeposit: _, ...confirmed } = channel;
  const doubted = seen.deposit < channel.deposit ? { seenDeposit: seen.deposit } : { deposit: seen.deposit };
  const { chargedUnits } = accountOf(session, channel);
  // No more is claimed than was charged: what the journal knows of this channel is older than the claim.
  const isStale = seen.claimed > chargedUnits;
  const raised = raisedToClaim(session, { ...confirmed, ...(isStale ? { isStale } : {}) }, seen.claimed);
  const known: LiveChannel = {
    ...raised.channel,
    claimedUnits: seen.claimed,
    ...(isGone ? { phase: 'pending' as const } : doubted),
  };
  const details = { channel: channelId, deposit: seen.deposit, expected: channel.deposit };
  const behind = { channel: channelId, claimed: seen.claimed, charged: chargedUnits };
  return {
    state: {
      ...state,
      sessions: withEntry(state.sessions, session.id, raised.session),
      channels: withEntry(state.channels, channelId, known),
    },
    actions: [
      { kind: 'store-channel', channelId },
      ...(isStale
        ? ([
            { kind: 'log', event: 'journal-behind-chain', details: behind },
            { kind: 'store-sessions', sessionIds: [session.id] },
          ] as const)
        : []),
      ...(isGone ? [{ kind: 'log', event: 'channel-rolled-back', details } as const] : []),
      ...(isGone || isStale ? [{ kind: 'reconcile' } as const] : []),
      ...session.stations.map(({ mac }) => ({ kind: 'notify', mac }) as const),
    ],
  };
}

/** The least coin that the gas key must hold before one more channel is opened: enough to close all, and to open this. */
export function floatFloorWei(state: Pick<AgentState, 'channels'>, { gasPriceWei }: ChainCosts): bigint {
  const open = [...state.channels.values()].filter(({ phase }) => phase !== 'settled' && phase !== 'failed').length;
  return gasPriceWei * (OPEN_GAS + CLOSE_GAS * BigInt(open + 1));
}

type Due = { readonly channel: LiveChannel; readonly units: bigint; readonly gain: bigint };

/** Running channels whose guest has used more than was claimed; the largest gain first. */
function dueClaims(state: AgentState, nowS: bigint, config: AgentConfig): readonly Due[] {
  const due: Due[] = [];
  for (const session of state.sessions.values()) {
    const channel = channelOfSession(state, session);
    if (channel === undefined || isVisitor(state, channel)) continue;
    const isServing = session.ended === undefined && (channel.phase === 'active' || channel.phase === 'grace');
    // Not back from a sister in time: what was earned here is claimed, whatever became of it there.
    const isOverdue = channel.phase === 'away' && isNearMargin(channel, nowS, config);
    if (!isServing && !isOverdue) continue;
    const ratio = isNearMargin(channel, nowS, config) ? 1n : claimRatio(config);
    const units = claimableUnits(channel, accountOf(session, channel).chargedUnits, ratio);
    const gain = units - (channel.claimedUnits ?? 0n);
    if (gain > 0n) due.push({ channel, units, gain });
  }
  return due.sort((a, b) => (a.gain > b.gain ? -1 : 1));
}

function isWorthGas(due: readonly Due[], config: AgentConfig): boolean {
  const batch = due.slice(0, MAX_CLAIMS_PER_BATCH);
  const gain = batch.reduce((sum, one) => sum + one.gain, 0n);
  const byTicks = batch.filter(({ channel, units }) => units > channel.voucher.amount).length;
  const gas = BATCH_GAS + CLAIM_GAS * BigInt(batch.length - byTicks) + TICK_CLAIM_GAS * BigInt(byTicks);
  return (
    gain > 0n &&
    gain * OPEN_GAS >= claimRatio(config) * gas * openGasUnits(config.price.openFee, config.chain.gasWorthUnits)
  );
}

function claimRatio({ chain }: AgentConfig): bigint {
  return BigInt(chain.claimRatio ?? DEFAULT_CLAIM_RATIO);
}

/** Within one claim interval of the margin. */
function isNearMargin({ config }: LiveChannel, nowS: bigint, { chain }: AgentConfig): boolean {
  const aheadS = BigInt(chain.marginSeconds + claimIntervalSeconds(chain.marginSeconds));
  return nowS > 0n && nowS + aheadS >= config.expiry;
}

function larger(a: bigint, b: bigint): bigint {
  return a > b ? a : b;
}

function smaller(a: bigint, b: bigint): bigint {
  return a < b ? a : b;
}
