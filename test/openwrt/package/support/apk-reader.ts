/** Reads an apk of format 3 as its description says (apk-v3(5)), knowing nothing of the writer. */
import { inflateRawSync } from 'node:zlib';

export type Value = number | Buffer | Slots | undefined;
/** Slot 0 is left out of the count by readers: it holds the count itself. */
export interface Slots extends ReadonlyArray<Value> {}

export type Blocks = {
  readonly document: Buffer;
  readonly root: Slots;
  /** Whole blocks, in their order. */
  readonly signatures: readonly Buffer[];
  /** Content by `folder/file`, both counted from 1. */
  readonly data: ReadonlyMap<string, Buffer>;
};

export function readApk(packed: Buffer): Blocks {
  if (packed.toString('latin1', 0, 4) !== 'ADBd') throw new Error('not deflated');
  const bytes = inflateRawSync(packed.subarray(4));
  if (bytes.toString('latin1', 0, 8) !== 'ADB.pckg') throw new Error('not a package');
  const data = new Map<string, Buffer>();
  const signatures: Buffer[] = [];
  let document = Buffer.alloc(0);
  for (let at = 8; at < bytes.length; ) {
    const word = bytes.readUInt32LE(at);
    const [type, size] = [word >>> 30, word & 0x3fffffff];
    const payload = bytes.subarray(at + 4, at + size);
    if (type === 0) document = payload;
    else if (type === 1 && data.size === 0) signatures.push(payload);
    else if (type === 2) data.set(`${payload.readUInt32LE(0)}/${payload.readUInt32LE(4)}`, payload.subarray(8));
    else throw new Error(`block of type ${type}`);
    at += Math.ceil(size / 8) * 8;
  }
  return { document, signatures, root: read(document, document.readUInt32LE(4)) as Slots, data };
}

function read(document: Buffer, value: number): Value {
  const [type, at] = [value >>> 28, value & 0x0fffffff];
  if (value === 0) return undefined;
  if (type === 0x1) return at;
  if (type === 0x2) return document.readUInt32LE(at);
  if (type === 0x8) return document.subarray(at + 1, at + 1 + document.readUInt8(at));
  if (type === 0x9) return document.subarray(at + 2, at + 2 + document.readUInt16LE(at));
  if (type === 0xa) return document.subarray(at + 4, at + 4 + document.readUInt32LE(at));
  if (type !== 0xd && type !== 0xe) throw new Error(`value of type ${type}`);
  const count = document.readUInt32LE(at);
  return Array.from({ length: count }, (_, i) => (i === 0 ? count : read(document, document.readUInt32LE(at + 4 * i))));
}
