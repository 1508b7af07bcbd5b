/**
 * What time proofs name. The router's own clock once NTP has set it; before that, and when the collector's signed statement
 * contradicts it, seconds of this run of the agent, marked so (clockState 0) and put right later, when the time is known.
 */
import {
  type ClockCorrection,
  clockStatementDigest,
  type SignedClockStatement,
} from '../../protocol/clock-statement.ts';
import { type Hex, hexFromBytes } from '../../protocol/hex.ts';
import { type ClockState, GENESIS_PREV, type RegistryDeployment } from '../../protocol/traffic-proof.ts';
import type { ProofDraft } from '../core/proof-draft.ts';
import type { Clock } from '../ports.ts';

export const EPOCH_S = 604_800n;
/** Two clocks that are both set may differ so much: what the collector allows too (fleet/judge-proof.ts). */
const TOLERANCE_S = 300n;

export type ProofTime = { readonly timeS: bigint; readonly clockState: ClockState };
type Known = { readonly bootS: bigint; readonly statement: Hex };
/** Numbers signed in this run with its own seconds. */
export type UndatedRange = Pick<ClockCorrection, 'fromSeq' | 'toSeq'>;

export class ProofClock {
  readonly #clock: Clock;
  /** By the collector: Unix seconds at second 0 of this run. */
  #stated: Known | undefined;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** `askedMs`: when the question was sent, by the monotonic clock. The answer is taken to be half its way old. */
  learn(deployment: RegistryDeployment, statement: SignedClockStatement, askedMs: number): void {
    const halfWayMs = (askedMs + this.#clock.monotonicMs()) / 2;
    const bootS = statement.timeS - BigInt(Math.round(halfWayMs / 1000));
    this.#stated = { bootS, statement: hexFromBytes(clockStatementDigest(deployment, statement)) };
  }

  now(): ProofTime {
    const known = this.#known();
    return known === undefined || this.#isContradicted()
      ? { timeS: this.#runS(), clockState: 0n }
      : { timeS: this.#clock.wall().isSynced ? this.#clock.wall().unixS : known.bootS + this.#runS(), clockState: 1n };
  }

  /** Epoch of a time; for one that means nothing by itself that of now if it is known, else `otherwise`. */
  epochOf({ timeS, clockState }: ProofTime, otherwise: bigint): bigint {
    if (clockState === 1n) return timeS / EPOCH_S;
    const bootS = this.#stated?.bootS;
    return bootS === undefined ? otherwise : (bootS + timeS) / EPOCH_S;
  }

  /** An interval of this run with the times that are known now; it is not signed yet, so it need not stay wrong. */
  revised(draft: ProofDraft): ProofDraft {
    const known = this.#known();
    if (draft.clockState === 1n && this.#isContradicted()) {
      return this.#moved(draft, this.#runS() - this.#clock.wall().unixS, 0n);
    }
    if (draft.clockState === 0n && known !== undefined && !this.#isContradicted()) {
      return this.#moved(draft, known.bootS, 1n);
    }
    return draft;
  }

  /** How to put right what was signed with seconds of this run; undefined while the time is not known. */
  correction(device: ClockCorrection['device'], range: UndatedRange): ClockCorrection | undefined {
    const known = this.#stated ?? this.#known();
    return known === undefined || known.bootS < 0n ? undefined : { device, ...range, ...known };
  }

  #known(): Known | undefined {
    const { unixS, isSynced } = this.#clock.wall();
    return isSynced ? { bootS: unixS - this.#runS(), statement: GENESIS_PREV } : this.#stated;
  }

  /** Both claim to know, and differ: neither is worth signing for. */
  #isContradicted(): boolean {
    const { unixS, isSynced } = this.#clock.wall();
    if (this.#stated === undefined || !isSynced) return false;
    const ahead = unixS - (this.#stated.bootS + this.#runS());
    return ahead > TOLERANCE_S || ahead < -TOLERANCE_S;
  }

  #runS(): bigint {
    return BigInt(Math.floor(this.#clock.monotonicMs() / 1000));
  }

  #moved(draft: ProofDraft, byS: bigint, clockState: ClockState): ProofDraft {
    const endS = atLeastZero(draft.endS + byS);
    const epoch = this.epochOf({ timeS: endS, clockState }, draft.epoch);
    return { ...draft, startS: atLeastZero(draft.startS + byS), endS, clockState, epoch };
  }
}

function atLeastZero(value: bigint): bigint {
  return value < 0n ? 0n : value;
}
