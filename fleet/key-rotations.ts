/**
 * Which keys went on in which ones' place (protocol/key-rotation.ts). Asked for each proof, so it is kept in memory; another
 * process of this collector may have taken one, which is looked for each time by the number of the last.
 */
import type { Address } from '../protocol/address.ts';
import { isKeyRotationSigned, keyRotationDigestHex, type SignedKeyRotation } from '../protocol/key-rotation.ts';
import type { RegistryDeployment } from '../protocol/traffic-proof.ts';
import type { KnownDevice } from './device-standing.ts';
import { type EnrolmentAnswer, type EnrolmentRefusal, refused } from './enrolment-answer.ts';
import type { ChainHead } from './fleet-store.ts';
import { type HeadProof, handedHeadIn, textOfHandedHead } from './handed-head.ts';
import type { RegistryStore } from './registry-store.ts';

export type KeyRotationsDeps = {
  readonly store: RegistryStore;
  readonly deployment: RegistryDeployment;
};

/** A rotation on file and another that the same key has signed: whoever reads both knows that the key was copied. */
export type RotationConflict = { readonly first: SignedKeyRotation; readonly second: SignedKeyRotation };

/** How a key came to go on with a chain. `head`: the last proof of it that the key before had signed, if there was one. */
export type Handover = { readonly rotation: SignedKeyRotation; readonly head?: HeadProof | undefined };

/** Evidence needs one; a thief may make any number. */
const MAX_CONFLICTS = 16;

export class KeyRotations {
  readonly #deps: KeyRotationsDeps;
  readonly #byDevice = new Map<Address, SignedKeyRotation>();
  readonly #bySuccessor = new Map<Address, SignedKeyRotation>();
  readonly #heads = new Map<Address, string>();
  #last = 0n;

  constructor(deps: KeyRotationsDeps) {
    this.#deps = deps;
  }

  /** Which numbers of a chain are this key's. */
  links(device: Address): Pick<KnownDevice, 'handedOver' | 'tookOver'> {
    const given = this.from(device);
    const taken = this.to(device);
    return {
      ...(given === undefined ? {} : { handedOver: { fromSeq: given.nextSeq, successor: given.successor } }),
      ...(taken === undefined ? {} : { tookOver: { fromSeq: taken.nextSeq, prev: taken.prev, device: taken.device } }),
    };
  }

  /** The rotation that the key has signed as the old one. */
  from(device: Address): SignedKeyRotation | undefined {
    this.#readNew();
    return this.#byDevice.get(device);
  }

  /** The rotation that made the key a successor. */
  to(successor: Address): SignedKeyRotation | undefined {
    this.#readNew();
    return this.#bySuccessor.get(successor);
  }

  /** The same with the head of the chain, which another shard may keep. */
  handoverTo(successor: Address): Handover | undefined {
    const rotation = this.to(successor);
    const head = this.#heads.get(successor);
    return rotation && { rotation, ...(head === undefined ? {} : { head: handedHeadIn(head) }) };
  }

  /**
   * Why a rotation cannot be taken, "known" if it has been, or undefined. One that contradicts the one on file is kept as
   * evidence, whoever brings it.
   */
  refusalOf(rotation: SignedKeyRotation, head: ChainHead): EnrolmentRefusal | 'known' | undefined {
    const { deployment, store } = this.#deps;
    const { device, successor, nextSeq, prev } = rotation;
    if (!isKeyRotationSigned(deployment, rotation)) {
      return refused('bad-signature', `the rotation is not signed by both ${device} and ${successor}`);
    }
    const known = this.from(device);
    if (known !== undefined) {
      if (keyRotationDigestHex(deployment, known) === keyRotationDigestHex(deployment, rotation)) return 'known';
      store.addConflict(rotation, MAX_CONFLICTS);
      const other = `${known.successor} goes on from proof ${known.nextSeq}`;
      return refused('contradiction', `key ${device} has signed already that ${other}: it was copied. Both are kept.`);
    }
    if (
      this.to(successor) !== undefined ||
      this.from(successor) !== undefined ||
      store.device(successor) !== undefined
    ) {
      return refused('successor-known', `key ${successor} has a place here already; make a fresh one`);
    }
    // A successor that has signed nothing yet stands where it took over.
    const at = head.last === undefined ? (this.to(device) ?? head) : head;
    if (at.nextSeq !== nextSeq || at.prev !== prev || head.missing.length > 0) {
      const missing = head.missing.length === 0 ? '' : `, with ${head.missing.length} gaps before it`;
      return refused(
        'not-in-step',
        `the chain of ${device} goes on with proof ${at.nextSeq} after ${at.prev}${missing}; the rotation says ${nextSeq} after ${prev}. Deliver all proofs first.`,
      );
    }
    return undefined;
  }

  /** Call in a transaction of the store. */
  add(rotation: SignedKeyRotation, { last }: ChainHead): EnrolmentAnswer {
    this.#deps.store.addRotation(rotation, last && textOfHandedHead(last));
    return tookOver(rotation);
  }

  conflicts(device: Address): readonly RotationConflict[] {
    const first = this.from(device);
    return first === undefined ? [] : this.#deps.store.conflicts(device).map((second) => ({ first, second }));
  }

  #readNew(): void {
    if (this.#deps.store.lastRotation() === this.#last) return;
    for (const { id, rotation, head } of this.#deps.store.rotationsAfter(this.#last)) {
      this.#byDevice.set(rotation.device, rotation);
      this.#bySuccessor.set(rotation.successor, rotation);
      if (head !== undefined) this.#heads.set(rotation.successor, head);
      this.#last = id;
    }
  }
}

export function tookOver({ device, nextSeq }: SignedKeyRotation): EnrolmentAnswer {
  return { ok: true, state: 'active', reason: `goes on in the place of ${device} from proof ${nextSeq} on` };
}
