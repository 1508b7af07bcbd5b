/**
 * Enrolment: who may have its proofs taken here. A router shows that it holds its key (it signs the collector's nonce) and
 * one credential: its vendor's attestation, a serial number off a vendor's list, or a single-use key. What no rule decides
 * waits for a person.
 *
 * An identity is a key; serial numbers are attributes of it. A router that was reset has a new key, and so asks anew: with
 * its serial it waits for approval, because a serial is printed on the case and proves nothing by itself.
 */
import { randomBytes } from 'node:crypto';
import type { Address } from '../protocol/address.ts';
import {
  credentialHash,
  type EnrolmentChallenge,
  isEnrolmentSigned,
  type SignedEnrolment,
} from '../protocol/enrolment.ts';
import { type Hex, hexFromBytes } from '../protocol/hex.ts';
import type { RegistryDeployment } from '../protocol/traffic-proof.ts';
import {
  type SignedRevocationList,
  type SignedVendorAttestation,
  vendorAttestationSigner,
} from '../protocol/vendor-attestation.ts';
import { answerOf, type EnrolmentAnswer, type EnrolmentRefusal, refused } from './enrolment-answer.ts';
import { EnrolmentChallenges } from './enrolment-challenges.ts';
import type { EnrolledDevice, EnrolmentState, RegistryStore } from './registry-store.ts';
import { MAX_ROTATIONS, VendorRevocations } from './vendor-revocations.ts';

export type RegistryDeps = {
  readonly store: RegistryStore;
  readonly deployment: RegistryDeployment;
  readonly collector: Address;
  /** Keys that attest, by the vendor's number. */
  readonly vendors: ReadonlyMap<bigint, Address>;
  /** true: also what a credential would admit waits for a person. */
  readonly isManual?: boolean;
  readonly nowS: () => bigint;
};

type Verdict = Omit<EnrolledDevice, 'device' | 'sinceS'>;

/** Beyond it nobody new is taken into the queue: it is for people to read. */
const MAX_PENDING = 10_000;
/** A retired key delivers what it had signed: as long as a proof may be late. */
const RETIRED_S = 37n * 86_400n;
const DEFAULT_KEY_S = 3600n;

export class Registry {
  readonly #deps: RegistryDeps;
  readonly #challenges = new EnrolmentChallenges();
  readonly #revocations: VendorRevocations;

  constructor(deps: RegistryDeps) {
    this.#deps = deps;
    this.#revocations = new VendorRevocations(deps);
  }

  challenge(): EnrolmentChallenge {
    const { collector, nowS } = this.#deps;
    return { collector, ...this.#challenges.make(nowS()) };
  }

  enrol(enrolment: SignedEnrolment): EnrolmentAnswer {
    const refusal = this.#refusalOf(enrolment);
    if (refusal !== undefined) return refusal;
    const { store } = this.#deps;
    return store.tx(() => {
      const { device } = enrolment;
      const known = store.device(device);
      if (known !== undefined && known.state !== 'pending') return answerOf(known);
      const verdict = this.#judge(enrolment);
      if ('ok' in verdict) return known === undefined ? verdict : answerOf(known);
      if (verdict.state === 'pending' && known === undefined && store.count('pending') >= MAX_PENDING) {
        return refused(
          'queue-full',
          `${MAX_PENDING} routers wait for approval already; ask the operator to work them off`,
        );
      }
      return this.#admit({ ...verdict, device, sinceS: known?.sinceS ?? this.#deps.nowS() });
    });
  }

  /** Key rotation: an active device names, under its old key, the single-use key that its successor will enrol with. */
  nameSuccessor(enrolment: SignedEnrolment): EnrolmentAnswer {
    const refusal = this.#refusalOf(enrolment);
    if (refusal !== undefined) return refusal;
    const { store, deployment, nowS } = this.#deps;
    const { device, credential } = enrolment;
    const known = store.device(device);
    if (known === undefined || !this.#isActive(device)) {
      return refused(
        'not-active',
        `device ${device} is ${known?.state ?? 'not enrolled'}; only an active one names its successor`,
      );
    }
    if (this.#revocations.namedBy(known).length >= MAX_ROTATIONS) {
      return refused(
        'too-many',
        `the key was changed ${MAX_ROTATIONS} times; enrol by attestation, serial or operator's key`,
      );
    }
    if (credential.method !== 'key') return refused('no-key', 'a successor is named by a single-use key');
    const hash = credentialHash(deployment, credential);
    if (store.key(hash) !== undefined) return refused('key-known', 'this key is known already; make a fresh one');
    store.putKey({ hash, label: `successor of ${device}`, expiresS: nowS() + DEFAULT_KEY_S, replaces: device });
    return answerOf(known);
  }

  /** A new single-use key, shown this once; `ttlS` seconds good. */
  makeKey(label: string, ttlS: bigint = DEFAULT_KEY_S): Hex {
    const key = hexFromBytes(randomBytes(32));
    const { store, deployment, nowS } = this.#deps;
    store.putKey({ hash: credentialHash(deployment, { method: 'key', key }), label, expiresS: nowS() + ttlS });
    return key;
  }

  approve(device: Address): EnrolmentAnswer {
    return this.#decide(device, ['pending', 'rejected'], (known) => this.#activate({ ...known, reason: 'approved' }));
  }

  reject(device: Address, reason: string): EnrolmentAnswer {
    return this.#decide(device, ['pending'], (known) => this.#put({ ...known, state: 'rejected', reason }));
  }

  /** For ever: a stolen or cloned key does not come back. */
  revoke(device: Address, reason: string): EnrolmentAnswer {
    return this.#decide(device, ['pending', 'active', 'rejected', 'retired'], (known) =>
      this.#put({ ...known, state: 'revoked', reason }),
    );
  }

  /** Takes a vendor's newer list; what it names is revoked from the next proof on. */
  setRevocations(list: SignedRevocationList): EnrolmentAnswer {
    return this.#revocations.set(list);
  }

  /** Whether proofs of this device are the word of one in good standing; undefined: not enrolled. */
  standing(device: Address): { readonly isRevoked: boolean } | undefined {
    const known = this.#deps.store.device(device);
    if (known === undefined || known.state === 'pending' || known.state === 'rejected') return undefined;
    const isOver = known.state === 'retired' && this.#deps.nowS() > known.sinceS + RETIRED_S;
    return { isRevoked: known.state === 'revoked' || isOver || this.#revocations.isTakenBack(known) };
  }

  isRevoked(device: Address): boolean {
    return this.standing(device)?.isRevoked === true;
  }

  #refusalOf(enrolment: SignedEnrolment): EnrolmentAnswer | undefined {
    const { collector, deployment, nowS } = this.#deps;
    if (enrolment.collector !== collector) {
      return refused('wrong-collector', `the enrolment is for collector ${enrolment.collector}, this is ${collector}`);
    }
    if (!this.#challenges.isOpen(enrolment.nonce, nowS())) {
      return refused('bad-nonce', 'the nonce is unknown, used or too old; ask for a new challenge');
    }
    if (!isEnrolmentSigned(deployment, enrolment)) {
      return refused('bad-signature', `the enrolment is not signed by device ${enrolment.device}`);
    }
    this.#challenges.spend(enrolment.nonce);
    return undefined;
  }

  #judge({ device, credential }: SignedEnrolment): Verdict | EnrolmentRefusal {
    switch (credential.method) {
      case 'attestation':
        return this.#judgeAttestation(device, credential.attestation);
      case 'serial':
        return this.#judgeSerial(device, credential.serial);
      case 'key':
        return this.#judgeKey(device, credentialHash(this.#deps.deployment, credential));
    }
  }

  #judgeAttestation(device: Address, attestation: SignedVendorAttestation): Verdict | EnrolmentRefusal {
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
    const verdict = { method: 'attestation', credential: `${vendorId}`, vendorId, notAfter } as const;
    if (this.#revocations.isOnList({ device, vendorId })) {
      return refused('revoked', `vendor ${vendorId} has taken device ${device} back`);
    }
    return this.#admitted(verdict, `attested by vendor ${vendorId}`);
  }

  #judgeSerial(device: Address, serial: string): Verdict | EnrolmentRefusal {
    const listed = this.#deps.store.serial(serial);
    if (listed === undefined) return refused('unknown-serial', `serial ${serial} is on no list of this collector`);
    const verdict = { method: 'serial', credential: serial } as const;
    if (listed.device === undefined || listed.device === device)
      return this.#admitted(verdict, `batch ${listed.batch}`);
    const reason = `serial ${serial} is held by ${listed.device}: reset, sold, or copied off the case?`;
    return { ...verdict, state: 'pending', reason, replaces: listed.device };
  }

  #judgeKey(device: Address, hash: Hex): Verdict | EnrolmentRefusal {
    const key = this.#deps.store.key(hash);
    if (key === undefined) return refused('unknown-key', 'this enrolment key is not known; ask the operator for one');
    if (key.usedBy !== undefined && key.usedBy !== device) {
      return refused(
        'key-used',
        'this enrolment key was used already; each is good once, ask the operator for another',
      );
    }
    if (key.expiresS < this.#deps.nowS()) return refused('key-expired', `this enrolment key ended at ${key.expiresS}`);
    if (key.replaces !== undefined && !this.#isActive(key.replaces)) {
      return refused('not-active', `device ${key.replaces}, which named this key, is no longer active`);
    }
    const verdict = { method: 'key', credential: key.label, replaces: key.replaces } as const;
    // A key is spent whatever comes of it.
    this.#deps.store.putKey({ ...key, usedBy: device });
    return this.#admitted(verdict, `key "${key.label}"`);
  }

  #isActive(device: Address): boolean {
    return this.#deps.store.device(device)?.state === 'active' && !this.isRevoked(device);
  }

  #admitted(verdict: Omit<Verdict, 'state' | 'reason'>, reason: string): Verdict {
    const isManual = this.#deps.isManual === true;
    return {
      ...verdict,
      state: isManual ? 'pending' : 'active',
      reason: isManual ? `${reason}; waits for approval` : reason,
    };
  }

  #admit(entry: EnrolledDevice): EnrolmentAnswer {
    return entry.state === 'active' ? this.#activate(entry) : this.#put(entry);
  }

  /** Whoever it takes the place of retires, and a serial is its own from now on. */
  #activate(entry: EnrolledDevice): EnrolmentAnswer {
    const { store, nowS } = this.#deps;
    // Not as it was when it asked: two who wait for one serial may be approved one after the other.
    const replaces = (entry.method === 'serial' ? store.serial(entry.credential)?.device : undefined) ?? entry.replaces;
    const before = replaces === undefined ? undefined : store.device(replaces);
    if (before !== undefined && before.device !== entry.device && before.state === 'active') {
      store.put({ ...before, state: 'retired', sinceS: nowS(), reason: `replaced by ${entry.device}` });
    }
    if (entry.method === 'serial') store.claimSerial(entry.credential, entry.device);
    return this.#put({ ...entry, state: 'active' });
  }

  #put(entry: EnrolledDevice): EnrolmentAnswer {
    this.#deps.store.put(entry);
    return answerOf(entry);
  }

  #decide(
    device: Address,
    from: readonly EnrolmentState[],
    decide: (known: EnrolledDevice) => EnrolmentAnswer,
  ): EnrolmentAnswer {
    const { store } = this.#deps;
    return store.tx(() => {
      const known = store.device(device);
      if (known === undefined) return refused('unknown-device', `device ${device} has not asked to be enrolled`);
      if (!from.includes(known.state)) {
        return refused('wrong-state', `device ${device} is ${known.state}, expected ${from.join(' or ')}`);
      }
      return decide(known);
    });
  }
}
