/**
 * apk-tools' binary documents (ADB): values of 32 bits whose high 4 bits are a type and whose low 28 bits are the value
 * itself or the offset of it. Written from the innermost outwards, as offsets point backwards.
 * @see apk-v3(5) of apk-tools 3; src/adb.h names the types
 */

const TYPE = {
  int: 0x1,
  int32: 0x2,
  blob8: 0x8,
  blob16: 0x9,
  blob32: 0xa,
  array: 0xd,
  object: 0xe,
} as const;
const NULL = 0;
/** Low 28 bits. */
const VALUE_LIMIT = 0x10000000;
const HEADER_BYTES = 8;

/** A value in a document, made by one writer and good for that one only. */
export type AdbValue = number & { readonly adb: unique symbol };

export class AdbWriter {
  #bytes = Buffer.alloc(1 << 16);
  // Versions 0 and the root, which comes last.
  #length = HEADER_BYTES;
  readonly #offsets = new Map<string, number>();

  int(value: number): AdbValue {
    if (!Number.isInteger(value) || value < 0 || value > 0xffffffff)
      throw new Error(`adb: ${value} is no 32-bit number`);
    if (value < VALUE_LIMIT) return tagged(TYPE.int, value);
    const bytes = Buffer.alloc(4);
    bytes.writeUInt32LE(value);
    return tagged(TYPE.int32, this.#put(bytes, 4));
  }

  /** Empty is null. */
  blob(content: string | Uint8Array): AdbValue {
    const bytes = Buffer.from(content);
    if (bytes.length === 0) return NULL as AdbValue;
    const [type, width] =
      bytes.length > 0xffff ? [TYPE.blob32, 4] : bytes.length > 0xff ? [TYPE.blob16, 2] : [TYPE.blob8, 1];
    const whole = Buffer.alloc(width + bytes.length);
    whole.writeUIntLE(bytes.length, 0, width);
    bytes.copy(whole, width);
    return tagged(type, this.#put(whole, width));
  }

  /** A blob that stands for itself, so that it can be filled in afterwards. @returns it and where its bytes begin */
  reserve(length: number): { readonly value: AdbValue; readonly at: number } {
    const whole = Buffer.alloc(1 + length);
    whole.writeUInt8(length);
    const offset = this.#append(whole, 1);
    return { value: tagged(TYPE.blob8, offset), at: offset + 1 };
  }

  /** Slots are numbered from 1. Without any it is null. */
  object(slots: Readonly<Record<number, AdbValue>>): AdbValue {
    const last = Math.max(
      0,
      ...Object.entries(slots).flatMap(([slot, value]) => (value === NULL ? [] : [Number(slot)])),
    );
    const values = Array.from({ length: last }, (_, i) => slots[i + 1] ?? NULL);
    return this.#slots(TYPE.object, values);
  }

  array(values: readonly AdbValue[]): AdbValue {
    return this.#slots(TYPE.array, values);
  }

  /** The document with this root. It can be asked for again, e.g. after `fill`. */
  finish(root: AdbValue): Buffer {
    this.#bytes.writeUInt32LE(root >>> 0, 4);
    return Buffer.from(this.#bytes.subarray(0, this.#length));
  }

  fill(at: number, bytes: Uint8Array): void {
    this.#bytes.set(bytes, at);
  }

  #slots(type: number, values: readonly number[]): AdbValue {
    if (values.length === 0) return NULL as AdbValue;
    const bytes = Buffer.alloc(4 * (values.length + 1));
    bytes.writeUInt32LE(values.length + 1);
    for (const [i, value] of values.entries()) bytes.writeUInt32LE(value >>> 0, 4 * (i + 1));
    return tagged(type, this.#put(bytes, 4));
  }

  /** What was written before is pointed to again. */
  #put(bytes: Buffer, alignment: number): number {
    const key = `${alignment}:${bytes.toString('latin1')}`;
    const known = this.#offsets.get(key);
    if (known !== undefined) return known;
    const offset = this.#append(bytes, alignment);
    this.#offsets.set(key, offset);
    return offset;
  }

  #append(bytes: Buffer, alignment: number): number {
    const offset = Math.ceil(this.#length / alignment) * alignment;
    const end = offset + bytes.length;
    if (end >= VALUE_LIMIT) throw new Error('adb: the document is larger than an offset can say (256 MiB)');
    if (end > this.#bytes.length)
      this.#bytes = Buffer.concat([this.#bytes, Buffer.alloc(Math.max(end, this.#bytes.length))]);
    bytes.copy(this.#bytes, offset);
    this.#length = end;
    return offset;
  }
}

function tagged(type: number, value: number): AdbValue {
  return (((type << 28) | value) >>> 0) as AdbValue;
}
