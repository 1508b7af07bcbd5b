/**
 * Signatures of the collector's process: checked by the fastest backend that passes the self-test, made by the native one
 * where it makes the same as noble. In the process itself, not in threads: a hop costs a tenth, and the other cores are for
 * other shards (docs/scale.md).
 *
 * Whose key is known is verified, everybody else is recovered. Verification does not look at the parity bit of EIP-2098, so
 * recovery does not insist on it either where somebody is expected: what is accepted must not hang on who was here before.
 * r and s are bound as before; a wrong bit is put right where a contract is to read it (equivocation-evidence.ts).
 */
import type { Address } from '../protocol/address.ts';
import { bytesFromHex, type Hex } from '../protocol/hex.ts';
import { keccak256Text } from '../protocol/keccak.ts';
import { type CompactSignature, signDigest } from '../protocol/signature.ts';
import {
  addressOfKey,
  type Backend,
  type BackendName,
  DIGEST_BYTES,
  recoverKey,
  SIGNATURE_BYTES,
} from '../verifier/backend.ts';
import { useWasmKeccak } from '../verifier/keccak-wasm.ts';
import { chooseBackend } from '../verifier/self-test.ts';
import { hexOf } from './hex-of.ts';
import type { Recover } from './judge-proof.ts';
import { KnownKeys, PUBLIC_KEY_BYTES } from './known-keys.ts';
import { loadAddon, type Secp256k1Addon } from './secp256k1-addon.ts';

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
  const addon = loadAddon();
  const native = backend.name === 'native' && addon !== undefined ? nativeVerify(addon) : undefined;
  const verify = native !== undefined && isRight(native, backend) ? native : undefined;
  const make = () => signerCheck(backend, verify, new KnownKeys());
  return { backend: backend.name, recover: make(), recoverGuest: make(), sign: signWith(addon) };
}

const PARITY_AT = 32;
const PARITY_BIT = 0x80;

/** Says `expected` if that address signed, else who did. `verify`: where it is faster than recovery. */
export function signerCheck(backend: Backend, verify: VerifyWithKey | undefined, known: KnownKeys): Recover {
  const recovered = (digest: Uint8Array, compact: Uint8Array, expected: Address): Address | undefined => {
    const key = recoverKey(backend, digest, compact);
    if (key === undefined) return undefined;
    const signer = hexOf(addressOfKey(key));
    if (signer === expected && key.length === PUBLIC_KEY_BYTES) known.put(signer, key);
    return signer;
  };
  return (digest, signature, expected) => {
    if (!readSignature(signature)) return undefined;
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

/** The signature in question, one at a time: what native code is to read must not be made anew for each. */
const compact = Buffer.allocUnsafeSlow(SIGNATURE_BYTES);

function readSignature(signature: Hex): boolean {
  return (
    signature.length === 2 + 2 * SIGNATURE_BYTES &&
    compact.write(signature.slice(2), 0, SIGNATURE_BYTES, 'hex') === SIGNATURE_BYTES
  );
}

function nativeVerify(addon: Secp256k1Addon): VerifyWithKey {
  const message = Buffer.allocUnsafeSlow(DIGEST_BYTES);
  return (rs, digest, key) => {
    if (digest.length !== DIGEST_BYTES) return false;
    message.set(digest);
    // Any other number: it did not sign, or r or s is out of range.
    return addon.ecdsaVerify(rs, message, key) === 0;
  };
}

/** Whether it tells what noble has signed from what it has not: asked before it decides about money. */
function isRight(verify: VerifyWithKey, backend: Backend): boolean {
  const [digest, other] = [keccak256Text('digest'), keccak256Text('other')];
  const signature = bytesFromHex(signDigest(digest, keccak256Text('key')));
  const key = recoverKey(backend, digest, signature);
  signature[PARITY_AT] = (signature[PARITY_AT] as number) & ~PARITY_BIT;
  return key !== undefined && verify(signature, digest, key) && !verify(signature, other, key);
}

function signWith(addon: Secp256k1Addon | undefined): Sign {
  if (addon === undefined) return signDigest;
  const [message, made] = [Buffer.allocUnsafeSlow(DIGEST_BYTES), Buffer.allocUnsafeSlow(SIGNATURE_BYTES)];
  const sign: Sign = (digest, key) => {
    message.set(digest);
    const answer = { signature: made, recid: 0 };
    if (addon.ecdsaSign(answer, message, key, undefined, undefined) !== 0)
      throw new RangeError('expected a secret key, got 32 bytes that are none');
    if (answer.recid === 1) made[PARITY_AT] = (made[PARITY_AT] as number) | PARITY_BIT;
    return hexOf(made);
  };
  const [digest, key] = [keccak256Text('digest'), keccak256Text('key')];
  // Both use RFC 6979; a library that differs would give one receipt two signatures.
  return sign(digest, key) === signDigest(digest, key) ? sign : signDigest;
}
