/** What a credential is worth: whether who shows it is admitted, waits for a person, or is refused. */
import type { Address } from '../protocol/address.ts';
import { credentialHash, type SignedEnrolment } from '../protocol/enrolment.ts';
import type { Hex } from '../protocol/hex.ts';
import type { RegistryDeployment } from '../protocol/traffic-proof.ts';
import { type SignedVendorAttestation, vendorAttestationSigner } from '../protocol/vendor-attestation.ts';
import { type EnrolmentRefusal, refused } from './enrolment-answer.ts';
import type { EnrolledDevice, RegistryStore } from './registry-store.ts';
import type { VendorKeys } from './vendor-keys.ts';
import type { VendorRevocations } from './vendor-revocations.ts';

export type Admission = Omit<EnrolledDevice, 'device' | 'sinceS'>;

export type CredentialJudgeDeps = {
  readonly store: RegistryStore;
  readonly deployment: RegistryDeployment;
  /** Keys that attest, by the vendor's number. */
  readonly vendors: ReadonlyMap<bigint, Address>;
  readonly vendorKeys: VendorKeys;
  readonly revocations: VendorRevocations;
  readonly isActive: (device: Address) => boolean;
  /** true: also what a credential would admit waits for a person. */
  readonly isManual?: boolean;
  readonly nowS: () => bigint;
};

export class CredentialJudge {
  readonly #deps: CredentialJudgeDeps;

  constructor(deps: CredentialJudgeDeps) {
    this.#deps = deps;
  }

  /** A single-use key is spent by it, whatever comes of it. */
  judge({ device, credential }: SignedEnrolment): Admission | EnrolmentRefusal {
    switch (credential.method) {
      case 'attestation':
        return this.judgeAttestation(device, credential.attestation);
      case 'serial':
        return this.#judgeSerial(device, credential.serial);
      case 'key':
        return this.#judgeKey(device, credentialHash(this.#deps.deployment, credential));
    }
  }

  judgeAttestation(device: Address, attestation: SignedVendorAttestation): Admission | EnrolmentRefusal {
    const { vendors, deployment, nowS } = this.#deps;
    const { vendorId, notAfter } = attestation;
    const key = vendors.get(vendorId);
    if (key === undefined) return refused('unknown-vendor', `vendor ${vendorId} is not known to this collector`);
    const signer = vendorAttestationSigner(deployment, attestation);
    if (attestation.device !== device || signer !== key) {
      return refused(
        'bad-attestation',
        `the attestation is for ${attestation.device}, signed by ${signer ?? 'nobody'}; expected ${device} and ${key}`,
      );
    }
    if (notAfter < nowS()) return refused('expired', `the attestation ended at ${notAfter}, it is ${nowS()}`);
    const taken = this.#deps.vendorKeys.revoked(key);
    if (taken !== undefined) return refused('revoked', `${taken.why}: ask the vendor for another attestation`);
    const verdict = { method: 'attestation', credential: `${vendorId} ${key}`, vendorId, notAfter } as const;
    if (this.#deps.revocations.isOnList({ device, vendorId })) {
      return refused('revoked', `vendor ${vendorId} has taken device ${device} back`);
    }
    return this.#admitted(verdict, `attested by vendor ${vendorId}`);
  }

  #judgeSerial(device: Address, serial: string): Admission | EnrolmentRefusal {
    const listed = this.#deps.store.serial(serial);
    if (listed === undefined) return refused('unknown-serial', `serial ${serial} is on no list of this collector`);
    const verdict = { method: 'serial', credential: serial } as const;
    if (listed.device === undefined || listed.device === device)
      return this.#admitted(verdict, `batch ${listed.batch}`);
    const reason = `serial ${serial} is held by ${listed.device}: reset, sold, or copied off the case?`;
    return { ...verdict, state: 'pending', reason, replaces: listed.device };
  }

  #judgeKey(device: Address, hash: Hex): Admission | EnrolmentRefusal {
    const key = this.#deps.store.key(hash);
    if (key === undefined) return refused('unknown-key', 'this enrolment key is not known; ask the operator for one');
    if (key.usedBy !== undefined && key.usedBy !== device) {
      return refused(
        'key-used',
        'this enrolment key was used already; each is good once, ask the operator for another',
      );
    }
    if (key.expiresS < this.#deps.nowS()) return refused('key-expired', `this enrolment key ended at ${key.expiresS}`);
    if (key.replaces !== undefined && !this.#deps.isActive(key.replaces)) {
      return refused('not-active', `device ${key.replaces}, which named this key, is no longer active`);
    }
    const verdict = { method: 'key', credential: key.label, replaces: key.replaces } as const;
    // A key is spent whatever comes of it.
    this.#deps.store.putKey({ ...key, usedBy: device });
    return this.#admitted(verdict, `key "${key.label}"`);
  }

  #admitted(verdict: Omit<Admission, 'state' | 'reason'>, reason: string): Admission {
    const isManual = this.#deps.isManual === true;
    return {
      ...verdict,
      state: isManual ? 'pending' : 'active',
      reason: isManual ? `${reason}; waits for approval` : reason,
    };
  }
}
