/** Decoding tick vouchers and ticks from untrusted JSON; in binary they are frames (payment-frame.ts). */
import * as v from 'valibot';
import { bytesFromHex, type Hex, hexFromBytes } from './hex.ts';
import { MAX_TICKS, type Tick } from './payword.ts';
import { bytes32Schema, type Decoded, decode, signatureSchema, uint32Schema, uint64Schema } from './schema.ts';
import { type SignedTickVoucher, type TickVoucherFault, tickVoucherFault } from './tick-voucher.ts';

/** A coin on its way: {"v":1,"ch":"0x..","i":7,"pre":"0x.."}. */
export type ChannelTick = { readonly channelId: Hex; readonly tick: Tick };
export type TickJson = { readonly v: 1; readonly ch: Hex; readonly i: number; readonly pre: Hex };

export const tickVoucherSchema = v.pipe(
  v.strictObject({
    v: v.literal(1),
    ch: bytes32Schema,
    amt: uint64Schema,
    anchor: bytes32Schema,
    tickValue: uint32Schema,
    ticks: uint32Schema,
    sig: signatureSchema,
  }),
  v.transform(
    ({ ch, amt, anchor, tickValue, ticks, sig }): SignedTickVoucher => ({
      channelId: ch,
      amount: amt,
      anchor,
      tickValue,
      ticks,
      signature: sig,
    }),
  ),
  v.check((voucher) => tickVoucherFault(voucher) === undefined, faultText),
);

export const tickSchema = v.pipe(
  v.strictObject({
    v: v.literal(1),
    ch: bytes32Schema,
    i: v.pipe(
      v.number(),
      v.check((index) => Number.isInteger(index) && index >= 1 && index <= MAX_TICKS, `integer of 1..${MAX_TICKS}`),
    ),
    pre: bytes32Schema,
  }),
  v.transform(({ ch, i, pre }): ChannelTick => ({ channelId: ch, tick: { index: i, preimage: bytesFromHex(pre) } })),
);

/** The whole voucher is what is refused: what was got stands in the text. */
function faultText({ input }: { readonly input: SignedTickVoucher }): string {
  const { expected, got } = tickVoucherFault(input) as TickVoucherFault;
  return `${expected}, got ${got}`;
}

export function decodeTickVoucher(input: unknown): Decoded<SignedTickVoucher> {
  return decode(tickVoucherSchema, input);
}

export function decodeTick(input: unknown): Decoded<ChannelTick> {
  return decode(tickSchema, input);
}

export function tickJsonFromTick({ channelId, tick }: ChannelTick): TickJson {
  return { v: 1, ch: channelId, i: tick.index, pre: hexFromBytes(tick.preimage) };
}
