/** What the agent says of itself: status line, health. */
import type { Address } from '../../protocol/address.ts';
import type { TokenAmount } from '../../protocol/units.ts';

export type AgentStatus = {
  readonly version: string;
  readonly uptimeMs: number;
  readonly device: Address;
  readonly payee: Address;
  /** Absent while WiFi is being sold; else why not and what to do. */
  readonly notSelling?: string;
  readonly sessions: number;
  readonly openChannels: number;
  /** Charged in all channels that are not settled, and settled so far. */
  readonly earnedUnits: TokenAmount;
  readonly settledUnits: TokenAmount;
  /** What the channels that the agent holds have cost the gas key, and the open fees that they brought for it. */
  readonly gasWei: bigint;
  readonly openFeeUnits: TokenAmount;
  readonly downBytes: bigint;
  readonly upBytes: bigint;
  readonly proofs: {
    readonly closed: number;
    readonly acknowledged: number;
    readonly waiting: number;
    /** Absent while proofs are signed; else why not and what to do. */
    readonly held?: string;
  };
  readonly isBusConnected: boolean;
  readonly isClockSynced: boolean;
  /** What the agent knows to be wrong, or might be, by itself; absent from an agent that was started without it. */
  readonly health?: readonly HealthCheck[];
};

/** `message` says what was found; `fix` what to do, absent only if nothing is wrong. */
export type HealthCheck = {
  readonly check: string;
  readonly ok: boolean;
  readonly message: string;
  readonly fix?: string;
};
