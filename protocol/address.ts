/** Ethereum addresses: last 20 bytes of keccak256 of the uncompressed public key. */
import { Point } from '@noble/secp256k1';
import { type Hex, hexFromBytes, isHexOfLength } from './hex.ts';
import { keccak256 } from './keccak.ts';

/** Lower-case 0x-prefixed 20 bytes. All comparisons in this code base use the lower-case form. */
export type Address = Hex;

export const ZERO_ADDRESS: Address = '0x0000000000000000000000000000000000000000';

/** Address of a public key given in compressed (33 bytes) or uncompressed (65 bytes) form. */
export function addressFromPublicKey(publicKey: Uint8Array): Address {
  const uncompressed = Point.fromBytes(publicKey).toBytes(false);
  return hexFromBytes(keccak256(uncompressed.subarray(1)).subarray(12));
}

/** Lower-cases an address, or undefined if it is not 20 bytes of hex. */
export function parseAddress(value: unknown): Address | undefined {
  return isHexOfLength(value, 20) ? (value.toLowerCase() as Address) : undefined;
}
