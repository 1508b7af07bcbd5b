/**
 * Pass codes: 20 Crockford base32 characters (100 bits) that are an account holding SSP.
 * key = keccak256("SSP-PASS-v1" || code). Printed or sold by owners; the page signs with the derived key.
 *
 * @see https://www.crockford.com/base32.html (decoding: case-insensitive, I and L read as 1, O as 0, hyphens ignored)
 */
import { keccak256Text } from './keccak.ts';

const ALPHABET = '0123456789ABCDEFGHJKMNPQRSTVWXYZ';
const CODE_LENGTH = 20;
const KEY_PREFIX = 'SSP-PASS-v1';

/** Canonical form (20 upper-case characters, no hyphens) of what a person typed, or undefined. */
export function parsePassCode(text: string): string | undefined {
  if (text.length > 64) return undefined;
  const code = text.toUpperCase().replace(/[\s-]/g, '').replace(/[IL]/g, '1').replace(/O/g, '0');
  if (code.length !== CODE_LENGTH) return undefined;
  return [...code].every((character) => ALPHABET.includes(character)) ? code : undefined;
}

/** "ABCDE-FGHJK-MNPQR-STVWX": as printed. */
export function formatPassCode(code: string): string {
  return code.replace(/(.{5})(?=.)/g, '$1-');
}

/** A code out of 13 random bytes (100 of their 104 bits). @throws RangeError for any other length. */
export function passCodeFromRandom(random: Uint8Array): string {
  if (random.length !== 13) throw new RangeError(`a pass code needs 13 random bytes, got ${random.length}`);
  let bits = 0n;
  for (const byte of random) bits = (bits << 8n) | BigInt(byte);
  let code = '';
  for (let i = 0; i < CODE_LENGTH; i++) {
    code += ALPHABET[Number(bits & 31n)];
    bits >>= 5n;
  }
  return code;
}

/** 32-byte secret key of a canonical pass code. */
export function secretKeyFromPassCode(code: string): Uint8Array {
  return keccak256Text(`${KEY_PREFIX}${code}`);
}
