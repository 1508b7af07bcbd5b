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
import type { SignedKeyRotation } from '../protocol/key-rotation.ts';
import type { RegistryDeployment } from '../protocol/traffic-proof.ts';
import type { SignedRevocationList } from '../protocol/vendor-attestation.ts';
import { CredentialJudge } from './credential-judge.ts';
import type { KnownDevice } from './device-standing.ts';
import { answerOf, type EnrolmentAnswer, type EnrolmentRefusal, refused } from './enrolment-answer.ts';
import { EnrolmentChallenges } from './enrolment-challenges.ts';
import type { ChainHead } from './fleet-store.ts';
import { type Handover, KeyRotations, type RotationConflict, tookOver } from './key-rotations.ts';
import type { EnrolledDevice, EnrolmentState, RegistryStore } from './registry-store.ts';
import { type RevokedKey, VendorKeys } from './vendor-keys.ts';
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

/** Beyond it nobody new is taken into the queue: it is for people to read. */
const MAX_PENDING = 10_000;
/** A retired key delivers what it had signed: as long as a proof may be late. */
const RETIRED_S = 37n * 86_400n;
const DEFAULT_KEY_S = 3600n;

export class Registry {
  readonly #deps: RegistryDeps;
  readonly #challenges = new EnrolmentChallenges();
  readonly #revocations: VendorRevocations;
  readonly #vendorKeys: VendorKeys;
  readonly #rotations: KeyRotations;
  readonly #credentials: CredentialJudge;

  constructor(deps: RegistryDeps) {
    this.#deps = deps;
    this.#vendorKeys = new VendorKeys(deps);
    this.#revocations = new VendorRevocations({ ...deps, keys: this.#vendorKeys });
    this.#rotations = new KeyRotations(deps);
    const lists = { vendorKeys: this.#vendorKeys, revocations: this.#revocations };
    this.#credentials = new CredentialJudge({ ...deps, ...lists, isActive: (device) => this.#isActive(device) });
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
      if (known !== undefined && known.state !== 'pending') return this.#renewed(known, enrolment);
      const verdict = this.#credentials.judge(enrolment);
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
      return tooMany();
    }
    if (credential.method !== 'key') return refused('no-key', 'a successor is named by a single-use key');
    const hash = credentialHash(deployment, credential);
    if (store.key(hash) !== undefined) return refused('key-known', 'this key is known already; make a fresh one');
    store.putKey({ hash, label: `successor of ${device}`, expiresS: nowS() + DEFAULT_KEY_S, replaces: device });
    return answerOf(known);
  }

  /**
   * Key rotation that goes on with the chain: the successor has its place at once, and the old key may still deliver what it
   * has signed. `isKnown`: whether the old key is in good standing; `head`: its chain as it is in a transaction of the store.
   */
  rotate(rotation: SignedKeyRotation, isKnown: boolean, head: ChainHead): EnrolmentAnswer {
    const { store, nowS } = this.#deps;
    const { device, successor } = rotation;
    const refusal = this.#rotations.refusalOf(rotation, head);
    if (refusal === 'known') return tookOver(rotation);
    if (refusal !== undefined) return refusal;
    if (!isKnown) return refused('not-active', `key ${device} is not enrolled here, or revoked: it hands nothing over`);
    return store.tx(() => {
      const before = store.device(device);
      const chain = before === undefined ? [] : [before, ...this.#revocations.namedBy(before)];
      if (chain.length > MAX_ROTATIONS) return tooMany();
      const entry = { device: successor, state: 'active', method: 'rotation', credential: device } as const;
      const answer = this.#rotations.add(rotation, head);
      this.#put({ ...entry, sinceS: nowS(), reason: `took over from ${device}`, replaces: device });
      const serial = chain.find(({ method }) => method === 'serial')?.credential;
      if (serial !== undefined) store.claimSerial(serial, successor);
      if (before !== undefined) this.#retire(before, successor);
      return answer;
    });
  }

  /** Which numbers of a chain are this key's. */
  links(device: Address): Pick<KnownDevice, 'handedOver' | 'tookOver'> {
    return this.#rotations.links(device);
  }

  /** What made the key a successor. */
  handoverTo(successor: Address): Handover | undefined {
    return this.#rotations.handoverTo(successor);
  }

  /** Pairs of rotations of this key that contradict each other. */
  rotationConflicts(device: Address): readonly RotationConflict[] {
    return this.#rotations.conflicts(device);
  }

  /** The vendor's key counts no more from `fromS` on: neither for its devices' later intervals, nor for new ones. */
  revokeVendorKey(key: Address, fromS: bigint, reason: string): void {
    this.#vendorKeys.revoke(key, fromS, reason);
  }

  isVendorKeyRevoked(key: Address): boolean {
    return this.#vendorKeys.revoked(key) !== undefined;
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
  standing(device: Address): Pick<KnownDevice, 'isRevoked' | 'vouched'> | undefined {
    const known = this.#deps.store.device(device);
    if (known === undefined || known.state === 'pending' || known.state === 'rejected') return undefined;
    const isOver = known.state === 'retired' && this.#deps.nowS() > known.sinceS + RETIRED_S;
    const isRevoked = known.state === 'revoked' || isOver || this.#revocations.isTakenBack(known);
    const vouched = this.#vouchedFor(known);
    return vouched === undefined ? { isRevoked } : { isRevoked, vouched };
  }

  /** By the attestation of this key, or of the nearest one before it that has one. */
  #vouchedFor(known: EnrolledDevice): RevokedKey | undefined {
    for (const one of [known, ...this.#revocations.namedBy(known)]) {
      const vouched = this.#vendorKeys.vouchedFor(one);
      if (vouched !== undefined) return vouched;
    }
    return undefined;
  }

  /** Asked again by a router that is known: with a newer attestation it goes on by that one. */
  #renewed(known: EnrolledDevice, { credential }: SignedEnrolment): EnrolmentAnswer {
    if (known.state !== 'active' || credential.method !== 'attestation') return answerOf(known);
    const verdict = this.#credentials.judgeAttestation(known.device, credential.attestation);
    // What it was admitted by is over, and so is what it shows.
    if ('ok' in verdict) return verdict.code === 'expired' || verdict.code === 'revoked' ? verdict : answerOf(known);
    const before = this.#vouchedFor(known)?.untilS;
    // Who was admitted by something else has no end that could be put off.
    if (before === undefined || (verdict.notAfter ?? 0n) <= before) return answerOf(known);
    // A person's approval, where there was one, was of the router.
    return this.#put({ ...known, ...verdict, state: 'active', reason: `attested until ${verdict.notAfter}` });
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

  #isActive(device: Address): boolean {
    return this.#deps.store.device(device)?.state === 'active' && !this.isRevoked(device);
  }

  #admit(entry: EnrolledDevice): EnrolmentAnswer {
    return entry.state === 'active' ? this.#activate(entry) : this.#put(entry);
  }

  /** Whoever it takes the place of retires, and a serial is its own from now on. */
  #activate(entry: EnrolledDevice): EnrolmentAnswer {
    const { store } = this.#deps;
    // Not as it was when it asked: two who wait for one serial may be approved one after the other.
    const replaces = (entry.method === 'serial' ? store.serial(entry.credential)?.device : undefined) ?? entry.replaces;
    const before = replaces === undefined ? undefined : store.device(replaces);
    if (before !== undefined && before.device !== entry.device) this.#retire(before, entry.device);
    if (entry.method === 'serial') store.claimSerial(entry.credential, entry.device);
    return this.#put({ ...entry, state: 'active' });
  }

  #retire(before: EnrolledDevice, successor: Address): void {
    if (before.state !== 'active') return;
    const { store, nowS } = this.#deps;
    store.put({ ...before, state: 'retired', sinceS: nowS(), reason: `replaced by ${successor}` });
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

function tooMany(): EnrolmentRefusal {
  return refused(
    'too-many',
    `the key was changed ${MAX_ROTATIONS} times; enrol by attestation, serial or operator's key`,
  );
}
