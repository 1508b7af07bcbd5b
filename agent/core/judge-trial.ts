/**
 * The free allowance: once per MAC and day, and bounded for all MACs together, so that changing the MAC gains little.
 * What is granted counts as used: nothing is given back for bytes left over.
 */
import type { ByteCount } from '../../protocol/units.ts';
import type { AgentConfig } from './config.ts';
import { MAX_SESSIONS, MAX_TRIAL_MACS } from './limits.ts';
import type { Mac } from './model.ts';
import { type AgentState, sessionOfMac } from './state.ts';

export const DAY_S = 86_400n;

export type TrialJudgement =
  | { readonly ok: true; readonly bytes: ByteCount; readonly dayS: bigint }
  | {
      readonly ok: false;
      readonly reason: 'trial-used' | 'already-open' | 'not-selling';
      readonly expected: string;
      readonly got: string;
    };

export function judgeTrial(state: AgentState, price: AgentConfig['price'], mac: Mac, nowS: bigint): TrialJudgement {
  const dayS = nowS - (nowS % DAY_S);
  const current = sessionOfMac(state, mac);
  if (current !== undefined && current.ended === undefined) {
    return { ok: false, reason: 'already-open', expected: 'no running session', got: `session ${current.id}` };
  }
  if (price.trialBytes === 0n) {
    return { ok: false, reason: 'trial-used', expected: 'a free allowance', got: 'the owner gives none' };
  }
  const today = [...state.trials.values()].filter((trial) => trial.dayS === dayS);
  const own = state.trials.get(mac);
  const ownBytes = own?.dayS === dayS ? own.usedBytes : 0n;
  const left = price.trialBytesPerDay - today.reduce((sum, trial) => sum + trial.usedBytes, 0n);
  if (ownBytes >= price.trialBytes || left < price.trialBytes || today.length >= MAX_TRIAL_MACS) {
    const whose = ownBytes > 0n ? 'this device' : 'all devices together';
    return { ok: false, reason: 'trial-used', expected: 'free allowance left for today', got: `used up by ${whose}` };
  }
  if (state.sessions.size >= MAX_SESSIONS) {
    return {
      ok: false,
      reason: 'not-selling',
      expected: `fewer than ${MAX_SESSIONS} sessions`,
      got: `${state.sessions.size}`,
    };
  }
  return { ok: true, bytes: price.trialBytes, dayS };
}
