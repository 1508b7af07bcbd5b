/**
 * A payment as a binary frame of fixed length: a voucher, a tick or a tick voucher. The wire form for transports that carry
 * bytes, such as a WebSocket; the portal of today takes the same as JSON (voucher-wire.ts, tick-wire.ts). Integers are
 * big-endian.
 *
 *   0x01 voucher       channelId 32 | amount u64 | ack u64 | sig 64                              113 bytes
 *   0x02 tick          first 8 bytes of the channelId | index u32 | preimage 32                   45 bytes
 *   0x03 tick voucher  channelId 32 | amount u64 | anchor 32 | tickValue u32 | ticks u32 | sig 64 145 bytes
 */
import { bytesFromHex, bytesFromUint, concatBytes, type Hex, hexFromBytes, uintFromBytes } from './hex.ts';
import { MAX_TICKS, type Tick } from './payword.ts';
import type { Decoded, Refusal } from './schema.ts';
import { type SignedTickVoucher, tickVoucherFault } from './tick-voucher.ts';
import type { SignedVoucher } from './voucher.ts';

export type PaymentFrame =
  | { readonly kind: 'voucher'; readonly voucher: SignedVoucher }
  /** `channelPrefix`: 8 bytes; a connection has few channels, so they name one. */
  | { readonly kind: 'tick'; readonly channelPrefix: Hex; readonly tick: Tick }
  | { readonly kind: 'tickVoucher'; readonly tickVoucher: SignedTickVoucher };

export const CHANNEL_PREFIX_BYTES = 8;
const VOUCHER = { type: 0x01, length: 113 } as const;
const TICK = { type: 0x02, length: 45 } as const;
const TICK_VOUCHER = { type: 0x03, length: 145 } as const;
const LENGTHS = new Map<number | undefined, number>(
  [VOUCHER, TICK, TICK_VOUCHER].map(({ type, length }) => [type, length]),
);

/** The 8 bytes that stand for a channel in its ticks. */
export function channelPrefix(channelId: Hex): Hex {
  return channelId.slice(0, 2 + 2 * CHANNEL_PREFIX_BYTES) as Hex;
}

export function encodePaymentFrame(frame: PaymentFrame): Uint8Array {
  switch (frame.kind) {
    case 'voucher':
      return concatBytes(
        new Uint8Array([VOUCHER.type]),
        bytesFromHex(frame.voucher.channelId),
        bytesFromUint(frame.voucher.amount, 8),
        bytesFromUint(frame.voucher.ackBytes, 8),
        bytesFromHex(frame.voucher.signature),
      );
    case 'tick':
      return concatBytes(
        new Uint8Array([TICK.type]),
        bytesFromHex(frame.channelPrefix),
        bytesFromUint(BigInt(frame.tick.index), 4),
        frame.tick.preimage,
      );
    case 'tickVoucher':
      return concatBytes(
        new Uint8Array([TICK_VOUCHER.type]),
        bytesFromHex(frame.tickVoucher.channelId),
        bytesFromUint(frame.tickVoucher.amount, 8),
        bytesFromHex(frame.tickVoucher.anchor),
        bytesFromUint(frame.tickVoucher.tickValue, 4),
        bytesFromUint(frame.tickVoucher.ticks, 4),
        bytesFromHex(frame.tickVoucher.signature),
      );
  }
}

/** Decodes one frame; a refusal names path, expected and got. Never throws on any bytes. */
export function decodePaymentFrame(bytes: Uint8Array): Decoded<PaymentFrame> {
  const length = LENGTHS.get(bytes[0]);
  if (length === undefined) {
    const got = bytes[0] === undefined ? 'no bytes' : `0x${bytes[0].toString(16).padStart(2, '0')}`;
    return refused({ path: 'type', expected: '0x01 voucher, 0x02 tick or 0x03 tick voucher', got });
  }
  if (bytes.length !== length) return refused({ path: '', expected: `${length} bytes`, got: `${bytes.length} bytes` });
  if (bytes[0] === VOUCHER.type) return { ok: true, value: voucherFrame(bytes) };
  return bytes[0] === TICK.type ? tickFrame(bytes) : tickVoucherFrame(bytes);
}

function voucherFrame(bytes: Uint8Array): PaymentFrame {
  const voucher = {
    channelId: hexFromBytes(bytes.subarray(1, 33)),
    amount: uintFromBytes(bytes.subarray(33, 41)),
    ackBytes: uintFromBytes(bytes.subarray(41, 49)),
    signature: hexFromBytes(bytes.subarray(49)),
  };
  return { kind: 'voucher', voucher };
}

function tickFrame(bytes: Uint8Array): Decoded<PaymentFrame> {
  const index = Number(uintFromBytes(bytes.subarray(9, 13)));
  if (index < 1 || index > MAX_TICKS) {
    return refused({ path: 'index', expected: `integer of 1..${MAX_TICKS}`, got: `${index}` });
  }
  const tick = { index, preimage: bytes.slice(13) };
  return { ok: true, value: { kind: 'tick', channelPrefix: hexFromBytes(bytes.subarray(1, 9)), tick } };
}

function tickVoucherFrame(bytes: Uint8Array): Decoded<PaymentFrame> {
  const tickVoucher = {
    channelId: hexFromBytes(bytes.subarray(1, 33)),
    amount: uintFromBytes(bytes.subarray(33, 41)),
    anchor: hexFromBytes(bytes.subarray(41, 73)),
    tickValue: uintFromBytes(bytes.subarray(73, 77)),
    ticks: uintFromBytes(bytes.subarray(77, 81)),
    signature: hexFromBytes(bytes.subarray(81)),
  };
  const fault = tickVoucherFault(tickVoucher);
  if (fault === undefined) return { ok: true, value: { kind: 'tickVoucher', tickVoucher } };
  return refused({ path: 'tickVoucher', ...fault });
}

function refused(refusal: Refusal): Decoded<PaymentFrame> {
  return { ok: false, ...refusal };
}
