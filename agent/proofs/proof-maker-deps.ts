/** What closing and delivering proofs needs. */
import type { AgentConfig } from '../core/config.ts';
import type { Driver, DriverLog } from '../driver.ts';
import type { Clock, Journal, ProofUploader, Signer } from '../ports.ts';

export type ProofMakerDeps = {
  readonly config: AgentConfig;
  readonly driver: Driver;
  readonly journal: Journal;
  readonly clock: Clock;
  readonly signer: Signer;
  readonly uploader?: ProofUploader;
  /** Milliseconds to wait after the n-th failure in a row. */
  readonly retryDelayMs: (attempt: number) => number;
  /**
   * Why no proof may be signed before the collector was asked, or undefined: after the journal was lost a proof could
   * contradict one signed before.
   */
  readonly heldBecause?: string;
  /** Names this run of the agent; seconds of an unset clock count from its start. */
  readonly run?: string;
  readonly log: DriverLog;
};
