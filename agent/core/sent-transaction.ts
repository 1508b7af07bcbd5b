/**
 * A transaction of the gas key, as the journal keeps it: stored with its signed bytes before anything is sent, so that
 * after a crash the very same bytes go out again and never a second transaction for the same purpose.
 */
import type { Hex } from '../../protocol/hex.ts';

/**
 * sent: on its way, or in nobody's memory any more. mined, reverted: seen in a block that may still be rolled back.
 * replaced: another one with its nonce was mined. final: too deep to be rolled back; the journal keeps only its gas.
 */
export type TransactionState = 'sent' | 'mined' | 'reverted' | 'replaced' | 'final';

export type SentTransaction = {
  readonly hash: Hex;
  readonly nonce: bigint;
  /** Signed, EIP-2718 encoded. */
  readonly raw: Hex;
  /** "open:0x..", "close:0x..", "claim:0x..", "gap:7". Two with one nonce have one purpose. */
  readonly purpose: string;
  readonly state: TransactionState;
  /** Block it was last seen in. */
  readonly block?: bigint;
  /** What it cost, in wei; known once it was mined. */
  readonly feeWei?: bigint;
};
