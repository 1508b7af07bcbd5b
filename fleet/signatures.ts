/**
 * Signatures of the collector's process: checked by the fastest backend that passes the self-test, made by the native one
 * where it makes the same as noble. In the process itself, not in threads: a hop costs a tenth, and the other cores are for
 * other shards (docs/scale.md).
 *
 * Whose key is known is verified, everybody else is recovered. Verification does not look at the parity bit of EIP-2098, so
 * recovery does not insist on it either where somebody is expected: what is accepted must not hang on who was here before.
 * r and s are bound as before; a wrong bit is put right where a contract is to read it (equivocation-evidence.ts).
 */
import { createRequire } from 'node:module';
import type { Address } from '../protocol/address.ts';
import { hexFromBytes } from '../protocol/hex.ts';
import { keccak256Text } from '../protocol/keccak.ts';
import { type CompactSignature, signDigest } from '../protocol/signature.ts';
import { addressOfKey, type Backend, type BackendName, recoverKey } from '../verifier/backend.ts';
import { useWasmKeccak } from '../verifier/keccak-wasm.ts';
import { chooseBackend } from '../verifier/self-test.ts';
import type { Recover } from './judge-proof.ts';
import { KnownKeys, PUBLIC_KEY_BYTES } from './known-keys.ts';

export type Sign = (digest: Uint8Array, secretKey: Uint8Array) => CompactSignature;

/** `recover` remembers keys: one for devices, another for guests, so that neither makes the other forgotten. */
export type Signatures = {
  readonly backend: BackendName;
  readonly recover: Recover;
  readonly recoverGuest: Recover;
  readonly sign: Sign;
};

/** True if `key` (uncompressed) signed r || s. Throws or false otherwise. */
export type VerifyWithKey = (rs: Uint8Array, digest: Uint8Array, key: Uint8Array) => boolean;

/** Loads and tests what this machine has. @throws if not even noble computes rightly */
export async function loadSignatures(): Promise<Signatures> {
  useWasmKeccak();
  const { backend } = await chooseBackend(import.meta.url);
  const verify = backend.name === 'native' ? nativeVerify() : undefined;
  const make = () => signerCheck(backend, verify, new KnownKeys());
  return { backend: backend.name, recover: make(), recoverGuest: make(), sign: loadSign() };
}

const PARITY_AT = 32;
const PARITY_BIT = 0x80;

/** Says `expected` if that address signed, else who did. `verify`: where it is faster than recovery. */
export function signerCheck(backend: Backend, verify: VerifyWithKey | undefined, known: KnownKeys): Recover {
  const recovered = (digest: Uint8Array, compact: Uint8Array, expected: Address): Address | undefined => {
    const key = recoverKey(backend, digest, compact);
    if (key === undefined) return undefined;
    const signer = hexFromBytes(addressOfKey(key));
    if (signer === expected && key.length === PUBLIC_KEY_BYTES) known.put(signer, key);
    return signer;
  };
  return (digest, signature, expected) => {
    const compact = Buffer.from(signature.slice(2), 'hex');
    if (compact.length !== 64) return undefined;
    const key = verify === undefined ? undefined : known.get(expected);
    if (key !== undefined && verify !== undefined) {
      const top = compact[PARITY_AT] as number;
      compact[PARITY_AT] = top & ~PARITY_BIT;
      if (verify(compact, digest, key)) return expected;
      compact[PARITY_AT] = top;
      return recovered(digest, compact, expected);
    }
    const signer = recovered(digest, compact, expected);
    if (signer === expected) return signer;
    compact[PARITY_AT] = (compact[PARITY_AT] as number) ^ PARITY_BIT;
    return recovered(digest, compact, expected) === expected ? expected : signer;
  };
}

function nativeVerify(): VerifyWithKey {
  const { ecdsaVerify } = createRequire(import.meta.url)('secp256k1/bindings.js') as Bindings;
  return (rs, digest, key) => {
    try {
      return ecdsaVerify(rs, digest, key);
    } catch {
      // r or s out of range.
      return false;
    }
  };
}

type Bindings = {
  ecdsaSign(digest: Uint8Array, key: Uint8Array): { readonly signature: Uint8Array; readonly recid: number };
  ecdsaVerify(rs: Uint8Array, digest: Uint8Array, key: Uint8Array): boolean;
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
