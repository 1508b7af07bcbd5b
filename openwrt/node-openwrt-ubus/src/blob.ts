/**
 * libubox blob attributes, the layer below blobmsg: u32 big-endian `ext(1) id(7) len(24)`, payload, zero padding to a
 * multiple of 4. `len` counts the header and not the padding; a parent counts the padding of its children.
 * Reading never trusts a length: an attribute that does not fit its parent ends the list, as in libubox.
 */

/** Largest root attribute, header included, that ubusd takes (UBUS_MAX_MSGLEN). */
export const MAX_MESSAGE_LENGTH = 1_048_576;

/** Bytes before the root attribute: version, type, seq, peer. */
export const MESSAGE_HEADER_LENGTH = 8;

const FIRST_CAPACITY = 1_024;
const LARGEST_KEPT = 131_072;
/** Below this a loop here is faster than a call into C++. */
const LONGEST_LOOP = 32;

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
  #bytes = Buffer.allocUnsafeSlow(FIRST_CAPACITY);
  #length = 0;
  /** Where the message being written starts: the limit is one message's. */
  #messageStart = 0;

  /** Bytes written since the last reset. */
  get length(): number {
    return this.#length;
  }

  reset(): void {
    this.#length = 0;
    this.#messageStart = 0;
    // One large message must not hold a megabyte for the life of the connection.
    if (this.#bytes.length > LARGEST_KEPT) this.#bytes = Buffer.allocUnsafeSlow(FIRST_CAPACITY);
  }

  /** Another message follows what was written. Returns where: pass it to truncate() if it can not be finished. */
  startMessage(): number {
    this.#messageStart = this.#length;
    return this.#length;
  }

  truncate(length: number): void {
    this.#length = length;
  }

  /** What was written, without a copy: valid until the next write, unless renew() gives it away. */
  view(): Buffer {
    return this.#bytes.subarray(0, this.#length);
  }

  /** Starts over in fresh memory; the view stays with whoever has it. */
  renew(): void {
    this.#bytes = Buffer.allocUnsafeSlow(FIRST_CAPACITY);
    this.reset();
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
    if (value.length <= LONGEST_LOOP && this.#ascii(value)) return value.length;
    const length = Buffer.byteLength(value);
    this.#reserve(length);
    this.#bytes.write(value, this.#length);
    this.#length += length;
    return length;
  }

  /** Name header of blobmsg: u16 length, name, NUL, padding to 4. Returns the length of the name in bytes. */
  name(value: string): number {
    const start = this.#length;
    this.u16(0);
    const length = this.text(value);
    // A name that is too long is the caller's to refuse.
    this.#bytes.writeUInt16BE(length & 0xffff, start);
    for (let used = length + 2; used < ((length + 6) & ~3); used++) this.u8(0);
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

  /** Writes text that is ASCII; otherwise false, and nothing is written. */
  #ascii(value: string): boolean {
    const { length } = value;
    this.#reserve(length);
    const bytes = this.#bytes;
    const start = this.#length;
    for (let i = 0; i < length; i++) {
      const code = value.charCodeAt(i);
      if (code > 0x7f) return false;
      bytes[start + i] = code;
    }
    this.#length = start + length;
    return true;
  }

  #reserve(count: number): void {
    const needed = this.#length + count;
    if (needed - this.#messageStart > MAX_MESSAGE_LENGTH + MESSAGE_HEADER_LENGTH) {
      throw new RangeError(
        `ubus message must not exceed ${MAX_MESSAGE_LENGTH} bytes: ubusd would close the connection`,
      );
    }
    if (needed <= this.#bytes.length) return;
    const grown = Buffer.allocUnsafeSlow(Math.max(needed, 2 * this.#bytes.length));
    this.#bytes.copy(grown, 0, 0, this.#length);
    this.#bytes = grown;
  }
}
