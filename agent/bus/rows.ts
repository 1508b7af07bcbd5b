/** Sessions, channels and proofs as rows on the bus: snake_case, money as decimal strings of units, bytes and dates as INT64. */

import { type BusTable, int32 } from '../bus-port.ts';
import { accountOf } from '../core/account.ts';
import type { Mac } from '../core/model.ts';
import {
  type AgentState,
  channelOfSession,
  type LiveChannel,
  type LiveSession,
  sessionOfChannel,
} from '../core/state.ts';
import { UNLIMITED_BYTES } from '../core/tariff.ts';
import { guestView, sessionRow } from '../core/view.ts';
import type { AirReading, ProofRecord } from '../ports.ts';

/** What rows say beyond the state: the time, and what the router knows of a device. */
export type RowContext = {
  readonly nowMs: number;
  /** Wall clock in Unix seconds; absent while it is not known good. */
  readonly unixS?: bigint;
  readonly hostnameOf: (mac: Mac) => string | undefined;
  readonly airOf: (mac: Mac) => AirReading | undefined;
};

export function sessionBusRow(state: AgentState, session: LiveSession, context: RowContext): BusTable {
  const row = sessionRow(state, session);
  const channel = channelOfSession(state, session);
  const mac = row.macs[0];
  const isUnlimited = row.bytesRemaining >= UNLIMITED_BYTES / 2n;
  const secondsLeft = mac === undefined ? undefined : guestView(state, mac).secondsRemaining;
  // After a restart of the agent startedMs is that of the restart; the time online is not.
  const ageMs = Math.max(context.nowMs - session.startedMs, session.usage.onlineMs);
  return {
    id: row.id,
    mac,
    macs: row.macs,
    addresses: row.addresses,
    hostname: mac === undefined ? undefined : context.hostnameOf(mac),
    state: row.phase,
    mode: channel?.mode,
    channel: row.channelId,
    started_s: context.unixS === undefined ? undefined : context.unixS - BigInt(Math.floor(ageMs / 1000)),
    online_s: int32(row.onlineMs / 1000),
    bytes_up: row.upBytes,
    bytes_down: row.downBytes,
    left_bytes: isUnlimited ? undefined : row.bytesRemaining,
    left_s: secondsLeft === undefined ? undefined : int32(secondsLeft),
    credit_units: `${row.creditUnits}`,
    charged_units: `${row.chargedUnits}`,
    air: mac === undefined ? undefined : airTable(context.airOf(mac)),
  };
}

export function channelBusRow(state: AgentState, channel: LiveChannel): BusTable {
  const session = sessionOfChannel(state, channel.id);
  const charged = channel.closeUnits ?? (session === undefined ? undefined : accountOf(session, channel).chargedUnits);
  const claimedUnits = channel.phase === 'settled' ? channel.closeUnits : channel.claimedUnits;
  return {
    id: channel.id,
    payer: channel.config.payer,
    state: channel.phase,
    mode: channel.mode,
    deposit_units: `${channel.deposit}`,
    accepted_units: `${channel.voucher.amount}`,
    charged_units: charged === undefined ? undefined : `${charged}`,
    claimed_units: claimedUnits === undefined ? undefined : `${claimedUnits}`,
    gas_wei: channel.gasWei === undefined ? undefined : `${channel.gasWei}`,
    open_fee_units: `${channel.openFee}`,
    expiry_s: channel.config.expiry,
  };
}

export function proofBusRow({ proof, digest, receipt }: ProofRecord): BusTable {
  return {
    epoch: int32(Number(proof.epoch)),
    seq: int32(Number(proof.seq)),
    start_s: proof.startS,
    end_s: proof.endS,
    bytes: proof.bytesUp + proof.bytesDown,
    paid_units: `${proof.paid}`,
    verdict: receipt?.verdict ?? 'waiting',
    digest,
    reason: proof.clockState === 0n ? 'signed before the clock was set' : undefined,
  };
}

function airTable(air: AirReading | undefined): BusTable | undefined {
  if (air === undefined) return undefined;
  return { signal_dbm: air.signalDbm, rate_down_kbit: air.rateDownKbit, rate_up_kbit: air.rateUpKbit };
}
