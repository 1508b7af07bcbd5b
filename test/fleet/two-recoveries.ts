/** The same signatures, once recovered each time, once verified with remembered keys; with the fastest library there is. */
import type { Recover } from '../../fleet/judge-proof.ts';
import { KnownKeys } from '../../fleet/known-keys.ts';
import { signerCheck } from '../../fleet/signatures.ts';
import { loadBackend } from '../../verifier/backends.ts';

const loaded = await loadBackend('noble', import.meta.url);
const fast = await loadBackend('native', import.meta.url);
if (!loaded.ok) throw new Error(loaded.why);
const backend = fast.ok ? fast.backend : loaded.backend;
export const recovering: Recover = signerCheck(backend, undefined, new KnownKeys(1));
/** Stands for the verification of a native library: true if the key that it recovers to, with either parity, is that key. */
export const verifying = (room: number): Recover =>
  signerCheck(
    backend,
    (rs, digest, key) =>
      ([0, 1] as const).some((parity) => isKey(() => backend.recoverPublicKey(digest, rs, parity), key)),
    new KnownKeys(room),
  );

function isKey(recover: () => Uint8Array | null | undefined, key: Uint8Array): boolean {
  try {
    return Buffer.from(recover() ?? []).equals(key);
  } catch {
    return false;
  }
}
