/** The collector's own secret key in a file (0600): what signs receipts. Made on first start, never written over. */
import { randomBytes } from 'node:crypto';
import { closeSync, fsyncSync, mkdirSync, openSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import type { Address } from '../protocol/address.ts';
import { bytesFromHex, hexFromBytes, isHexOfLength } from '../protocol/hex.ts';
import { addressFromSecretKey, isSecretKey } from '../protocol/signature.ts';

export type CollectorKey = { readonly address: Address; readonly secretKey: Uint8Array };

/** @throws RangeError if the file is no key, or others may read it */
export function loadOrCreateCollectorKey(path: string): CollectorKey {
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  createIfMissing(path);
  const mode = statSync(path).mode & 0o777;
  if ((mode & 0o077) !== 0) {
    throw new RangeError(`collector key ${path} has mode ${mode.toString(8)}, expected 600. Others may have read it.`);
  }
  const text = readFileSync(path, 'latin1').trim();
  const secretKey = isHexOfLength(text, 32) ? bytesFromHex(text) : undefined;
  if (secretKey === undefined || !isSecretKey(secretKey)) {
    throw new RangeError(`collector key ${path} must be one line of 0x and 64 hex digits`);
  }
  return { address: addressFromSecretKey(secretKey), secretKey };
}

function createIfMissing(path: string): void {
  let file: number;
  try {
    file = openSync(path, 'wx', 0o600);
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'EEXIST') return;
    throw error;
  }
  try {
    // All but 2^-128 of random bytes are keys; the check on reading finds the others.
    writeFileSync(file, `${hexFromBytes(randomBytes(32))}\n`);
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
}
