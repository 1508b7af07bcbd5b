/** What vendors have taken back: their signed lists, and the keys that a listed one has named. */
import type { Address } from '../protocol/address.ts';
import { decodeRevocationList, jsonFromRevocationList } from '../protocol/identity-wire.ts';
import type { RegistryDeployment } from '../protocol/traffic-proof.ts';
import { revocationListSigner, type SignedRevocationList } from '../protocol/vendor-attestation.ts';
import { type EnrolmentAnswer, refused } from './enrolment-answer.ts';
import type { EnrolledDevice, RegistryStore } from './registry-store.ts';
import type { VendorKeys } from './vendor-keys.ts';

export type VendorRevocationsDeps = {
  readonly store: RegistryStore;
  readonly deployment: RegistryDeployment;
  readonly vendors: ReadonlyMap<bigint, Address>;
  readonly keys: VendorKeys;
};

/** Of one router's key; each is looked up for each proof. */
export const MAX_ROTATIONS = 16;

export class VendorRevocations {
  readonly #deps: VendorRevocationsDeps;
  /** Parsed once: a list may name 16,384 devices. */
  readonly #revoked = new Map<bigint, { readonly serial: bigint; readonly devices: ReadonlySet<Address> }>();

  constructor(deps: VendorRevocationsDeps) {
    this.#deps = deps;
  }

  /** Takes a vendor's newer list; what it names is revoked from the next proof on. */
  set(list: SignedRevocationList): EnrolmentAnswer {
    const { store, deployment, vendors, keys } = this.#deps;
    const key = vendors.get(list.vendorId);
    const signer = revocationListSigner(deployment, list);
    if (key === undefined || signer !== key) {
      return refused(
        'bad-signature',
        `the list of vendor ${list.vendorId} is signed by ${signer ?? 'nobody'}, expected ${key ?? 'no vendor of this number'}`,
      );
    }
    const revoked = keys.revoked(key);
    if (revoked !== undefined) return refused('revoked', `${revoked.why}: its lists are not believed`);
    const isTaken = store.putDocument('revocations', `${list.vendorId}`, list.serial, jsonFromRevocationList(list));
    return isTaken
      ? { ok: true, state: 'revoked', reason: `${list.devices.length} devices` }
      : refused('old-list', `list ${list.serial} of vendor ${list.vendorId} is not newer than the one on file`);
  }

  /** A key that another one named stands on what that one had shown: the vendor takes back both. */
  isTakenBack(known: EnrolledDevice): boolean {
    return [known, ...this.namedBy(known)].some((one) => this.isOnList(one));
  }

  /** The keys before this one, newest first. */
  namedBy(known: EnrolledDevice): readonly EnrolledDevice[] {
    const before: EnrolledDevice[] = [];
    for (let at = known; isNamed(at) && at.replaces !== undefined && before.length < MAX_ROTATIONS; ) {
      const named = this.#deps.store.device(at.replaces);
      if (named === undefined) break;
      before.push(named);
      at = named;
    }
    return before;
  }

  isOnList({ device, vendorId }: Pick<EnrolledDevice, 'device' | 'vendorId'>): boolean {
    if (vendorId === undefined) return false;
    const known = this.#revoked.get(vendorId);
    // Another process of this collector may have taken a newer one.
    const isNewest =
      known !== undefined && known.serial === (this.#deps.store.documentSerial('revocations', `${vendorId}`) ?? -1n);
    return (isNewest ? known : this.#readList(vendorId)).devices.has(device);
  }

  #readList(vendorId: bigint): { readonly serial: bigint; readonly devices: ReadonlySet<Address> } {
    const decoded = decodeRevocationList(this.#deps.store.document('revocations', `${vendorId}`));
    const list = decoded.ok
      ? { serial: decoded.value.serial, devices: new Set(decoded.value.devices) }
      : { serial: -1n, devices: new Set<Address>() };
    this.#revoked.set(vendorId, list);
    return list;
  }
}

/** Whether another key vouches for this one. */
function isNamed({ method }: EnrolledDevice): boolean {
  return method === 'key' || method === 'rotation';
}
