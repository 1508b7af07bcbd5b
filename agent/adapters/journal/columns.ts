/** Values to SQLite columns and back. What does not fit a column is refused by name; nothing is rounded or cut. */
import { type Hex, hexFromBytes } from '../../../protocol/hex.ts';
import { JournalError } from './journal-error.ts';

const MAX_INT64 = (1n << 63n) - 1n;

/** 0..2^63-1 as it stands. @throws JournalError JOURNAL_REFUSED above that: SQLite has no unsigned integers. */
export function toInteger(value: bigint, what: string): bigint {
  if (value < 0n || value > MAX_INT64) {
    throw new JournalError('JOURNAL_REFUSED', `${what} must be within 0..2^63-1 to be stored, got ${value}`);
  }
  return value;
}

export function toBlob(hex: Hex, byteLength: number, what: string): Uint8Array {
  // Buffer stops at the first character that is no hex digit, so what is not all hex is too short.
  const bytes = hex.startsWith('0x') ? Buffer.from(hex.slice(2), 'hex') : Buffer.alloc(0);
  if (bytes.length !== byteLength || hex.length !== 2 + 2 * byteLength) {
    throw new JournalError('JOURNAL_REFUSED', `${what} must be ${byteLength} bytes, got ${hex.slice(0, 40)}`);
  }
  return bytes;
}

export function toOptionalBlob(hex: Hex | undefined, byteLength: number, what: string): Uint8Array | null {
  return hex === undefined ? null : toBlob(hex, byteLength, what);
}

/** A finite number for a REAL column. */
export function toReal(value: number, what: string): number {
  if (!Number.isFinite(value)) {
    throw new JournalError('JOURNAL_REFUSED', `${what} must be a finite number, got ${value}`);
  }
  // SQLite stores -0.0 as 0; said here so that a row reads back as it was written.
  return value === 0 ? 0 : value;
}

export function hexOf(bytes: Uint8Array): Hex {
  return hexFromBytes(bytes);
}

/** One of `values`, or a JOURNAL_CORRUPT error: the column was written by nobody we know. */
export function oneOf<T extends string>(values: readonly T[], text: string, what: string): T {
  const found = values.find((value) => value === text);
  if (found === undefined) throw new JournalError('JOURNAL_CORRUPT', `${what} is ${JSON.stringify(text.slice(0, 40))}`);
  return found;
}
