/**
 * What a key rotation leaves on disk, beside the device key: DEVICE_KEY.next (the new key), rotation.json (signed by both keys)
 * and, once the new key is in the device key's place, DEVICE_KEY.old. Each step is one file, on disk before the next begins: a
 * rotation that was cut off anywhere goes on from what is found.
 */

import { existsSync, linkSync, readFileSync, renameSync, rmSync } from 'node:fs';
import type { Address } from '../../protocol/address.ts';
import { jsonIn } from '../../protocol/json-text.ts';
import type { SignedKeyRotation } from '../../protocol/key-rotation.ts';
import { decodeKeyRotation, jsonFromKeyRotation } from '../../protocol/key-rotation-wire.ts';
import { addressFromSecretKey } from '../../protocol/signature.ts';
import { KeyError, loadKey, loadOrCreateKey } from './device-key.ts';
import { rotationPath } from './rotation-path.ts';
import { replaceWholeFile, syncDirectory } from './whole-file.ts';

/** stated: the old key is in its place and has signed the rotation; switched: the new one is, and the old one is kept. */
export type RotationStage = 'stated' | 'switched';
export type FoundRotation = { readonly stage: RotationStage; readonly rotation: SignedKeyRotation };

const MAX_CHARACTERS = 4_096;

export class RotationFiles {
  readonly #keyPath: string;
  readonly #statementPath: string;

  constructor(deviceKeyPath: string) {
    this.#keyPath = deviceKeyPath;
    this.#statementPath = rotationPath(deviceKeyPath);
  }

  /** A rotation that is under way; undefined: none is. @throws KeyError if what is there cannot be gone on with */
  found(): FoundRotation | undefined {
    const rotation = this.#statement();
    const key = loadKey(this.#keyPath);
    if (rotation === undefined || key === undefined) return undefined;
    const address = addressFromSecretKey(key);
    if (address === rotation.successor) return existsSync(this.oldPath) ? { stage: 'switched', rotation } : undefined;
    // Of a rotation that was given up, or of another key that was put here since.
    if (address !== rotation.device) return undefined;
    const next = loadKey(this.#nextPath);
    if (next !== undefined && addressFromSecretKey(next) === rotation.successor) return { stage: 'stated', rotation };
    const message = `${this.#statementPath} hands over to ${rotation.successor}, whose key is not in ${this.#nextPath}. Put it back.`;
    throw new KeyError(message, { code: 'KEY_UNREADABLE' });
  }

  get oldPath(): string {
    return `${this.#keyPath}.old`;
  }

  /** The new key, made if there is none yet. On disk when it returns. @throws KeyError */
  nextKey(): Uint8Array {
    return loadOrCreateKey(this.#nextPath);
  }

  /** The key that signs now. @throws KeyError */
  key(): Uint8Array {
    return loadOrCreateKey(this.#keyPath);
  }

  state(rotation: SignedKeyRotation): void {
    replaceWholeFile(this.#statementPath, `${JSON.stringify(jsonFromKeyRotation(rotation))}\n`, 0o644);
  }

  /** The collector will never take it: the old key stays. */
  giveUp(): void {
    renameSync(this.#statementPath, `${this.#statementPath}.refused`);
    syncDirectory(this.#statementPath);
  }

  /** Keeps the old key under another name too, in case this is cut off before the new one is in its place. @throws KeyError */
  keepOld(old: Address): void {
    // What is left there of a rotation before belongs to a key before.
    const left = loadKey(this.oldPath);
    if (left !== undefined && addressFromSecretKey(left) !== old) {
      const message = `${this.oldPath} is the key of ${addressFromSecretKey(left)}; move it away first`;
      throw new KeyError(message, { code: 'KEY_EXISTS' });
    }
    if (left === undefined) linkSync(this.#keyPath, this.oldPath);
    syncDirectory(this.#keyPath);
  }

  /** The new key is the device's from now on. Call after keepOld. */
  putNext(): void {
    renameSync(this.#nextPath, this.#keyPath);
    syncDirectory(this.#keyPath);
  }

  forgetOld(): void {
    rmSync(this.oldPath, { force: true });
    syncDirectory(this.#keyPath);
  }

  get #nextPath(): string {
    return `${this.#keyPath}.next`;
  }

  #statement(): SignedKeyRotation | undefined {
    let text: string;
    try {
      text = readFileSync(this.#statementPath, 'utf8').slice(0, MAX_CHARACTERS);
    } catch (error) {
      if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
      throw new KeyError(`${this.#statementPath} cannot be read; run as root`, {
        code: 'KEY_UNREADABLE',
        cause: error,
      });
    }
    const decoded = decodeKeyRotation(jsonIn(text));
    if (decoded.ok) return decoded.value;
    const { path, expected, got } = decoded;
    const message = `${this.#statementPath}: ${path || 'file'}: expected ${expected}, got ${got}`;
    throw new KeyError(message, { code: 'KEY_MALFORMED' });
  }
}
