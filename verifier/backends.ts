/**
 * The three libraries behind the Verifier, each loaded only when asked for. What cannot be loaded is a value, not an
 * exception: a router without a compiled library verifies with noble.
 */
import { createRequire } from 'node:module';
import { Point, recoverPublicKey } from '@noble/secp256k1';
import type { Backend, BackendName } from './backend.ts';

export type Loaded =
  | { readonly ok: true; readonly backend: Backend }
  | { readonly ok: false; readonly name: BackendName; readonly why: string };

/** Fastest first, by what is known of them; the self-test measures. */
export const BACKEND_NAMES: readonly BackendName[] = ['native', 'wasm', 'noble'];

/** `modulesUrl`: file URL of the script beside whose node_modules the native library lies. Never rejects. */
export async function loadBackend(name: BackendName, modulesUrl: string): Promise<Loaded> {
  try {
    switch (name) {
      case 'noble':
        return { ok: true, backend: noble };
      case 'wasm':
        return { ok: true, backend: await loadWasm() };
      case 'native':
        return { ok: true, backend: loadNative(modulesUrl) };
    }
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    return { ok: false, name, why: (why.split('\n')[0] as string).slice(0, 120) };
  }
}

/** @noble/secp256k1: JavaScript, always there. Its 'recovered' form puts the recovery byte first. */
const noble: Backend = {
  name: 'noble',
  recoverPublicKey(digest, rs, parity) {
    const recovered = new Uint8Array(65);
    recovered[0] = parity;
    recovered.set(rs, 1);
    return Point.fromBytes(recoverPublicKey(recovered, digest, { prehash: false })).toBytes(false);
  },
};

/** tiny-secp256k1: libsecp256k1, by rust-secp256k1, as WebAssembly. Reads its .wasm file when it is imported. */
async function loadWasm(): Promise<Backend> {
  const { recover } = await import('tiny-secp256k1');
  return { name: 'wasm', recoverPublicKey: (digest, rs, parity) => recover(digest, rs, parity, false) };
}

type Bindings = {
  ecdsaRecover(rs: Uint8Array, recoveryId: number, digest: Uint8Array, isCompressed: boolean): Uint8Array;
};

/**
 * npm's secp256k1: libsecp256k1 as an addon. Its main module falls back silently to elliptic, JavaScript thirty times
 * slower, where no addon fits the machine; the module taken here throws instead.
 */
function loadNative(modulesUrl: string): Backend {
  const { ecdsaRecover } = createRequire(modulesUrl)('secp256k1/bindings.js') as Bindings;
  return { name: 'native', recoverPublicKey: (digest, rs, parity) => ecdsaRecover(rs, parity, digest, false) };
}
