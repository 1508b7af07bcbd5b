/** What routers of one owner send each other, as JSON: amounts, bytes and times as decimal strings. */
import * as v from 'valibot';
import { type Address, ZERO_ADDRESS } from './address.ts';
import type { ChannelConfig } from './channel.ts';
import { channelConfigSchema } from './channel-wire.ts';
import type { CarriedChannel, HandOver, RoamingQuery, SignedCarriedChannel, SignedRoamingQuery } from './hand-over.ts';
import type { Hex } from './hex.ts';
import { addressSchema, bytes32Schema, type Decoded, decode, signatureSchema, uint64Schema } from './schema.ts';
import type { CompactSignature } from './signature.ts';
import { anchorTick, tickVoucherJsonFromTickVoucher } from './tick-voucher.ts';
import { tickJsonFromTick, tickSchema, tickVoucherSchema } from './tick-wire.ts';
import { voucherJsonFromVoucher } from './voucher.ts';
import { voucherSchema } from './voucher-wire.ts';

/** What a router says it serves: the channel as the guest knows it, and the number that its next hand-over takes. */
export type ServedChannel = { readonly config: ChannelConfig; readonly sequence: bigint };

const handOverSchema = v.strictObject({
  channelId: bytes32Schema,
  sequence: uint64Schema,
  from: addressSchema,
  to: addressSchema,
  deposit: uint64Schema,
  amount: uint64Schema,
  charged: uint64Schema,
  downBytes: uint64Schema,
  upBytes: uint64Schema,
  onlineMs: uint64Schema,
  trialBytes: uint64Schema,
  unitsPerMb: uint64Schema,
  unitsPerMinute: uint64Schema,
  openFee: uint64Schema,
  mode: v.picklist(['hold', 'stream']),
  isOver: v.boolean(),
}) satisfies v.GenericSchema<unknown, HandOver>;

const carriedSchema = v.pipe(
  v.strictObject({
    v: v.literal(1),
    handOver: handOverSchema,
    config: channelConfigSchema,
    voucher: voucherSchema,
    ticks: v.optional(v.strictObject({ voucher: tickVoucherSchema, last: v.nullable(tickSchema) })),
    sig: v.optional(signatureSchema),
  }),
  v.transform(({ handOver, config, voucher, ticks, sig }) => {
    const credit =
      ticks === undefined
        ? {}
        : { ticks: { voucher: ticks.voucher, last: ticks.last?.tick ?? anchorTick(ticks.voucher) } };
    return { carried: { handOver, config, voucher, ...credit } as CarriedChannel, signature: sig };
  }),
);

const querySchema = v.pipe(
  v.strictObject({
    v: v.literal(1),
    asker: addressSchema,
    asked: addressSchema,
    signer: addressSchema,
    channelId: bytes32Schema,
    sequence: uint64Schema,
    sig: signatureSchema,
  }),
  v.transform(({ v: _, sig, ...query }): SignedRoamingQuery => ({ ...query, signature: sig })),
);

const servedSchema = v.pipe(
  v.strictObject({ v: v.literal(1), config: channelConfigSchema, sequence: uint64Schema }),
  v.transform(({ config, sequence }): ServedChannel => ({ config, sequence })),
);

const takenSchema = v.pipe(
  v.strictObject({ v: v.literal(1), sig: signatureSchema }),
  v.transform(({ sig }): CompactSignature => sig),
);

/** `signature` is left out of what a router writes down for itself. */
export function carriedText(carried: CarriedChannel, signature?: CompactSignature): string {
  const { handOver, config, voucher, ticks } = carried;
  const coin =
    ticks === undefined || ticks.last.index === 0 ? null : { channelId: handOver.channelId, tick: ticks.last };
  return text({
    v: 1,
    handOver,
    config,
    voucher: voucherJsonFromVoucher(voucher),
    ...(ticks === undefined
      ? {}
      : {
          ticks: {
            voucher: tickVoucherJsonFromTickVoucher(ticks.voucher),
            last: coin === null ? null : tickJsonFromTick(coin),
          },
        }),
    ...(signature === undefined ? {} : { sig: signature }),
  });
}

export function decodeCarried(input: unknown): Decoded<CarriedChannel> {
  const decoded = decode(carriedSchema, input);
  return decoded.ok ? { ok: true, value: decoded.value.carried } : decoded;
}

export function decodeSignedCarried(input: unknown): Decoded<SignedCarriedChannel> {
  const decoded = decode(carriedSchema, input);
  if (!decoded.ok) return decoded;
  const { carried, signature } = decoded.value;
  if (signature === undefined) return { ok: false, path: 'sig', expected: 'a signature', got: 'undefined' };
  return { ok: true, value: { ...carried, signature } };
}

export function queryText({ signature, ...query }: SignedRoamingQuery): string {
  return text({ v: 1, ...(query satisfies RoamingQuery), sig: signature });
}

export function decodeQuery(input: unknown): Decoded<SignedRoamingQuery> {
  return decode(querySchema, input);
}

export function servedText({ config, sequence }: ServedChannel): string {
  return text({ v: 1, config, sequence });
}

export function decodeServed(input: unknown): Decoded<ServedChannel> {
  return decode(servedSchema, input);
}

export function takenText(signature: CompactSignature): string {
  return text({ v: 1, sig: signature });
}

export function decodeTaken(input: unknown): Decoded<CompactSignature> {
  return decode(takenSchema, input);
}

/** Zeros, where a query names no guest or no channel. */
export const NOBODY: Address = ZERO_ADDRESS;
export const NO_CHANNEL: Hex = `0x${'00'.repeat(32)}`;

function text(value: object): string {
  return JSON.stringify(value, (_, field: unknown) => (typeof field === 'bigint' ? field.toString() : field));
}
