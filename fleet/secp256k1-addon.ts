/**
 * The addon of npm's secp256k1 as it is: the JavaScript in front of it asks of each argument what it is, which costs as much as
 * a thirtieth of the verification. The addon looks at types and lengths itself.
 */
import { createRequire } from 'node:module';
import { dirname } from 'node:path';

/** 0 = done, or true; other numbers say what is wrong. */
export type Secp256k1Addon = {
  /** 64, 32, 33 or 65 bytes. */
  ecdsaVerify(rs: Uint8Array, digest: Uint8Array, key: Uint8Array): number;
  /** Fills in `answer`. Nonces by RFC 6979 without `data` and `nonce`. 32 bytes each. */
  ecdsaSign(
    answer: { readonly signature: Uint8Array; recid: number },
    digest: Uint8Array,
    key: Uint8Array,
    data: undefined,
    nonce: undefined,
  ): number;
};

/** Undefined where none fits this machine. */
export function loadAddon(): Secp256k1Addon | undefined {
  try {
    const bindings = createRequire(import.meta.url).resolve('secp256k1/bindings.js');
    // Whose dependency it is.
    const load = createRequire(bindings)('node-gyp-build') as (directory: string) => Exports;
    const { Secp256k1 } = load(dirname(bindings));
    return new Secp256k1();
  } catch {
    return undefined;
  }
}

type Exports = { readonly Secp256k1: new () => Secp256k1Addon };
