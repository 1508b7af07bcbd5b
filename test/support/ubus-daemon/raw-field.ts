/** Fields of a blobmsg table as they stand on the wire: the daemon hands on what it does not understand. */
import { visitAttributes } from '../../../openwrt/node-openwrt-ubus/src/blob.ts';

export type RawField = {
  readonly name: string;
  readonly type: number;
  /** Bytes behind the name. */
  readonly value: Buffer;
  /** Header, name, value and padding. */
  readonly whole: Buffer;
};

/** All fields of a table's bytes; views into them. */
export function rawFieldsFromBytes(bytes: Buffer): RawField[] {
  const fields: RawField[] = [];
  visitAttributes(bytes, 0, bytes.length, (type, isExtended, start, end) => {
    if (!isExtended || end - start < 4) return;
    const nameLength = bytes.readUInt16BE(start);
    const valueStart = start + ((nameLength + 6) & ~3);
    if (valueStart > end) return;
    fields.push({
      name: bytes.toString('utf8', start + 2, start + 2 + nameLength),
      type,
      value: bytes.subarray(valueStart, end),
      whole: bytes.subarray(start - 4, (end + 3) & ~3),
    });
  });
  return fields;
}

/** The first field of this name and type, as blobmsg_parse takes it. */
export function rawField(bytes: Buffer, name: string, type: number): Buffer | undefined {
  return rawFieldsFromBytes(bytes).find((field) => field.name === name && field.type === type)?.value;
}
