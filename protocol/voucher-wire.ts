/** Decoding a voucher from untrusted JSON; encoding is voucherJsonFromVoucher in voucher.ts. */
import * as v from 'valibot';
import { bytes32Schema, type Decoded, decode, signatureSchema, uint64Schema } from './schema.ts';
import type { SignedVoucher } from './voucher.ts';

export const voucherSchema = v.pipe(
  v.strictObject({
    v: v.literal(1),
    ch: bytes32Schema,
    amt: uint64Schema,
    ack: uint64Schema,
    sig: signatureSchema,
  }),
  v.transform(
    (wire): SignedVoucher => ({ channelId: wire.ch, amount: wire.amt, ackBytes: wire.ack, signature: wire.sig }),
  ),
);

export function decodeVoucher(input: unknown): Decoded<SignedVoucher> {
  return decode(voucherSchema, input);
}
