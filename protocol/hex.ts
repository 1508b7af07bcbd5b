/** Hex text with 0x prefix, the form of every byte string in JSON. */
export type Hex = `0x${string}`;

const HEX_PATTERN = /^0x(?:[0-9a-fA-F]{2})*$/;

/** True for 0x-prefixed hex of exactly `byteLength` bytes. */
export function isHexOfLength(value: unknown, byteLength: number): value is Hex {
  return typeof value === 'string' && value.length === 2 + 2 * byteLength && HEX_PATTERN.test(value);
}

/** Bytes of 0x-prefixed hex. @throws RangeError if `hex` is not even-length hex. */
export function bytesFromHex(hex: string): Uint8Array {
  const bytes = new Uint8Array(Math.max(0, hex.length - 2) >> 1);
  if (!writeHex(hex, bytes, 0, bytes.length))
    throw new RangeError(`hex text must be 0x and pairs of hex digits, got ${hex.slice(0, 20)}`);
  return bytes;
}

/** Puts 0x-prefixed hex of exactly `byteLength` bytes at `at`. @returns false if `hex` is none; `bytes` may have changed then */
export function writeHex(hex: string, bytes: Uint8Array, at: number, byteLength: number): boolean {
  if (hex.length !== 2 + 2 * byteLength || !hex.startsWith('0x')) return false;
  let seen = 0;
  for (let i = 0; i < byteLength; i++) {
    const high = digitAt(hex, 2 + 2 * i);
    const low = digitAt(hex, 3 + 2 * i);
    seen |= high | low;
    bytes[at + i] = (high << 4) | low;
  }
  return seen < NO_DIGIT;
}

const NO_DIGIT = 0x10;
/** Value of the digit by its character code, NO_DIGIT of every other. */
const DIGITS = Uint8Array.from({ length: 128 }, (_, code) => {
  const value = '0123456789abcdef'.indexOf(String.fromCharCode(code).toLowerCase());
  return value === -1 ? NO_DIGIT : value;
});

function digitAt(hex: string, at: number): number {
  return DIGITS[hex.charCodeAt(at)] ?? NO_DIGIT;
}

const PAIRS: readonly string[] = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, '0'));

/** Lower-case 0x-prefixed hex of bytes. */
export function hexFromBytes(bytes: Uint8Array): Hex {
  let text = '0x';
  for (let i = 0; i < bytes.length; i++) text += PAIRS[bytes[i] as number];
  return text as Hex;
}

/** Big-endian bytes of an unsigned integer, left-padded to `byteLength`. @throws RangeError if it does not fit. */
export function bytesFromUint(value: bigint, byteLength: number): Uint8Array {
  if (value < 0n || value >= 1n << BigInt(8 * byteLength)) {
    throw new RangeError(`unsigned integer must fit ${byteLength} bytes, got ${value}`);
  }
  const bytes = new Uint8Array(byteLength);
  if (byteLength >= 8 && value < 1n << 64n) {
    // Almost every number here: one store instead of a division a byte.
    new DataView(bytes.buffer).setBigUint64(byteLength - 8, value);
    return bytes;
  }
  let rest = value;
  for (let i = byteLength - 1; i >= 0; i--) {
    bytes[i] = Number(rest & 0xffn);
    rest >>= 8n;
  }
  return bytes;
}

/** Unsigned big-endian integer of bytes. */
export function uintFromBytes(bytes: Uint8Array): bigint {
  let value = 0n;
  for (const byte of bytes) value = (value << 8n) | BigInt(byte);
  return value;
}

/** One array out of many. */
export function concatBytes(...parts: readonly Uint8Array[]): Uint8Array {
  const joined = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let offset = 0;
  for (const part of parts) {
    joined.set(part, offset);
    offset += part.length;
  }
  return joined;
}
