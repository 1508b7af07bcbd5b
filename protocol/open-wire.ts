/**
 * The guest's request to open a channel, relayed by the router: the router's own quote handed back, the channel's config,
 * an EIP-3009 authorisation of the deposit, and the first voucher. A pass code holder needs nothing else.
 */
import * as v from 'valibot';
import type { ChannelConfig } from './channel.ts';
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

export type OpenRequest = {
  readonly mode: PaymentMode;
  readonly quote: SignedQuote;
  readonly config: ChannelConfig;
  readonly deposit: TokenAmount;
  readonly authorization: {
    readonly validAfter: bigint;
    readonly validBefore: bigint;
    readonly signature: CompactSignature;
  };
  readonly voucher: SignedVoucher;
};

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

const configSchema = v.strictObject({
  payer: addressSchema,
  signer: addressSchema,
  payee: addressSchema,
  device: addressSchema,
  expiry: uint40Schema,
  exitDelay: uint40Schema,
  salt: bytes32Schema,
});

export const openRequestSchema = v.pipe(
  v.strictObject({
    v: v.literal(1),
    mode: v.picklist(['hold', 'stream']),
    quote: quoteSchema,
    config: configSchema,
    deposit: uint64Schema,
    authorization: v.strictObject({
      validAfter: uint64Schema,
      validBefore: uint64Schema,
      signature: signatureSchema,
    }),
    voucher: voucherSchema,
  }),
  v.transform(({ v: _version, ...request }): OpenRequest => request),
);

export function decodeOpenRequest(input: unknown): Decoded<OpenRequest> {
  return decode(openRequestSchema, input);
}
