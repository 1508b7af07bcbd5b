/** Running channels that have used so much each, and the crank turned on them once. */
import { handle } from '../../../../agent/core/handle.ts';
import { type AgentState, emptyState, type LiveChannel } from '../../../../agent/core/state.ts';
import type { Hex } from '../../../../protocol/hex.ts';
import { NOW_S, PHONE, testChannel, testConfig } from './story.ts';

export const CONFIG = testConfig();
/** From then on batches are sent. */
export const READY_MS = 60_000;

type World = {
  /** Charge of each channel's session, open fee included. */
  readonly charged: readonly bigint[];
  readonly claimed?: bigint;
  readonly voucher?: bigint;
  readonly expiry?: bigint;
  readonly phase?: LiveChannel['phase'];
};

export function world({
  charged,
  claimed,
  voucher = 1_050n,
  expiry = NOW_S + 86_400n,
  phase = 'active',
}: World): AgentState {
  const empty = emptyState(0, NOW_S);
  const sessions = new Map(empty.sessions);
  const channels = new Map(empty.channels);
  const sessionByChannel = new Map(empty.sessionByChannel);
  charged.forEach((units, i) => {
    const id = idOf(i);
    const base = testChannel({ id, phase, deposit: 10_000n });
    channels.set(id, {
      ...base,
      config: { ...base.config, expiry },
      voucher: { ...base.voucher, channelId: id, amount: voucher },
      ...(claimed === undefined ? {} : { claimedUnits: claimed }),
      closeAttempts: 0,
      nextCloseMs: Number.POSITIVE_INFINITY,
    });
    // 10 units per MB after the open fee of 50.
    const downBytes = units > 50n ? (units - 50n) * 100_000n : 0n;
    sessionByChannel.set(id, i + 1);
    sessions.set(i + 1, {
      id: i + 1,
      startedMs: 0,
      stations: [{ mac: PHONE, addresses: [] }],
      channelId: id,
      usage: { downBytes, upBytes: 0n, onlineMs: 0 },
      trialBytes: 0n,
      proven: { downBytes: 0n, upBytes: 0n, units: 0n },
      counters: new Map(),
      storedBytes: downBytes,
      storedAtMs: 0,
      depletedAtMs: 0,
    });
  });
  return { ...empty, sessions, channels, sessionByChannel };
}

export function tick(state: AgentState, nowMs: number, config = CONFIG, nowS = NOW_S) {
  return handle({ ...state, lastTickMs: nowMs }, { kind: 'tick', nowMs, nowS }, config);
}

/** What a tick has claimed. */
export function ticked(state: AgentState, nowMs: number, config = CONFIG, nowS = NOW_S) {
  return tick(state, nowMs, config, nowS).actions.filter(({ kind }) => kind === 'claim-channels');
}

export function idOf(i: number): Hex {
  return `0x${(i + 1).toString(16).padStart(64, '0')}`;
}
