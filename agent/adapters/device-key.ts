/**
 * Secret keys in files: the device's identity, and the gas key. One line of hex, readable by its owner alone.
 *
 * A key is made once and never written over: losing the device key means losing the device's name and its proofs' chain.
 * It is on disk (file and directory synced) before it is ever used.
 */
import { randomBytes } from 'node:crypto';
import {
  closeSync,
  constants,
  fstatSync,
  fsyncSync,
  linkSync,
  mkdirSync,
  openSync,
  readFileSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs';
import { dirname } from 'node:path';
import { bytesFromHex, hexFromBytes } from '../../protocol/hex.ts';
import { keccak256Text } from '../../protocol/keccak.ts';
import { addressFromSecretKey, isSecretKey, recoverSigner, signDigest } from '../../protocol/signature.ts';
import type { Signer } from '../ports.ts';

export type KeyErrorCode =
  | 'KEY_READABLE_BY_OTHERS'
  | 'KEY_EXISTS'
  | 'KEY_MALFORMED'
  | 'KEY_UNREADABLE'
  | 'KEY_SELF_CHECK'
  /** A key that another process holds. */
  | 'KEY_SIGNER_AWAY'
  | 'KEY_SIGNER_REFUSED';

export class KeyError extends Error {
  readonly code: KeyErrorCode;

  constructor(message: string, options: { code: KeyErrorCode; cause?: unknown }) {
    super(message, { cause: options.cause });
    this.name = 'KeyError';
    this.code = options.code;
  }
}

const GROUP_OR_OTHERS = 0o077;
const KEY_LINE = /^0x[0-9a-f]{64}\n?$/;

/**
 * The 32-byte key in the file, made if there is none.
 *
 * @throws KeyError if the file is not one line of hex with a valid key, or others may read it
 */
export function loadOrCreateKey(path: string): Uint8Array {
  return readKey(path) ?? createKey(path);
}

/**
 * Signs with the key in the file, made if there is none. The first use makes a trial signature and recovers it before
 * anything of worth is signed: not at the start, of which it would take a tenth.
 */
export function deviceSigner(path: string): Signer {
  const key = loadOrCreateKey(path);
  const address = addressFromSecretKey(key);
  const sign: Signer['sign'] = (digest) => signDigest(digest, key);
  let isChecked = false;
  return {
    address,
    sign: (digest) => {
      if (!isChecked) assertSigns({ address, sign }, path);
      isChecked = true;
      return sign(digest);
    },
  };
}

/** @throws KeyError KEY_SELF_CHECK if a signature does not recover to the signer's address */
export function assertSigns(signer: Signer, path: string): void {
  const digest = keccak256Text('SSP-KEY-SELF-CHECK-v1');
  const recovered = recoverSigner(digest, signer.sign(digest));
  if (recovered === signer.address) return;
  const message = `key ${path} signs as ${recovered ?? 'nobody'}, expected ${signer.address}: do not use it`;
  throw new KeyError(message, { code: 'KEY_SELF_CHECK' });
}

/** The key in the file; undefined if there is none. @throws KeyError */
export function loadKey(path: string): Uint8Array | undefined {
  return readKey(path);
}

/** Puts a key where there is none. @throws KeyError KEY_EXISTS if there is one: it is never written over */
export function storeKey(path: string, key: Uint8Array): void {
  if (writeKey(path, key)) return;
  const message = `there is a key in ${path} already; move it away first, if the node shall become another one`;
  throw new KeyError(message, { code: 'KEY_EXISTS' });
}

function readKey(path: string): Uint8Array | undefined {
  let text: string;
  let mode: number;
  try {
    // Not through a link: what the file's mode protects is what is read.
    const file = openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW);
    try {
      mode = fstatSync(file).mode;
      text = readFileSync(file, 'latin1');
    } finally {
      closeSync(file);
    }
  } catch (cause) {
    if (cause instanceof Error && 'code' in cause && cause.code === 'ENOENT') return undefined;
    throw new KeyError(`key file ${path} cannot be read; it must be a plain file`, { code: 'KEY_UNREADABLE', cause });
  }
  if ((mode & GROUP_OR_OTHERS) !== 0) {
    const octal = (mode & 0o777).toString(8).padStart(3, '0');
    const message = `key file ${path} has mode ${octal}, expected 600. If nobody else has read it: chmod 600 ${path}`;
    throw new KeyError(message, { code: 'KEY_READABLE_BY_OTHERS' });
  }
  const key = KEY_LINE.test(text) ? bytesFromHex(text.trim()) : undefined;
  if (key === undefined || !isSecretKey(key)) {
    const message = `key file ${path} must be one line of 0x and 64 lower-case hex digits. Restore it from a backup.`;
    throw new KeyError(message, { code: 'KEY_MALFORMED' });
  }
  return key;
}

function createKey(path: string): Uint8Array {
  let key = new Uint8Array(randomBytes(32));
  // All but 2^-128 of random bytes are keys already.
  while (!isSecretKey(key)) key = new Uint8Array(randomBytes(32));
  if (writeKey(path, key)) return key;
  const made = readKey(path);
  if (made === undefined) throw new KeyError(`key file ${path} cannot be made`, { code: 'KEY_UNREADABLE' });
  return made;
}

/** On disk when it returns; false if there is a file by that name. */
function writeKey(path: string, key: Uint8Array): boolean {
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  const temporary = `${path}.${hexFromBytes(randomBytes(6)).slice(2)}`;
  const file = openSync(temporary, 'wx', 0o600);
  try {
    // Not writeSync, which may write less than it was given.
    writeFileSync(file, `${hexFromBytes(key)}\n`);
    fsyncSync(file);
  } catch (cause) {
    unlinkSync(temporary);
    throw new KeyError(`key file ${path} cannot be made`, { code: 'KEY_UNREADABLE', cause });
  } finally {
    closeSync(file);
  }
  try {
    // link, not rename: it fails if another process has made the key meanwhile, and then that one counts.
    linkSync(temporary, path);
    return true;
  } catch (cause) {
    if (cause instanceof Error && 'code' in cause && cause.code === 'EEXIST') return false;
    throw new KeyError(`key file ${path} cannot be made`, { code: 'KEY_UNREADABLE', cause });
  } finally {
    unlinkSync(temporary);
    const directory = openSync(dirname(path), 'r');
    fsyncSync(directory);
    closeSync(directory);
  }
}
