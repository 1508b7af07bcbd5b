/**
 * Signs for ten thousand routers in one process: by the compiled library where it loads and signs exactly as ours does,
 * else in JavaScript, a few times slower.
 */
import { createRequire } from 'node:module';
import type { Address } from '../protocol/address.ts';
import { hexFromBytes } from '../protocol/hex.ts';
import { keccak256, keccak256Text } from '../protocol/keccak.ts';
import { addressFromSecretKey, type CompactSignature, signDigest } from '../protocol/signature.ts';

export type FastSigner = {
  readonly name: 'native' | 'noble';
  readonly sign: (digest: Uint8Array, secretKey: Uint8Array) => CompactSignature;
  readonly addressOf: (secretKey: Uint8Array) => Address;
};

/** @see npm secp256k1: signs with the nonce of RFC 6979 and low s, as noble does */
type Bindings = {
  ecdsaSign(digest: Uint8Array, secretKey: Uint8Array): { signature: Uint8Array; recid: number };
  publicKeyCreate(secretKey: Uint8Array, isCompressed: boolean): Uint8Array;
};

const PARITY_BIT = 0x80;

export const nobleSigner: FastSigner = { name: 'noble', sign: signDigest, addressOf: addressFromSecretKey };

/** The fastest that answers a known case rightly. Never throws. */
export function fastestSigner(load: () => unknown = loadBindings): FastSigner {
  const digest = keccak256Text('digest');
  const key = keccak256Text('key');
  try {
    const native = nativeSigner(load() as Bindings);
    const isSame =
      native.sign(digest, key) === signDigest(digest, key) && native.addressOf(key) === addressFromSecretKey(key);
    return isSame ? native : nobleSigner;
  } catch {
    // Not installed, or no build for this machine.
    return nobleSigner;
  }
}

function loadBindings(): unknown {
  return createRequire(import.meta.url)('secp256k1/bindings.js');
}

function nativeSigner(bindings: Bindings): FastSigner {
  return {
    name: 'native',
    sign: (digest, secretKey) => {
      const { signature, recid } = bindings.ecdsaSign(digest, secretKey);
      if (recid === 1) signature[32] = (signature[32] as number) | PARITY_BIT;
      return hexFromBytes(signature);
    },
    addressOf: (secretKey) =>
      hexFromBytes(keccak256(bindings.publicKeyCreate(secretKey, false).subarray(1)).subarray(12)),
  };
}
