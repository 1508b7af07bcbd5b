/** Gives an interval its place in the device's chain, and signs it: once for each number, and never again. */
import { bytesFromHex, type Hex } from '../../protocol/hex.ts';
import { keccak256, keccak256Text } from '../../protocol/keccak.ts';
import {
  blindedSessionId,
  type RegistryDeployment,
  sessionsRoot,
  type TrafficProof,
  trafficProofDigest,
  trafficProofDigestHex,
} from '../../protocol/traffic-proof.ts';
import { encodeProofUpload } from '../../protocol/traffic-proof-wire.ts';
import { type ProofDraft, totalsOf } from '../core/proof-draft.ts';
import type { ProofRecord, Signer } from '../ports.ts';

export type ChainPlace = { readonly nextSeq: bigint; readonly prev: Hex; readonly minEpoch?: bigint };
export type SealedProof = { readonly record: ProofRecord; readonly body: Uint8Array };

export class ProofSealer {
  readonly #signer: Signer;
  readonly #deployment: RegistryDeployment;
  #blindingSecret: Uint8Array | undefined;

  constructor(signer: Signer, deployment: RegistryDeployment) {
    this.#signer = signer;
    this.#deployment = deployment;
  }

  seal(draft: ProofDraft, { nextSeq, prev, minEpoch = 0n }: ChainPlace): SealedProof {
    const { startS, endS, clockState, vouchers } = draft;
    const epoch = draft.epoch < minEpoch ? minEpoch : draft.epoch;
    const leaves = draft.leaves.map((leaf) => ({
      ...leaf,
      sessionId: blindedSessionId(this.#secret(), leaf.channelId, epoch),
    }));
    const proof: TrafficProof = {
      device: this.#signer.address,
      epoch,
      seq: nextSeq,
      startS,
      endS,
      ...totalsOf(leaves),
      sessionsRoot: sessionsRoot(leaves),
      prev,
      clockState,
    };
    const digest = trafficProofDigestHex(this.#deployment, proof);
    const signed = { ...proof, signature: this.#signer.sign(trafficProofDigest(this.#deployment, proof)) };
    return { record: { proof: signed, digest }, body: encodeProofUpload({ proof: signed, leaves, vouchers }) };
  }

  /** RFC 6979 makes the signature a deterministic secret of the device, also where the key itself cannot be read. */
  #secret(): Uint8Array {
    this.#blindingSecret ??= keccak256(bytesFromHex(this.#signer.sign(keccak256Text('SSP-BLINDING-v1'))));
    return this.#blindingSecret;
  }
}
