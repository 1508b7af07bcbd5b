/**
 * blobmsg: named, typed values inside DATA and SIGNATURE. Extended blob attributes whose id is the type and whose payload
 * is a name header (u16 length, name, NUL, padding to 4) and a value.
 *
 * From plain JavaScript values the type follows the ubus command: boolean = INT8, integer = INT32 or INT64, fraction =
 * DOUBLE, null = UNSPEC; bigint is always INT64. A service ignores an argument whose type is not exactly what it expects,
 * so where the guess is wrong say it: double(2), int64(5), int16(7), int8(1).
 */
import { type BlobWriter, visitAttributes } from './blob.ts';
import { nameFromBytes, textFromBytes } from './c-text.ts';

export const BlobmsgType = {
  UNSPEC: 0,
  ARRAY: 1,
  TABLE: 2,
  STRING: 3,
  INT64: 4,
  INT32: 5,
  INT16: 6,
  INT8: 7,
  DOUBLE: 8,
} as const;
export type BlobmsgTypeId = (typeof BlobmsgType)[keyof typeof BlobmsgType];

/** A value as received. INT8 is a boolean, INT16 and INT32 are signed numbers, INT64 is a bigint. */
export type BlobmsgValue = null | boolean | number | bigint | string | readonly BlobmsgValue[] | BlobmsgTable;
export type BlobmsgTable = { readonly [name: string]: BlobmsgValue };

/** A value to send. Fields that are undefined are left out. */
export type BlobmsgInput =
  | null
  | boolean
  | number
  | bigint
  | string
  | TypedNumber
  | readonly BlobmsgInput[]
  | BlobmsgInputTable;
export type BlobmsgInputTable = { readonly [name: string]: BlobmsgInput | undefined };

/** A field with its exact type: what the wire holds and nothing guessed. */
export type BlobmsgField = { readonly name: string; readonly type: BlobmsgTypeId; readonly value: FieldValue };
export type FieldValue = null | number | bigint | string | readonly BlobmsgField[];

/** json-c, by which the ubus command and rpcd read, refuses deeper nesting (JSON_TOKENER_DEFAULT_DEPTH). */
export const MAX_DEPTH = 32;

/** A number with an explicit wire type. */
export class TypedNumber {
  readonly type: BlobmsgTypeId;
  readonly value: number | bigint;

  constructor(type: BlobmsgTypeId, value: number | bigint) {
    this.type = type;
    this.value = value;
  }
}

/** One byte, 0..255; ubus uses it for booleans. */
export function int8(value: number): TypedNumber {
  return new TypedNumber(BlobmsgType.INT8, checkedInteger(value, 0, 255, 'int8'));
}

export function int16(value: number): TypedNumber {
  return new TypedNumber(BlobmsgType.INT16, checkedInteger(value, -32_768, 32_767, 'int16'));
}

export function int64(value: number | bigint): TypedNumber {
  return new TypedNumber(BlobmsgType.INT64, BigInt(value));
}

export function double(value: number): TypedNumber {
  return new TypedNumber(BlobmsgType.DOUBLE, value);
}

/** Writes the fields of a table (without a header of its own). @throws RangeError for what blobmsg cannot hold. */
export function writeTable(writer: BlobWriter, table: BlobmsgInputTable): void {
  writeTableAt(writer, table, 1);
}

/** Writes fields with their exact types: the inverse of fieldsFromBytes. */
export function writeFields(writer: BlobWriter, fields: readonly BlobmsgField[]): void {
  for (const field of fields) {
    const start = beginField(writer, field.name, field.type);
    if (isFieldList(field.value)) writeFields(writer, field.value);
    else writeScalar(writer, field.type, field.value);
    writer.end(start);
  }
}

/** Decodes the payload of DATA or SIGNATURE. @throws BlobmsgError if it is not blobmsg. */
export function tableFromBytes(bytes: Buffer): BlobmsgTable {
  return readTable(bytes, 0, bytes.length, 1);
}

/** Decodes with exact types. @throws BlobmsgError if it is not blobmsg. */
export function fieldsFromBytes(bytes: Buffer): BlobmsgField[] {
  return readFields(bytes, 0, bytes.length, 1);
}

/** Plain values of typed fields; of two fields with one name the later wins. */
export function tableFromFields(fields: readonly BlobmsgField[]): BlobmsgTable {
  const table: Record<string, BlobmsgValue> = {};
  for (const field of fields) setField(table, field.name, plainValue(field));
  return table;
}

function setField(table: Record<string, BlobmsgValue>, name: string, value: BlobmsgValue): void {
  // Assigning to "__proto__" would change the prototype instead of adding a field.
  if (name === '__proto__')
    Object.defineProperty(table, name, { value, enumerable: true, configurable: true, writable: true });
  else table[name] = value;
}

function plainValue(field: BlobmsgField): BlobmsgValue {
  const { type, value } = field;
  if (isFieldList(value)) return type === BlobmsgType.ARRAY ? value.map(plainValue) : tableFromFields(value);
  return type === BlobmsgType.INT8 ? value !== 0 : value;
}

function isFieldList(value: FieldValue): value is readonly BlobmsgField[] {
  return Array.isArray(value);
}

/** What stands in bytes[start, end), as the caller of a method wants it. The same as tableFromFields(fieldsFromBytes()). */
function readTable(bytes: Buffer, start: number, end: number, depth: number): BlobmsgTable {
  const table: Record<string, BlobmsgValue> = {};
  visitFields(bytes, start, end, depth, (name, type, valueStart, valueEnd) => {
    setField(table, name, readPlain(bytes, type, valueStart, valueEnd, depth));
  });
  return table;
}

function readPlain(bytes: Buffer, type: BlobmsgTypeId, start: number, end: number, depth: number): BlobmsgValue {
  if (type === BlobmsgType.TABLE) return readTable(bytes, start, end, depth + 1);
  if (type === BlobmsgType.ARRAY) {
    const list: BlobmsgValue[] = [];
    visitFields(bytes, start, end, depth + 1, (_name, elementType, valueStart, valueEnd) => {
      list.push(readPlain(bytes, elementType, valueStart, valueEnd, depth + 1));
    });
    return list;
  }
  const value = readScalar(bytes, type, start, end);
  return type === BlobmsgType.INT8 ? value !== 0 : value;
}

function readFields(bytes: Buffer, start: number, end: number, depth: number): BlobmsgField[] {
  const fields: BlobmsgField[] = [];
  visitFields(bytes, start, end, depth, (name, type, valueStart, valueEnd) => {
    const isList = type === BlobmsgType.ARRAY || type === BlobmsgType.TABLE;
    const value = isList
      ? readFields(bytes, valueStart, valueEnd, depth + 1)
      : readScalar(bytes, type, valueStart, valueEnd);
    fields.push({ name, type, value });
  });
  return fields;
}

/** Calls `visit` for each blobmsg attribute, name header checked. @throws BlobmsgError */
function visitFields(
  bytes: Buffer,
  start: number,
  end: number,
  depth: number,
  visit: (name: string, type: BlobmsgTypeId, valueStart: number, valueEnd: number) => void,
): void {
  if (depth > MAX_DEPTH) throw new BlobmsgError(`nested deeper than ${MAX_DEPTH}`);
  visitAttributes(bytes, start, end, (id, isExtended, payloadStart, payloadEnd) => {
    if (!isExtended || id > BlobmsgType.DOUBLE) throw new BlobmsgError(`attribute ${id} is not a blobmsg value`);
    const size = payloadEnd - payloadStart;
    const nameLength = size >= 4 ? bytes.readUInt16BE(payloadStart) : 0;
    const valueStart = payloadStart + ((nameLength + 6) & ~3);
    if (size < 4 || valueStart > payloadEnd || bytes[payloadStart + 2 + nameLength] !== 0) {
      throw new BlobmsgError('name header does not fit its attribute');
    }
    const name = nameLength === 0 ? '' : nameFromBytes(bytes, payloadStart + 2, payloadStart + 2 + nameLength);
    visit(name, id as BlobmsgTypeId, valueStart, payloadEnd);
  });
}

function readScalar(bytes: Buffer, type: BlobmsgTypeId, start: number, end: number): null | number | bigint | string {
  switch (type) {
    case BlobmsgType.STRING:
      if (end === start || bytes[end - 1] !== 0) throw new BlobmsgError('string has no terminator');
      return textFromBytes(bytes, start, end - 1);
    case BlobmsgType.INT64:
      return bytes.readBigInt64BE(sized(start, end, 8));
    case BlobmsgType.INT32:
      return bytes.readInt32BE(sized(start, end, 4));
    case BlobmsgType.INT16:
      return bytes.readInt16BE(sized(start, end, 2));
    case BlobmsgType.INT8:
      return bytes.readUInt8(sized(start, end, 1));
    case BlobmsgType.DOUBLE:
      return bytes.readDoubleBE(sized(start, end, 8));
    default:
      return null;
  }
}

function sized(start: number, end: number, size: number): number {
  if (end - start !== size) throw new BlobmsgError(`number must have ${size} bytes, has ${end - start}`);
  return start;
}

function writeTableAt(writer: BlobWriter, table: BlobmsgInputTable, depth: number): void {
  // A cycle ends here too.
  if (depth > MAX_DEPTH) throw new RangeError(`ubus data must not nest deeper than ${MAX_DEPTH}`);
  for (const name of Object.keys(table)) {
    const value = table[name];
    if (value !== undefined) writeValue(writer, name, value, depth);
  }
}

function writeValue(writer: BlobWriter, name: string, value: BlobmsgInput, depth: number): void {
  if (value !== null && typeof value === 'object' && !(value instanceof TypedNumber)) {
    const isArray = Array.isArray(value);
    const start = beginField(writer, name, isArray ? BlobmsgType.ARRAY : BlobmsgType.TABLE);
    if (!isArray) writeTableAt(writer, value as BlobmsgInputTable, depth + 1);
    else if (depth >= MAX_DEPTH) throw new RangeError(`ubus data must not nest deeper than ${MAX_DEPTH}`);
    else for (const element of value as readonly BlobmsgInput[]) writeValue(writer, '', element, depth + 1);
    writer.end(start);
    return;
  }
  if (typeof value === 'string') writeField(writer, name, BlobmsgType.STRING, value);
  else if (typeof value === 'number') writeNumber(writer, name, value);
  else if (typeof value === 'boolean') writeField(writer, name, BlobmsgType.INT8, value ? 1 : 0);
  else if (typeof value === 'bigint') writeField(writer, name, BlobmsgType.INT64, value);
  else if (value === null) writeField(writer, name, BlobmsgType.UNSPEC, null);
  else writeField(writer, name, value.type, value.value);
}

function writeNumber(writer: BlobWriter, name: string, value: number): void {
  if (value === (value | 0)) writeField(writer, name, BlobmsgType.INT32, value);
  else if (Number.isSafeInteger(value)) writeField(writer, name, BlobmsgType.INT64, BigInt(value));
  else writeField(writer, name, BlobmsgType.DOUBLE, value);
}

function writeField(
  writer: BlobWriter,
  name: string,
  type: BlobmsgTypeId,
  value: null | number | bigint | string,
): void {
  const start = beginField(writer, name, type);
  writeScalar(writer, type, value);
  writer.end(start);
}

function beginField(writer: BlobWriter, name: string, type: BlobmsgTypeId): number {
  const start = writer.begin(type, true);
  const length = writer.name(name);
  if (length > 0xffff || name.includes('\0'))
    throw new RangeError(`field name must be at most 65535 bytes without NUL, got ${length}`);
  return start;
}

function writeScalar(writer: BlobWriter, type: BlobmsgTypeId, value: null | number | bigint | string): void {
  if (type === BlobmsgType.STRING) writeText(writer, String(value));
  else if (type === BlobmsgType.INT64) writer.i64(BigInt(value as bigint));
  else if (type === BlobmsgType.INT32) writer.u32((value as number) >>> 0);
  else if (type === BlobmsgType.INT16) writer.u16((value as number) & 0xffff);
  else if (type === BlobmsgType.INT8) writer.u8(value as number);
  else if (type === BlobmsgType.DOUBLE) writer.f64(value as number);
}

function writeText(writer: BlobWriter, text: string): void {
  if (text.includes('\0')) {
    throw new RangeError('string must not contain NUL: other programs on the bus would see it cut');
  }
  writer.text(text);
  writer.u8(0);
}

function checkedInteger(value: number, min: number, max: number, what: string): number {
  if (!Number.isInteger(value) || value < min || value > max)
    throw new RangeError(`${what} must be an integer ${min}..${max}, got ${value}`);
  return value;
}

/** Bytes from the bus that are not valid blobmsg. */
export class BlobmsgError extends Error {
  override readonly name = 'BlobmsgError';

  constructor(what: string) {
    super(`blobmsg: ${what}`);
  }
}
