/**
 * Which router of one owner may extend a channel's credit. At every moment it is at most one: the router that opened the
 * channel, until it hands it over; then the one that the newest hand-over names. A router gives a channel away only once the
 * kernel no longer serves it and its last counters are in, and takes one only by a hand-over newer than all it has seen.
 * docs/roaming.md says why that is enough.
 */
import type { Address } from '../../protocol/address.ts';
import type { ChannelConfig } from '../../protocol/channel.ts';
import type { CarriedChannel, HandOver } from '../../protocol/hand-over.ts';
import type { Hex } from '../../protocol/hex.ts';
import { isLaterTick } from '../../protocol/payword.ts';
import { anchorTick, tickCeiling } from '../../protocol/tick-voucher.ts';
import { accountOf, paidMs } from './account.ts';
import type { Custody } from './custody.ts';
import { MAX_CUSTODIES } from './limits.ts';
import { type Refused, refuse } from './refusal.ts';
import { type AgentState, isServing, type LiveChannel, type LiveSession } from './state.ts';

export type RoamingRefusal =
  | 'unknown-channel'
  | 'channel-not-open'
  | 'stale-sequence'
  | 'not-the-holder'
  | 'unknown-sister'
  | 'not-for-us'
  | 'config-mismatch'
  | 'channel-expiring'
  | 'clock-not-set'
  | 'too-many';

export type RoamingRefused = Refused<RoamingRefusal>;

/** What a router is and whom it trusts. */
export type RoamingSelf = {
  readonly self: Address;
  readonly payee: Address;
  readonly sisters: ReadonlySet<Address>;
  readonly marginSeconds: number;
  /** Absent while the wall clock is not trusted: an expired channel could not be told from a good one. */
  readonly nowS?: bigint;
};

/** The number of the last hand-over of a channel that this router knows of; 0: there was none. */
export function lastSequence(state: Pick<AgentState, 'custody'>, id: Hex): bigint {
  return state.custody.get(id)?.last.handOver.sequence ?? 0n;
}

/** Served for a sister that opened it: claims, closes and proofs are hers. */
export function isVisitor(
  state: Pick<AgentState, 'custody'>,
  { id, config }: Pick<LiveChannel, 'id' | 'config'>,
): boolean {
  const custody = state.custody.get(id);
  return custody !== undefined && custody.self !== config.device;
}

/** Whether a sister may have the channel under this number. What was given to her already is given again, word for word. */
export function judgeGiving(
  state: AgentState,
  id: Hex,
  asker: Address,
  sequence: bigint,
  { self, sisters, marginSeconds, nowS }: RoamingSelf,
): RoamingRefused | { readonly ok: true; readonly given?: CarriedChannel } {
  if (!sisters.has(asker)) return refuse('unknown-sister', 'a router in the list of sisters', asker);
  const custody = state.custody.get(id);
  const last = custody?.last.handOver;
  if (custody !== undefined && last?.from === self && last.to === asker && last.sequence === sequence) {
    return { ok: true, given: custody.last };
  }
  if (last !== undefined && last.to !== self) return refuse('not-the-holder', `a question to ${last.to}`, self);
  const next = lastSequence(state, id) + 1n;
  if (sequence !== next) return refuse('stale-sequence', `sequence ${next}`, `${sequence}`);
  const channel = state.channels.get(id);
  if (channel === undefined) return refuse('unknown-channel', 'a channel served here', id);
  if (!isServing(state, channel))
    return refuse('channel-not-open', 'a channel in phase active or grace', channel.phase);
  if (nowS !== undefined && isNearExpiry(channel.config, nowS, marginSeconds)) return expiring(channel.config, nowS);
  return { ok: true };
}

/** Whether a hand-over may be taken: `isKnown` if it was taken before. Signatures are checked by the caller. */
export function judgeTaking(
  state: AgentState,
  { handOver, config, voucher, ticks }: CarriedChannel,
  id: Hex,
  { self, payee, sisters, marginSeconds, nowS }: RoamingSelf,
): RoamingRefused | { readonly ok: true; readonly isKnown: boolean } {
  if (!sisters.has(handOver.from)) return refuse('unknown-sister', 'a router in the list of sisters', handOver.from);
  if (handOver.to !== self) return refuse('not-for-us', `a hand-over to ${self}`, handOver.to);
  if (config.payee !== payee) return refuse('config-mismatch', `payee ${payee}`, config.payee);
  const isOne = [handOver.channelId, voucher.channelId, ticks?.voucher.channelId ?? id].every((other) => other === id);
  if (!isOne) return refuse('config-mismatch', `one channel, ${id}`, handOver.channelId);
  const covered = voucher.amount === handOver.amount && voucher.amount <= handOver.deposit;
  if (!covered)
    return refuse('config-mismatch', `a voucher of ${handOver.amount} within the deposit`, `${voucher.amount}`);
  if (ticks !== undefined && !isPromised(ticks, voucher, handOver))
    return refuse(
      'config-mismatch',
      'a coin of the chain that the guest signed, within the deposit',
      `tick ${ticks.last.index}`,
    );
  const last = state.custody.get(id)?.last.handOver;
  if (last !== undefined && last.sequence >= handOver.sequence) {
    const isSame = last.sequence === handOver.sequence && last.to === self && last.from === handOver.from;
    if (isSame) return { ok: true, isKnown: true };
    return refuse('stale-sequence', `a sequence above ${last.sequence}`, `${handOver.sequence}`);
  }
  const channel = state.channels.get(id);
  // What is here and was never given away cannot come back.
  if (channel !== undefined && channel.phase !== 'away')
    return refuse('channel-not-open', 'a channel away', channel.phase);
  const isHome = config.device === self;
  if (isHome && handOver.isOver) return { ok: true, isKnown: false };
  if (nowS === undefined) return refuse('clock-not-set', 'a clock that is set', 'none');
  if (isNearExpiry(config, nowS, marginSeconds) && !isHome) return expiring(config, nowS);
  if (channel === undefined && state.custody.size >= MAX_CUSTODIES) {
    return refuse('too-many', `fewer than ${MAX_CUSTODIES} channels of sisters`, `${state.custody.size}`);
  }
  return { ok: true, isKnown: false };
}

/** Where a channel goes instead of being closed on chain: to the sister that asked for it, else home; undefined: it is home. */
export function destinationOf(
  state: AgentState,
  channel: LiveChannel,
): { readonly self: Address; readonly to: Address } | undefined {
  const asked = state.leaving.get(channel.id);
  if (asked !== undefined) return asked;
  const self = state.custody.get(channel.id)?.self;
  return self === undefined || self === channel.config.device ? undefined : { self, to: channel.config.device };
}

/** Where the channel stands, as the next router is told. The kernel must not serve it any more. */
export function carriedFrom(
  state: AgentState,
  channel: LiveChannel,
  session: LiveSession,
  { self, to }: { readonly self: Address; readonly to: Address },
): CarriedChannel {
  const { id, config, voucher, deposit, tariff, openFee, mode, ticks } = channel;
  const { downBytes, upBytes } = session.usage;
  const handOver: HandOver = {
    channelId: id,
    sequence: lastSequence(state, id) + 1n,
    from: self,
    to,
    deposit,
    amount: voucher.amount,
    charged: accountOf(session, channel).chargedUnits,
    downBytes,
    upBytes,
    onlineMs: BigInt(Math.ceil(paidMs(session))),
    trialBytes: session.trialBytes,
    ...tariff,
    openFee,
    mode,
    isOver: session.ended !== 'moved',
  };
  const credit = ticks === undefined ? {} : { ticks: { voucher: ticks.voucher, last: ticks.last } };
  return { handOver, config, voucher, ...credit };
}

/** Channels that this router serves for a guest's key, newest first. */
export function servedFor(state: AgentState, signer: Address): readonly LiveChannel[] {
  const own = [...state.channels.values()].filter((channel) => channel.config.signer === signer);
  return own.filter((channel) => isServing(state, channel)).reverse();
}

/** The channel, if it is at this router: served, or stopped here and not yet closed or brought home. */
export function heldChannel(state: AgentState, id: Hex, self: Address): LiveChannel | undefined {
  const channel = state.channels.get(id);
  const isGiven = (state.custody.get(id)?.last.handOver.to ?? self) !== self;
  return channel === undefined || isGiven || !HELD.has(channel.phase) ? undefined : channel;
}

const HELD: ReadonlySet<LiveChannel['phase']> = new Set(['active', 'grace', 'closing']);

/** Of expired channels nobody has to remember where they are: no router takes them any more. */
export function expiredCustodies(state: Pick<AgentState, 'custody' | 'channels'>, nowS: bigint): readonly Hex[] {
  const over = [...state.custody.values()].filter((custody) => isLongOver(custody, nowS));
  return over.map(({ last }) => last.handOver.channelId).filter((id) => !state.channels.has(id));
}

/** Expired so long ago that nobody waits for an answer any more. */
export function isLongOver({ last }: Custody, nowS: bigint): boolean {
  return last.config.expiry + KEPT_AFTER_EXPIRY_S < nowS;
}

/** Far more than clocks of routers with a set clock can be apart. */
const KEPT_AFTER_EXPIRY_S = 7n * 86_400n;

/** The base stands on the voucher, the coin leads back to the anchor that the guest signed: a sister's word alone is no credit. */
function isPromised(
  { voucher: base, last }: NonNullable<CarriedChannel['ticks']>,
  voucher: CarriedChannel['voucher'],
  { deposit }: HandOver,
): boolean {
  if (base.amount > voucher.amount || BigInt(last.index) > base.ticks) return false;
  if (tickCeiling(base, last.index) > deposit) return false;
  return last.index === 0 || isLaterTick(anchorTick(base), last);
}

function isNearExpiry({ expiry }: ChannelConfig, nowS: bigint, marginSeconds: number): boolean {
  return nowS + BigInt(marginSeconds) >= expiry;
}

function expiring({ expiry }: ChannelConfig, nowS: bigint): RoamingRefused {
  return refuse('channel-expiring', 'more than the margin before expiry', `${expiry - nowS} s`);
}
