/** The agent's answers about money, as the command line needs them. */
import * as v from 'valibot';
import { addressSchema, bytes32Schema, uint64Schema } from '../../protocol/schema.ts';
import { weiSchema } from './control-schema.ts';

export const passesSchema = v.object({
  passes: v.array(
    v.object({
      serial: v.pipe(v.number(), v.integer()),
      code: v.string(),
      address: addressSchema,
      units: uint64Schema,
      madeS: uint64Schema,
      state: v.string(),
      leftUnits: v.optional(uint64Schema),
    }),
  ),
});

export const walletSchema = v.object({
  device: addressSchema,
  payee: addressSchema,
  owner: v.optional(addressSchema),
  chainId: uint64Schema,
  token: addressSchema,
  units: v.optional(uint64Schema),
  earnedUnits: v.optional(uint64Schema),
  coinWei: v.optional(weiSchema),
  floorWei: v.optional(weiSchema),
  lockedUnits: uint64Schema,
  claimableUnits: uint64Schema,
  pendingUnits: uint64Schema,
  trouble: v.optional(v.string()),
});

export const faucetSchema = v.object({ to: addressSchema, units: uint64Schema, tx: bytes32Schema, feeWei: weiSchema });

export const withdrawalSchema = v.object({
  moves: v.array(
    v.object({ what: v.string(), to: addressSchema, units: uint64Schema, tx: bytes32Schema, feeWei: weiSchema }),
  ),
  trouble: v.optional(v.string()),
});

export type PassAnswer = v.InferOutput<typeof passesSchema>['passes'][number];
export type WalletAnswer = v.InferOutput<typeof walletSchema>;
export type WithdrawalAnswer = v.InferOutput<typeof withdrawalSchema>;
