/**
 * Keys of vendors that count no more: one that was stolen attests whatever the thief likes. Said by the collector's owner
 * (`fleet enrol revoke-vendor`), heard by every process of the collector at the next proof. What a device of that vendor carried
 * until then counts; later intervals get the verdict `revoked`, and nobody new is admitted.
 */
import * as v from 'valibot';
import type { Address } from '../protocol/address.ts';
import { decode, uint40Schema } from '../protocol/schema.ts';
import type { EnrolledDevice, RegistryStore } from './registry-store.ts';

export type RevokedKey = { readonly untilS: bigint; readonly why: string };

export type VendorKeysDeps = {
  readonly store: RegistryStore;
  readonly vendors: ReadonlyMap<bigint, Address>;
};

const revokedSchema = v.strictObject({ untilS: uint40Schema, reason: v.string() });

export class VendorKeys {
  readonly #deps: VendorKeysDeps;
  readonly #known = new Map<Address, { readonly serial: bigint; readonly revoked: RevokedKey }>();

  constructor(deps: VendorKeysDeps) {
    this.#deps = deps;
  }

  /** From `untilS` on nothing rests on this key. What was said of it before no longer counts. */
  revoke(key: Address, untilS: bigint, reason: string): void {
    const { store } = this.#deps;
    const serial = (store.documentSerial('vendor-key', key) ?? -1n) + 1n;
    store.putDocument('vendor-key', key, serial, { untilS: `${untilS}`, reason });
  }

  revoked(key: Address): RevokedKey | undefined {
    const serial = this.#deps.store.documentSerial('vendor-key', key);
    if (serial === undefined) return undefined;
    const known = this.#known.get(key);
    if (known?.serial === serial) return known.revoked;
    const decoded = decode(revokedSchema, this.#deps.store.document('vendor-key', key));
    // Unreadable: better nothing than all.
    const { untilS, reason } = decoded.ok ? decoded.value : { untilS: 0n, reason: 'the registry is damaged' };
    const revoked = { untilS, why: `the vendor's key ${key} was taken back (${reason})` };
    this.#known.set(key, { serial, revoked });
    return revoked;
  }

  /** Until when somebody vouches for an attested device: the end of its attestation, or of its vendor's key. */
  vouchedFor({ credential, vendorId, notAfter }: EnrolledDevice): RevokedKey | undefined {
    if (vendorId === undefined || notAfter === undefined) return undefined;
    const ended = { untilS: notAfter, why: 'the attestation ended; ask the vendor for another, and enrol with it' };
    const key = credential.split(' ')[1] ?? this.#deps.vendors.get(vendorId);
    const revoked = key === undefined ? undefined : this.revoked(key as Address);
    return revoked !== undefined && revoked.untilS < notAfter ? revoked : ended;
  }
}
