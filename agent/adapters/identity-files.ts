/** The router's public documents and its enrolment credential, in files beside the device key. */
import { readFileSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { SignedDeviceBinding } from '../../protocol/device-binding.ts';
import type { EnrolmentCredential } from '../../protocol/enrolment.ts';
import { isHexOfLength } from '../../protocol/hex.ts';
import {
  decodeDeviceBinding,
  decodeRevocationList,
  decodeVendorAttestation,
  jsonFromDeviceBinding,
} from '../../protocol/identity-wire.ts';
import type { Decoded } from '../../protocol/schema.ts';
import { isShortText } from '../../protocol/short-text.ts';
import type { SignedRevocationList, SignedVendorAttestation } from '../../protocol/vendor-attestation.ts';
import { replaceWholeFile } from './whole-file.ts';

/** A file is there and cannot be used: the message names it, and what to do. */
export class IdentityFileError extends Error {
  override readonly name = 'IdentityFileError';
}

/** A revocation list of 16,384 devices is 700 kB. */
const MAX_FILE_CHARACTERS = 1_000_000;

export class IdentityFiles {
  readonly #directory: string;

  constructor(deviceKeyPath: string) {
    this.#directory = dirname(deviceKeyPath);
  }

  /** attestation.json, as the vendor gave it. @throws IdentityFileError */
  attestation(): SignedVendorAttestation | undefined {
    return this.#read('attestation.json', decodeVendorAttestation);
  }

  /** binding.json: whom the router earns for. @throws IdentityFileError */
  binding(): SignedDeviceBinding | undefined {
    return this.#read('binding.json', decodeDeviceBinding);
  }

  /** revocations.json: the vendor's list, where somebody put one. @throws IdentityFileError */
  revocations(): SignedRevocationList | undefined {
    return this.#read('revocations.json', decodeRevocationList);
  }

  storeBinding(binding: SignedDeviceBinding): string {
    const path = join(this.#directory, 'binding.json');
    replaceWholeFile(path, `${JSON.stringify(jsonFromDeviceBinding(binding))}\n`, 0o644);
    return path;
  }

  /**
   * What the router can enrol with, the strongest first: the vendor's attestation, then enrolment-key (a single-use key, or
   * "serial:" and the serial number). @throws IdentityFileError
   */
  credential(): EnrolmentCredential | undefined {
    const attestation = this.attestation();
    if (attestation !== undefined) return { method: 'attestation', attestation };
    const text = this.#text('enrolment-key')?.trim();
    return text === undefined ? undefined : credentialFrom(text, join(this.#directory, 'enrolment-key'));
  }

  /** A key is good once: spent, it is of no use but to whoever finds it. */
  forgetKey(): void {
    rmSync(join(this.#directory, 'enrolment-key'), { force: true });
  }

  #read<T>(name: string, decode: (input: unknown) => Decoded<T>): T | undefined {
    const text = this.#text(name);
    if (text === undefined) return undefined;
    const path = join(this.#directory, name);
    let json: unknown;
    try {
      json = JSON.parse(text);
    } catch {
      throw new IdentityFileError(`${path} is not JSON; put the document there as it was given`);
    }
    const decoded = decode(json);
    if (decoded.ok) return decoded.value;
    throw new IdentityFileError(`${path}: ${decoded.path || 'file'}: expected ${decoded.expected}, got ${decoded.got}`);
  }

  #text(name: string): string | undefined {
    try {
      return readFileSync(join(this.#directory, name), 'utf8').slice(0, MAX_FILE_CHARACTERS);
    } catch (error) {
      if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
      throw new IdentityFileError(`${join(this.#directory, name)} cannot be read: ${error}; run as root`);
    }
  }
}

/** @throws IdentityFileError; the text itself is never repeated, it may be a secret with a slip in it */
export function credentialFrom(text: string, where: string): EnrolmentCredential {
  const serial = text.startsWith('serial:') ? text.slice('serial:'.length) : undefined;
  if (serial !== undefined && isShortText(serial)) return { method: 'serial', serial };
  if (isHexOfLength(text, 32)) return { method: 'key', key: text };
  throw new IdentityFileError(
    `${where} must be 0x and 64 lower-case hex digits, or serial: and 1..32 printable characters`,
  );
}
