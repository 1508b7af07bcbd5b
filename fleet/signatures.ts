/**
 * Signatures of the collector's process: recovered by the fastest backend that passes the self-test, made by the native one
 * where it makes the same as noble. In the process itself, not in threads: a hop costs a tenth, and the other cores are for
 * other shards (docs/scale.md).
 */
import { createRequire } from 'node:module';
import type { Address } from '../protocol/address.ts';
import { hexFromBytes } from '../protocol/hex.ts';
import { keccak256Text } from '../protocol/keccak.ts';
import { type CompactSignature, signDigest } from '../protocol/signature.ts';
import { type Backend, type BackendName, recoverAddress } from '../verifier/backend.ts';
import { useWasmKeccak } from '../verifier/keccak-wasm.ts';
import { chooseBackend } from '../verifier/self-test.ts';
import type { Recover } from './judge-proof.ts';

export type Sign = (digest: Uint8Array, secretKey: Uint8Array) => CompactSignature;

export type Signatures = { readonly backend: BackendName; readonly recover: Recover; readonly sign: Sign };

/** Loads and tests what this machine has. @throws if not even noble computes rightly */
export async function loadSignatures(): Promise<Signatures> {
  useWasmKeccak();
  const { backend } = await chooseBackend(import.meta.url);
  return { backend: backend.name, recover: recoverWith(backend), sign: loadSign() };
}

function recoverWith(backend: Backend): Recover {
  return (digest, signature): Address | undefined => {
    const signer = recoverAddress(backend, digest, Buffer.from(signature.slice(2), 'hex'));
    return signer === undefined ? undefined : hexFromBytes(signer);
  };
}

type Bindings = {
  ecdsaSign(digest: Uint8Array, key: Uint8Array): { readonly signature: Uint8Array; readonly recid: number };
};

function loadSign(): Sign {
  try {
    const { ecdsaSign } = createRequire(import.meta.url)('secp256k1/bindings.js') as Bindings;
    const sign: Sign = (digest, key) => {
      const { signature, recid } = ecdsaSign(digest, key);
      const compact = new Uint8Array(signature);
      if (recid === 1) compact[32] = (compact[32] as number) | 0x80;
      return hexFromBytes(compact);
    };
    const [digest, key] = [keccak256Text('digest'), keccak256Text('key')];
    // Both use RFC 6979; a library that differs would give one receipt two signatures.
    if (sign(digest, key) === signDigest(digest, key)) return sign;
  } catch {
    // No addon fits this machine.
  }
  return signDigest;
}
