/**
 * The guest's request to open a channel: the router's own quote handed back, the channel's config, the first voucher, and
 * how the deposit gets there: by one of three signatures that the router relays, or by the payer's own transaction.
 */
import * as v from 'valibot';
import type { ChannelConfig } from './channel.ts';
import { channelConfigSchema } from './channel-wire.ts';
import type { SignedQuote } from './quote.ts';
import {
  addressSchema,
  bytes32Schema,
  type Decoded,
  decode,
  signatureSchema,
  uint40Schema,
  uint64Schema,
} from './schema.ts';
import type { CompactSignature } from './signature.ts';
import type { TokenAmount } from './units.ts';
import type { SignedVoucher } from './voucher.ts';
import { voucherSchema } from './voucher-wire.ts';

/**
 * hold: the voucher is a ceiling for a package, the router claims what was used.
 * stream: the page stays open and signs exact vouchers as it goes.
 */
export type PaymentMode = 'hold' | 'stream';

/** What every open says, however it is paid. */
export type OpenTerms = {
  readonly mode: PaymentMode;
  readonly quote: SignedQuote;
  readonly config: ChannelConfig;
  readonly deposit: TokenAmount;
  readonly voucher: SignedVoucher;
};

/** EIP-3009 (funding.ts): one signature of the payer moves the deposit. What a pass code signs. */
export type OpenRequest = OpenTerms & {
  readonly authorization: {
    readonly validAfter: bigint;
    readonly validBefore: bigint;
    readonly signature: CompactSignature;
  };
};

/** EIP-2612 (permit.ts), which binds no channel, and the payer's Open(channelId, deposit, deadline), which does. */
export type PermitOpenRequest = OpenTerms & {
  readonly permit: {
    /** Of both signatures. */
    readonly deadline: bigint;
    readonly signature: CompactSignature;
    readonly openSignature: CompactSignature;
  };
};

/** Permit2 (permit.ts): for tokens without any permit whose payer has once approved Permit2. */
export type Permit2OpenRequest = OpenTerms & {
  readonly permit2: { readonly deadline: bigint; readonly signature: CompactSignature };
};

/** The payer's wallet opens the channel itself (approve, then open); the router watches for it and relays nothing. */
export type PullOpenRequest = OpenTerms & { readonly pull: true };

export type AnyOpenRequest = OpenRequest | PermitOpenRequest | Permit2OpenRequest | PullOpenRequest;

const quoteSchema = v.strictObject({
  device: addressSchema,
  payee: addressSchema,
  token: addressSchema,
  unitsPerMb: uint64Schema,
  unitsPerMinute: uint64Schema,
  minDeposit: uint64Schema,
  openFee: uint64Schema,
  exitDelay: uint40Schema,
  expiry: uint40Schema,
  validUntil: uint40Schema,
  nonce: bytes32Schema,
  signature: signatureSchema,
});

const fundingKinds = ['authorization', 'permit', 'permit2', 'pull'] as const;

export const openRequestSchema = v.pipe(
  v.strictObject({
    v: v.literal(1),
    mode: v.picklist(['hold', 'stream']),
    quote: quoteSchema,
    config: channelConfigSchema,
    deposit: uint64Schema,
    authorization: v.optional(
      v.strictObject({ validAfter: uint64Schema, validBefore: uint64Schema, signature: signatureSchema }),
    ),
    permit: v.optional(
      v.strictObject({ deadline: uint64Schema, signature: signatureSchema, openSignature: signatureSchema }),
    ),
    permit2: v.optional(v.strictObject({ deadline: uint64Schema, signature: signatureSchema })),
    pull: v.optional(v.literal(true)),
    voucher: voucherSchema,
  }),
  v.check(
    (request) => fundingKinds.filter((kind) => request[kind] !== undefined).length === 1,
    'exactly one of authorization, permit, permit2, pull',
  ),
  // The check above leaves exactly one of them, which the type system does not see.
  v.transform(({ v: _version, ...request }) => request as AnyOpenRequest),
);

export function decodeOpenRequest(input: unknown): Decoded<AnyOpenRequest> {
  return decode(openRequestSchema, input);
}
