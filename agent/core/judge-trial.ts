/**
 * The free allowance: once per MAC, key and day; and bounded for all MACs together, by the day and by the hour, so that
 * changing the MAC gains little. What is granted counts as used: nothing is given back for bytes left over.
 */
import type { Address } from '../../protocol/address.ts';
import type { ByteCount } from '../../protocol/units.ts';
import type { AgentConfig } from './config.ts';
import { MAX_SESSIONS, MAX_TRIAL_MACS, TIMED_TRIALS_PER_DAY } from './limits.ts';
import type { Mac } from './model.ts';
import { type Refused, refuse } from './refusal.ts';
import { type AgentState, sessionOfMac } from './state.ts';

export const DAY_S = 86_400n;
const HOUR_MS = 3_600_000;

/** Who asks, and when. `key`: the guest's own, where its page names one. */
export type TrialRequest = {
  readonly mac: Mac;
  readonly key?: Address;
  /** Wall clock, for the day. */
  readonly nowS: bigint;
  /** Monotonic, for the hour. */
  readonly nowMs: number;
};

export type TrialGrant = {
  readonly bytes: ByteCount;
  /** Time online that the grant lasts; absent: until the bytes are used. */
  readonly trialMs?: number;
  readonly dayS: bigint;
};

export type TrialRefusal = 'trial-used' | 'already-open' | 'not-selling';

export type TrialJudgement = ({ readonly ok: true } & TrialGrant) | Refused<TrialRefusal>;

export function judgeTrial(state: AgentState, price: AgentConfig['price'], request: TrialRequest): TrialJudgement {
  const { mac, nowS, nowMs } = request;
  const dayS = nowS - (nowS % DAY_S);
  const current = sessionOfMac(state, mac);
  if (current !== undefined && current.ended === undefined) {
    return refuse('already-open', 'no running session', `session ${current.id}`);
  }
  const bytes = bytesPerTrial(price);
  if (bytes === 0n) return refuse('trial-used', 'a free allowance', 'the owner gives none');
  const whose = usedUpBy(state, price, request, { bytes, dayS });
  if (whose !== undefined) return refuse('trial-used', 'free allowance left for today', `used up by ${whose}`);
  const { perHour = MAX_TRIAL_MACS, seconds = 0 } = price.trial ?? {};
  if (state.trialStarts.filter((atMs) => atMs > nowMs - HOUR_MS).length >= perHour) {
    return refuse('trial-used', `fewer than ${perHour} free trials within the hour`, 'as many; try again later');
  }
  if (state.sessions.size >= MAX_SESSIONS) {
    return refuse('not-selling', `fewer than ${MAX_SESSIONS} sessions`, `${state.sessions.size}`);
  }
  return { ok: true, bytes, dayS, ...(seconds > 0 ? { trialMs: seconds * 1000 } : {}) };
}

/** Starts that still count at `nowMs`, with one more. */
export function withTrialStart(starts: readonly number[], nowMs: number): readonly number[] {
  return [...starts.filter((atMs) => atMs > nowMs - HOUR_MS), nowMs];
}

/** Where only time is given, the bytes that the trials' slice of the line carries in it, and a fair part of the day's at most. */
export function bytesPerTrial({ trialBytes, trialBytesPerDay, trial }: AgentConfig['price']): ByteCount {
  if (trialBytes > 0n || trial === undefined || trial.seconds === 0) return trialBytes;
  const carried = (trial.rate.downBytesPerS + trial.rate.upBytesPerS) * BigInt(trial.seconds);
  const most = trialBytesPerDay / TIMED_TRIALS_PER_DAY;
  return carried < most ? carried : most;
}

function usedUpBy(
  state: AgentState,
  price: AgentConfig['price'],
  { mac, key }: TrialRequest,
  { bytes, dayS }: TrialGrant,
): string | undefined {
  const today = [...state.trials].filter(([, trial]) => trial.dayS === dayS);
  const isOwn = today.some(([whose, trial]) => whose === mac && trial.usedBytes >= bytes);
  if (isOwn) return 'this device';
  if (key !== undefined && today.some(([, trial]) => trial.key === key)) return 'this guest, from another device';
  const left = price.trialBytesPerDay - today.reduce((sum, [, trial]) => sum + trial.usedBytes, 0n);
  return left < bytes || today.length >= MAX_TRIAL_MACS ? 'all devices together' : undefined;
}
