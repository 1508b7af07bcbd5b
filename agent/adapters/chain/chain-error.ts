/** What can go wrong between the agent and the chain. Inside the adapter only: the port returns ChainFailure values. */
import type { Hex } from '../../../protocol/hex.ts';
import type { ChainFailure } from '../../ports.ts';

export type ChainErrorCode =
  /** No usable answer: network, timeout, server error, rate limit, garbage. Trying again may help. */
  | 'CHAIN_UNREACHABLE'
  /** The chain, or the node, said no. Trying the same again will not help. */
  | 'CHAIN_REFUSED';

type Details = {
  readonly cause?: unknown;
  /** What a reverted call returned: the contract's error, ABI-encoded. */
  readonly revertData?: Hex | undefined;
  /** The node answered, in proper JSON-RPC, that it will not: it is neither away nor broken. */
  readonly isNodesWord?: boolean;
  /** What was paid for it all the same: it was mined, and reverted. */
  readonly feeWei?: bigint | undefined;
};

export class ChainError extends Error {
  readonly code: ChainErrorCode;
  readonly revertData: Hex | undefined;
  readonly isNodesWord: boolean;
  readonly feeWei: bigint | undefined;

  constructor(code: ChainErrorCode, message: string, details: Details = {}) {
    super(message, { cause: details.cause });
    this.name = 'ChainError';
    this.code = code;
    this.revertData = details.revertData;
    this.isNodesWord = details.isNodesWord ?? false;
    this.feeWei = details.feeWei;
  }
}

export function unreachable(message: string, details: Details = {}): ChainError {
  return new ChainError('CHAIN_UNREACHABLE', message, details);
}

export function refused(message: string, details: Details = {}): ChainError {
  return new ChainError('CHAIN_REFUSED', message, details);
}

/** The port's failure for a thrown ChainError; anything else is a bug and is thrown on. */
export function failureFromError(error: unknown): ChainFailure {
  if (!(error instanceof ChainError)) throw error;
  const { code, message, feeWei } = error;
  const paid = feeWei === undefined ? {} : { feeWei };
  return { ok: false, reason: code === 'CHAIN_REFUSED' ? 'refused' : 'unreachable', message, ...paid };
}
