/** What the settlement chain says and takes, as values. */
import type { ChannelConfig } from '../../protocol/channel.ts';
import type { SignedAuthorization } from '../../protocol/funding.ts';
import type { Hex } from '../../protocol/hex.ts';
import type { CompactSignature } from '../../protocol/signature.ts';
import type { TokenAmount } from '../../protocol/units.ts';
import type { SignedVoucher } from '../../protocol/voucher.ts';
import type { TickCredit } from './tick-account.ts';

export type ChainFailure = {
  readonly ok: false;
  /** unreachable: try again. refused: the chain said no, trying again will not help. */
  readonly reason: 'unreachable' | 'refused';
  readonly message: string;
  /** Of an open that was refused: what it cost the gas key all the same, 0 if nothing was sent. */
  readonly feeWei?: bigint;
};
export type ChainResult<T> = ({ readonly ok: true } & T) | ChainFailure;

export type ChainChannel = {
  readonly deposit: TokenAmount;
  readonly claimed: TokenAmount;
  /** Unix seconds, 0 = no exit requested. */
  readonly exitAt: bigint;
  readonly isClosed: boolean;
};

/** A transaction that is done, and what it cost the gas key; 0 if another paid for it. */
export type ChainTx = { readonly tx: Hex; readonly feeWei: bigint };

/** A channel that is closed, and what was paid out of it in all: 0 if its payer took the whole deposit back. */
export type ChainClose = ChainTx & { readonly claimedUnits: TokenAmount };

/** `amount` in all, under a voucher of at least as much. */
export type ChainClaim = {
  readonly config: ChannelConfig;
  readonly voucher: SignedVoucher;
  readonly amount: TokenAmount;
};

/** `amount` in all, under a tick voucher and a coin of its chain that promise at least as much. */
export type ChainTickClaim = {
  readonly config: ChannelConfig;
  readonly ticks: TickCredit;
  readonly amount: TokenAmount;
};

/** EIP-2612 and the payer's Open(channelId, amount, deadline). */
export type PermitDeposit = {
  readonly standard: 'eip-2612';
  readonly amount: TokenAmount;
  readonly deadline: bigint;
  readonly permitSignature: CompactSignature;
  readonly openSignature: CompactSignature;
};

/** Permit2, with the channel as witness; the nonce is that of the channel's first deposit. */
export type Permit2Deposit = {
  readonly standard: 'permit2';
  readonly amount: TokenAmount;
  readonly deadline: bigint;
  readonly signature: CompactSignature;
};

/** A deposit that the router relays: EIP-3009, EIP-2612 or Permit2. */
export type OpenDeposit = SignedAuthorization | PermitDeposit | Permit2Deposit;

export type ChainCosts = {
  /** A unit of gas now, tip included. */
  readonly gasPriceWei: bigint;
  /** What the gas key holds. */
  readonly balanceWei: bigint;
};

/** Cumulative units to be claimed in all from one channel; above its voucher: by its ticks. */
export type DueClaim = { readonly channelId: Hex; readonly units: bigint };

export type Settlement = {
  /** A batch is on its way. */
  readonly isClaiming: boolean;
  /** Failures in a row. */
  readonly attempts: number;
  /** Monotonic time before which no other batch is sent. */
  readonly nextMs: number;
};
