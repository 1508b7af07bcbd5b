/**
 * The core: one event in, the new state and what to do out. Pure and deterministic: replaying the events gives the same
 * state (invariant I4). Each kind of event has its reducer in an on-*.ts file.
 */
import type { AgentConfig } from './config.ts';
import type { AgentEvent } from './events.ts';
import { onChannelConfirmed, onChannelFailed, onChannelOpening, onClose } from './on-channel.ts';
import { onSessionExtended } from './on-gift.ts';
import { onHandOver } from './on-hand-over.ts';
import { onCountersRead, onDepleted, onReconciled, onUsageStored } from './on-meter.ts';
import { onSessionPaused, onSessionResumed } from './on-pause.ts';
import { onProof } from './on-proof.ts';
import { onSessionLeft, onStationAttached, onTrialStarted } from './on-session.ts';
import { onStation } from './on-station.ts';
import { onTick } from './on-tick.ts';
import { onTickCredit } from './on-tick-credit.ts';
import { onVouchersStored } from './on-voucher.ts';
import type { Outcome } from './outcome.ts';
import { onChannelSeen, onClaim } from './settlement.ts';
import type { AgentState } from './state.ts';

export function handle(state: AgentState, event: AgentEvent, config: AgentConfig): Outcome {
  switch (event.kind) {
    case 'station-joined':
    case 'station-left':
    case 'station-on-port':
    case 'address-leased':
    case 'address-released':
    case 'addresses-seen':
      return onStation(state, event);
    case 'trial-started':
      return onTrialStarted(state, event);
    case 'channel-opening':
    case 'open-relaying':
      return onChannelOpening(state, event);
    case 'channel-confirmed':
      return onChannelConfirmed(state, event);
    case 'channel-failed':
      return onChannelFailed(state, event);
    case 'vouchers-stored':
      return onVouchersStored(state, event);
    case 'tick-voucher-taken':
    case 'ticks-taken':
      return onTickCredit(state, event);
    case 'station-attached':
      return onStationAttached(state, event);
    case 'session-extended':
      return onSessionExtended(state, event);
    case 'session-left':
      return onSessionLeft(state, event);
    case 'session-paused':
      return onSessionPaused(state, event);
    case 'session-resumed':
      return onSessionResumed(state, event);
    case 'counters-read':
      return onCountersRead(state, event, config);
    case 'reconciled':
      return onReconciled(state, event, config);
    case 'depleted':
      return onDepleted(state, event);
    case 'channel-closed':
    case 'close-failed':
      return onClose(state, event);
    case 'channel-seen':
      return onChannelSeen(state, event);
    case 'channels-claimed':
    case 'claim-failed':
    case 'ticks-claimed':
    case 'ticks-refused':
    case 'costs-seen':
      return onClaim(state, event, config);
    case 'proof-stored':
    case 'interval-drafted':
    case 'proof-sealed':
    case 'chain-rebased':
      return onProof(state, event);
    case 'usage-stored':
      return onUsageStored(state, event);
    case 'tick':
      return onTick(state, event, config);
    default:
      return onHandOver(state, event);
  }
}
