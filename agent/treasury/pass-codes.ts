/**
 * Pass codes from one secret: pass number n has always the same code, so that lost sheets are printed again and no list of codes
 * has to be kept. Who has the seed has all passes: it is in a file of mode 0600, like the device key.
 */
import type { Address } from '../../protocol/address.ts';
import { bytesFromUint, concatBytes } from '../../protocol/hex.ts';
import { keccak256, keccak256Text } from '../../protocol/keccak.ts';
import { passCodeFromRandom, secretKeyFromPassCode } from '../../protocol/pass-code.ts';
import { addressFromSecretKey } from '../../protocol/signature.ts';

const DOMAIN = keccak256Text('SSP-PASS-SEED-v1');
/** Random bytes of a pass code (protocol/pass-code.ts). */
const CODE_BYTES = 13;

/** The canonical code of the pass with this serial. @param seed 32 secret bytes */
export function passCodeFor(seed: Uint8Array, serial: number): string {
  return passCodeFromRandom(
    keccak256(concatBytes(DOMAIN, seed, bytesFromUint(BigInt(serial), 8))).subarray(0, CODE_BYTES),
  );
}

/** The account that a code is. */
export function addressFromPassCode(code: string): Address {
  return addressFromSecretKey(secretKeyFromPassCode(code));
}
