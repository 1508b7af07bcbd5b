/**
 * blobmsg as the text that libubox prints (blobmsg_json.c), straight from its bytes: one character for each byte, so text
 * that is not UTF-8 passes through unchanged. Write it as 'latin1'.
 */
import { visitAttributes } from '../blob.ts';
import { BlobmsgType, MAX_DEPTH } from '../blobmsg.ts';

const INDENT = '\n\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t';

/** Names for the type numbers of a method's signature; the real command knows no others. */
const TYPE_NAMES: Readonly<Record<number, string>> = {
  [BlobmsgType.INT8]: '"Boolean"',
  [BlobmsgType.INT32]: '"Integer"',
  [BlobmsgType.STRING]: '"String"',
  [BlobmsgType.ARRAY]: '"Array"',
  [BlobmsgType.TABLE]: '"Table"',
};

/** Bytes that each type needs; a value of another size is left out, its comma is not. */
const SIZES: Readonly<Record<number, number>> = {
  [BlobmsgType.INT64]: 8,
  [BlobmsgType.INT32]: 4,
  [BlobmsgType.INT16]: 2,
  [BlobmsgType.INT8]: 1,
};

type Style = { readonly isIndented: boolean; readonly isSignature: boolean };

/** Fields in bytes[] as one object. `isIndented`: over several lines, with tabs. */
export function jsonText(bytes: Buffer, isIndented: boolean): string {
  return listText(bytes, 0, bytes.length, false, 0, { isIndented, isSignature: false });
}

/** The methods of a signature, each as `"name":{"argument":"Type"}`. */
export function signatureTexts(bytes: Buffer): string[] {
  const texts: string[] = [];
  visitAttributes(bytes, 0, bytes.length, (id, isExtended, start, end) => {
    texts.push(elementText(bytes, id, isExtended, start, end, false, 0, { isIndented: false, isSignature: true }));
  });
  return texts;
}

function listText(bytes: Buffer, start: number, end: number, isArray: boolean, depth: number, style: Style): string {
  const elements: string[] = [];
  const separator = (level: number): string => (style.isIndented ? INDENT.slice(0, level + 1) : '');
  visitAttributes(bytes, start, end, (id, isExtended, from, to) => {
    elements.push(elementText(bytes, id, isExtended, from, to, isArray, depth + 1, style));
  });
  const inner = elements.join(`,${separator(depth + 1)}`);
  return `${isArray ? '[' : '{'}${separator(depth + 1)}${inner}${separator(depth)}${isArray ? ']' : '}'}`;
}

function elementText(
  bytes: Buffer,
  id: number,
  isExtended: boolean,
  start: number,
  end: number,
  isNameless: boolean,
  depth: number,
  style: Style,
): string {
  const valueStart = isExtended ? valueOffset(bytes, start, end) : start;
  if (valueStart === undefined || !isValid(bytes, id, valueStart, end)) return '';
  const name = isNameless ? '' : cString(bytes, start + 2, end);
  const prefix = name === '' ? '' : `${quoted(name)}:${style.isIndented ? ' ' : ''}`;
  return prefix + valueText(bytes, id, valueStart, end, depth, style);
}

/** Behind the name header; undefined if that does not fit. */
function valueOffset(bytes: Buffer, start: number, end: number): number | undefined {
  if (end - start < 2) return undefined;
  const nameLength = bytes.readUInt16BE(start);
  const valueStart = start + ((nameLength + 6) & ~3);
  return valueStart > end || bytes[start + 2 + nameLength] !== 0 ? undefined : valueStart;
}

function isValid(bytes: Buffer, id: number, start: number, end: number): boolean {
  if (id > BlobmsgType.DOUBLE) return false;
  if (id === BlobmsgType.STRING) return end > start && bytes[end - 1] === 0;
  if (id === BlobmsgType.DOUBLE) return end - start >= 8;
  const size = SIZES[id];
  return size === undefined || end - start === size;
}

function valueText(bytes: Buffer, id: number, start: number, end: number, depth: number, style: Style): string {
  switch (id) {
    case BlobmsgType.ARRAY:
    case BlobmsgType.TABLE:
      // As deep as blobmsg.ts reads: a message may be nothing but nesting.
      return depth > MAX_DEPTH ? 'null' : listText(bytes, start, end, id === BlobmsgType.ARRAY, depth, style);
    case BlobmsgType.STRING:
      return quoted(cString(bytes, start, end));
    case BlobmsgType.INT64:
      return String(bytes.readBigInt64BE(start));
    case BlobmsgType.INT32:
      if (style.isSignature) return TYPE_NAMES[bytes.readInt32BE(start)] ?? '"(unknown)"';
      return String(bytes.readInt32BE(start));
    case BlobmsgType.INT16:
      return String(bytes.readInt16BE(start));
    case BlobmsgType.INT8:
      return bytes[start] === 0 ? 'false' : 'true';
    case BlobmsgType.DOUBLE:
      return doubleText(bytes.readDoubleBE(start));
    default:
      return 'null';
  }
}

/** Text up to the first NUL, one character for each byte. */
export function cString(bytes: Buffer, start: number, end: number): string {
  const nul = bytes.indexOf(0, start);
  return bytes.toString('latin1', start, nul < 0 || nul > end ? end : nul);
}

const ESCAPES: Readonly<Record<string, string>> = {
  '\b': '\\b',
  '\n': '\\n',
  '\t': '\\t',
  '\r': '\\r',
  '"': '\\"',
  '\\': '\\\\',
};

/** A JSON string, escaped as libubox does it. */
export function quoted(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what must be escaped
  const escaped = text.replace(/[\u0001-\u001f"\\]/g, (character) => {
    return ESCAPES[character] ?? `\\u00${character.charCodeAt(0).toString(16).padStart(2, '0')}`;
  });
  return `"${escaped}"`;
}

/** What C's printf("%lf") prints: six decimals, ties to even, never an exponent. */
export function doubleText(value: number): string {
  if (Number.isNaN(value)) return 'nan';
  if (!Number.isFinite(value)) return value > 0 ? 'inf' : '-inf';
  const sign = value < 0 || Object.is(value, -0) ? '-' : '';
  const size = Math.abs(value);
  if (size >= 1e21) return `${sign}${BigInt(size)}.000000`;
  // Only an odd multiple of 2^-7 lies half way between two numbers of six decimals; toFixed would round it up.
  const halves = size * 128;
  if (!Number.isInteger(halves) || halves % 2 === 0) return sign + size.toFixed(6);
  const below = (BigInt(halves) * 15_625n - 1n) / 2n;
  const millionths = below % 2n === 0n ? below : below + 1n;
  return `${sign}${millionths / 1_000_000n}.${String(millionths % 1_000_000n).padStart(6, '0')}`;
}
