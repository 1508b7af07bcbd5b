/** The agent's answers as the command line needs them. More fields may come; `--json` passes everything through. */
import * as v from 'valibot';
import { addressSchema, bytes32Schema, uint64Schema } from '../../protocol/schema.ts';

const count = v.pipe(v.number(), v.integer(), v.minValue(0));
const millis = v.pipe(v.number(), v.minValue(0));

/** Coin is counted in wei, which outgrows 64 bits at 18 coins. */
export const weiSchema = v.pipe(
  v.string(),
  v.regex(/^[0-9]{1,60}$/),
  v.transform((text): bigint => BigInt(text)),
);

export const statusSchema = v.object({
  version: v.string(),
  uptimeMs: millis,
  device: addressSchema,
  payee: addressSchema,
  notSelling: v.optional(v.string()),
  sessions: count,
  openChannels: count,
  earnedUnits: uint64Schema,
  settledUnits: uint64Schema,
  gasWei: weiSchema,
  openFeeUnits: uint64Schema,
  downBytes: uint64Schema,
  upBytes: uint64Schema,
  proofs: v.object({ closed: count, acknowledged: count, waiting: count }),
  isBusConnected: v.boolean(),
  isClockSynced: v.boolean(),
  health: v.optional(
    v.array(v.object({ check: v.string(), ok: v.boolean(), message: v.string(), fix: v.optional(v.string()) })),
  ),
});

export const sessionsSchema = v.object({
  sessions: v.array(
    v.object({
      id: count,
      macs: v.array(v.string()),
      addresses: v.array(v.string()),
      phase: v.string(),
      channelId: v.optional(bytes32Schema),
      downBytes: uint64Schema,
      upBytes: uint64Schema,
      onlineMs: millis,
      chargedUnits: uint64Schema,
      creditUnits: uint64Schema,
      bytesRemaining: uint64Schema,
    }),
  ),
});

export const channelsSchema = v.object({
  channels: v.array(
    v.object({
      id: bytes32Schema,
      phase: v.string(),
      mode: v.string(),
      deposit: uint64Schema,
      voucher: v.object({ amount: uint64Schema }),
      config: v.object({ payer: addressSchema, expiry: uint64Schema }),
      claimedUnits: v.optional(uint64Schema),
      closeUnits: v.optional(uint64Schema),
      gasWei: v.optional(weiSchema),
      openTx: v.optional(bytes32Schema),
      closeTx: v.optional(bytes32Schema),
    }),
  ),
});

export const proofsSchema = v.object({
  proofs: v.array(
    v.object({
      digest: bytes32Schema,
      proof: v.object({
        seq: uint64Schema,
        startS: uint64Schema,
        endS: uint64Schema,
        bytesDown: uint64Schema,
        bytesUp: uint64Schema,
        paid: uint64Schema,
        clockState: uint64Schema,
      }),
      receipt: v.optional(v.object({ verdict: v.string() })),
    }),
  ),
});

export const earningsSchema = v.object({
  days: v.array(
    v.object({
      date: v.string(),
      meteredBytes: uint64Schema,
      paidBytes: uint64Schema,
      paidUnits: uint64Schema,
      provenBytes: uint64Schema,
      acceptedBytes: uint64Schema,
      rewardedBytes: uint64Schema,
      rewardedUnits: v.optional(uint64Schema),
      losses: v.array(
        v.object({ before: v.string(), reason: v.string(), bytes: uint64Schema, what: v.string(), todo: v.string() }),
      ),
    }),
  ),
  weeks: v.array(
    v.object({ epoch: uint64Schema, claimedUnits: uint64Schema, rewardUnits: uint64Schema, state: v.string() }),
  ),
  sessions: v.array(
    v.object({
      id: count,
      meteredBytes: uint64Schema,
      chargedUnits: uint64Schema,
      freeBytes: uint64Schema,
      openBytes: uint64Schema,
      unsignedBytes: uint64Schema,
      waitingBytes: uint64Schema,
      judgedBytes: uint64Schema,
    }),
  ),
  undatedBytes: uint64Schema,
  heldBecause: v.optional(v.string()),
});

export const endedSchema = v.object({ ended: count });

export type StatusAnswer = v.InferOutput<typeof statusSchema>;
export type SessionAnswer = v.InferOutput<typeof sessionsSchema>['sessions'][number];
export type ChannelAnswer = v.InferOutput<typeof channelsSchema>['channels'][number];
export type ProofAnswer = v.InferOutput<typeof proofsSchema>['proofs'][number];
export type EarningsAnswer = v.InferOutput<typeof earningsSchema>;
