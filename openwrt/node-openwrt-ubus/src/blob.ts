/**
 * libubox blob attributes, the layer below blobmsg: u32 big-endian `ext(1) id(7) len(24)`, payload, zero padding to a
 * multiple of 4. `len` counts the header and not the padding; a parent counts the padding of its children.
 * Reading never trusts a length: an attribute that does not fit its parent ends the list, as in libubox.
 */

/** Largest root attribute, header included, that ubusd takes (UBUS_MAX_MSGLEN). */
export const MAX_MESSAGE_LENGTH = 1_048_576;

/** Bytes before the root attribute: version, type, seq, peer. */
export const MESSAGE_HEADER_LENGTH = 8;

const FIRST_CAPACITY = 1024;

/** One attribute as it stands on the wire; `payload` is a view, valid as long as the buffer it was read from. */
export type BlobAttribute = { readonly id: number; readonly isExtended: boolean; readonly payload: Buffer };

/** Calls `visit` with id, extended flag, first and last (exclusive) payload offset of each attribute in bytes[start, end). */
export function visitAttributes(
  bytes: Buffer,
  start: number,
  end: number,
  visit: (id: number, isExtended: boolean, payloadStart: number, payloadEnd: number) => void,
): void {
  let offset = start;
  while (end - offset >= 4) {
    const head = bytes.readUInt32BE(offset);
    const length = head & 0xffffff;
    // The padded length must fit too: libubox loses a last child that was left unpadded.
    const padded = (length + 3) & ~3;
    if (length < 4 || padded > end - offset) return;
    visit((head >>> 24) & 0x7f, head >>> 31 === 1, offset + 4, offset + length);
    offset += padded;
  }
}

/** All attributes of a payload, in wire order. */
export function attributesFromBytes(bytes: Buffer): BlobAttribute[] {
  const attributes: BlobAttribute[] = [];
  visitAttributes(bytes, 0, bytes.length, (id, isExtended, start, end) => {
    attributes.push({ id, isExtended, payload: bytes.subarray(start, end) });
  });
  return attributes;
}

/** Writes attributes into one growing buffer; reused for every message of a connection. */
export class BlobWriter {
  #bytes = Buffer.allocUnsafe(FIRST_CAPACITY);
  #length = 0;

  reset(): void {
    this.#length = 0;
    // One large message must not hold a megabyte for the life of the connection.
    if (this.#bytes.length > 64 * FIRST_CAPACITY) this.#bytes = Buffer.allocUnsafe(FIRST_CAPACITY);
  }

  /** Starts an attribute and returns where: pass it to end(). */
  begin(id: number, isExtended: boolean): number {
    const start = this.#length;
    this.u32(((isExtended ? 0x80 : 0) | id) * 0x1000000);
    return start;
  }

  /** Sets the length of the attribute begun at `start` and pads it. */
  end(start: number): void {
    const head = this.#bytes.readUInt32BE(start);
    this.#bytes.writeUInt32BE(head + (this.#length - start), start);
    while (this.#length % 4 !== 0) this.u8(0);
  }

  u8(value: number): void {
    this.#reserve(1);
    this.#bytes[this.#length] = value;
    this.#length += 1;
  }

  u16(value: number): void {
    this.#reserve(2);
    this.#bytes.writeUInt16BE(value, this.#length);
    this.#length += 2;
  }

  u32(value: number): void {
    this.#reserve(4);
    this.#bytes.writeUInt32BE(value, this.#length);
    this.#length += 4;
  }

  i64(value: bigint): void {
    this.#reserve(8);
    this.#bytes.writeBigInt64BE(value, this.#length);
    this.#length += 8;
  }

  f64(value: number): void {
    this.#reserve(8);
    this.#bytes.writeDoubleBE(value, this.#length);
    this.#length += 8;
  }

  /** UTF-8 without a terminator. Returns the number of bytes. */
  text(value: string): number {
    const length = Buffer.byteLength(value);
    this.#reserve(length);
    this.#bytes.write(value, this.#length);
    this.#length += length;
    return length;
  }

  raw(value: Uint8Array): void {
    this.#reserve(value.length);
    this.#bytes.set(value, this.#length);
    this.#length += value.length;
  }

  /** A copy of what was written. */
  bytes(): Buffer {
    return Buffer.from(this.#bytes.subarray(0, this.#length));
  }

  #reserve(count: number): void {
    const needed = this.#length + count;
    if (needed <= this.#bytes.length) return;
    if (needed > MAX_MESSAGE_LENGTH + MESSAGE_HEADER_LENGTH) {
      throw new RangeError(
        `ubus message must not exceed ${MAX_MESSAGE_LENGTH} bytes: ubusd would close the connection`,
      );
    }
    const grown = Buffer.allocUnsafe(Math.max(needed, 2 * this.#bytes.length));
    this.#bytes.copy(grown, 0, 0, this.#length);
    this.#bytes = grown;
  }
}
