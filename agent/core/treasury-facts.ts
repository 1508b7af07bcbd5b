/** The node's wallet and the passes that it funds, as values. */
import type { Address } from '../../protocol/address.ts';
import type { Hex } from '../../protocol/hex.ts';
import type { TokenAmount } from '../../protocol/units.ts';

/** A pass as it is on record: its code is made from the serial. `tx`: it was funded in. */
export type StoredPass = {
  readonly serial: number;
  readonly address: Address;
  readonly units: TokenAmount;
  readonly madeS: bigint;
  readonly tx?: Hex;
};

/** `unfunded`: a crash or the chain kept its money back; it is never sent again by itself. */
export type PassRow = {
  readonly serial: number;
  /** As printed. Who knows it has the money. */
  readonly code: string;
  readonly address: Address;
  readonly units: TokenAmount;
  readonly madeS: bigint;
  readonly state: 'funding' | 'ready' | 'part-used' | 'used' | 'unfunded' | 'unknown';
  readonly leftUnits?: TokenAmount;
};
export type PassesResult =
  | { readonly ok: true; readonly passes: readonly PassRow[] }
  | { readonly ok: false; readonly reason: string; readonly message: string };

/** Sums are absent, and `trouble` says why, while the chain does not answer. */
export type WalletView = {
  readonly device: Address;
  readonly payee: Address;
  readonly owner?: Address;
  readonly chainId: bigint;
  readonly token: Address;
  /** SSP of the device's account. */
  readonly units?: TokenAmount;
  /** Owed to the payee by the contract, fee included. */
  readonly earnedUnits?: TokenAmount;
  readonly coinWei?: bigint;
  /** Coin below which no channel is opened. */
  readonly floorWei?: bigint;
  /** Guests' deposits in open channels; charged and not claimed yet; promised in opens that are not confirmed. */
  readonly lockedUnits: TokenAmount;
  readonly claimableUnits: TokenAmount;
  readonly pendingUnits: TokenAmount;
  readonly trouble?: string;
};
export type WalletMove = {
  readonly what: 'earnings' | 'own';
  readonly to: Address;
  readonly units: TokenAmount;
  readonly tx: Hex;
  readonly feeWei: bigint;
};
/** What a development chain's faucet gave. */
export type FaucetResult =
  | {
      readonly ok: true;
      readonly to: Address;
      readonly units: TokenAmount;
      readonly tx: Hex;
      readonly feeWei: bigint;
    }
  | { readonly ok: false; readonly reason: string; readonly message: string };
export type WithdrawResult =
  | { readonly ok: true; readonly moves: readonly WalletMove[]; readonly trouble?: string }
  | { readonly ok: false; readonly reason: string; readonly message: string };
