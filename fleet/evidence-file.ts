/**
 * Evidence that one key has signed two histories, as a file that needs nobody's word: the two signed proofs and the contract
 * whose domain they are signed for. Whoever has it checks it off-line and may slash with it.
 */
import * as v from 'valibot';
import { isKeyRotationSigned, keyRotationDigestHex, type SignedKeyRotation } from '../protocol/key-rotation.ts';
import { decodeKeyRotation, jsonFromKeyRotation } from '../protocol/key-rotation-wire.ts';
import {
  addressSchema,
  bytes32Schema,
  type Decoded,
  decode,
  signatureSchema,
  uint32Schema,
  uint40Schema,
  uint64Schema,
} from '../protocol/schema.ts';
import {
  type RegistryDeployment,
  type SignedTrafficProof,
  trafficProofDigestHex,
  trafficProofSigner,
} from '../protocol/traffic-proof.ts';
import { withRightParity } from './equivocation-evidence.ts';

export type EvidenceFile = ProofEvidence | RotationEvidence;

export type ProofEvidence = {
  readonly kind: 'ssp-equivocation';
  readonly deployment: RegistryDeployment;
  readonly first: SignedTrafficProof;
  readonly second: SignedTrafficProof;
};

/** One key has named two successors, or one successor at two places of its chain. */
export type RotationEvidence = {
  readonly kind: 'ssp-rotation-conflict';
  readonly deployment: RegistryDeployment;
  readonly first: SignedKeyRotation;
  readonly second: SignedKeyRotation;
};

/** `isSlashable`: both name one (epoch, seq), which is what DeviceRegistry.slashEquivocation can check. */
export type EvidenceFinding =
  | { readonly ok: true; readonly isSlashable: boolean; readonly message: string }
  | { readonly ok: false; readonly message: string };

const proofSchema = v.strictObject({
  device: addressSchema,
  epoch: uint32Schema,
  seq: uint32Schema,
  startS: uint40Schema,
  endS: uint40Schema,
  bytesUp: uint64Schema,
  bytesDown: uint64Schema,
  paid: uint64Schema,
  sessionsRoot: bytes32Schema,
  prev: bytes32Schema,
  clockState: v.pipe(
    v.picklist(['0', '1']),
    v.transform((text): 0n | 1n => (text === '1' ? 1n : 0n)),
  ),
  signature: signatureSchema,
});

const rotationSchema = v.pipe(
  v.unknown(),
  v.rawTransform(({ dataset, addIssue, NEVER }): SignedKeyRotation => {
    const decoded = decodeKeyRotation(dataset.value);
    if (decoded.ok) return decoded.value;
    addIssue({ message: `a signed rotation, whose ${decoded.path || 'members'} must be ${decoded.expected}` });
    return NEVER;
  }),
);

/** Two of a kind that contradict each other, and the contract whose domain they are signed for. */
function pairSchema<const Kind extends EvidenceFile['kind'], Signed>(
  kind: Kind,
  signed: v.GenericSchema<unknown, Signed>,
) {
  const members = { chainId: uint64Schema, registry: addressSchema, first: signed, second: signed };
  return v.pipe(
    v.strictObject({ v: v.literal(1), kind: v.literal(kind), ...members }),
    v.transform(({ chainId, registry, first, second }) => ({
      kind,
      deployment: { chainId, registry },
      first,
      second,
    })),
  );
}

const proofsSchema = pairSchema('ssp-equivocation', proofSchema);
const rotationsSchema = pairSchema('ssp-rotation-conflict', rotationSchema);

/** One line of GET /v1/equivocations. */
const listedSchema = v.object({
  equivocations: v.array(v.object({ isSlashable: v.boolean(), first: proofSchema, second: proofSchema })),
  rotations: v.optional(v.array(v.object({ first: rotationSchema, second: rotationSchema })), []),
});

export function decodeEvidenceFile(input: unknown): Decoded<EvidenceFile> {
  const isOfRotations = (input as { kind?: unknown } | null | undefined)?.kind === 'ssp-rotation-conflict';
  return isOfRotations ? decode(rotationsSchema, input) : decode(proofsSchema, input);
}

/** The contradictions that a collector lists of a device. */
export function decodeEquivocations(input: unknown): Decoded<v.InferOutput<typeof listedSchema>> {
  return decode(listedSchema, input);
}

export function evidenceFileJson(evidence: EvidenceFile): object {
  const { kind, deployment } = evidence;
  const { chainId, registry } = deployment;
  const of = { v: 1, kind, chainId: `${chainId}`, registry };
  return evidence.kind === 'ssp-equivocation'
    ? { ...of, first: proofJson(evidence.first), second: proofJson(evidence.second) }
    : { ...of, first: jsonFromKeyRotation(evidence.first), second: jsonFromKeyRotation(evidence.second) };
}

/** Checked from what was signed alone: one device signed both, and they cannot both be true. */
export function examineEvidence(evidence: EvidenceFile): EvidenceFinding {
  return evidence.kind === 'ssp-equivocation' ? examineProofs(evidence) : examineRotations(evidence);
}

function examineRotations({ deployment, first, second }: RotationEvidence): EvidenceFinding {
  const unsigned = [first, second].find((rotation) => !isKeyRotationSigned(deployment, rotation));
  if (unsigned !== undefined) {
    const { device, successor } = unsigned;
    return { ok: false, message: `the rotation is not signed by both ${device} and ${successor}` };
  }
  const { device } = first;
  if (second.device !== device) return { ok: false, message: `the rotations are of ${device} and ${second.device}` };
  if (keyRotationDigestHex(deployment, first) === keyRotationDigestHex(deployment, second)) {
    return { ok: false, message: 'both are the same rotation' };
  }
  const [one, other] = [first, second].map(({ successor, nextSeq }) => `${successor} from proof ${nextSeq} on`);
  return { ok: true, isSlashable: false, message: `key ${device} gave its chain to ${one}, and to ${other}` };
}

/** The parity bit of a signature is put right where a proof is taken up: nobody escapes by turning it. */
function examineProofs(evidence: ProofEvidence): EvidenceFinding {
  const { deployment } = evidence;
  const first = withRightParity(deployment, evidence.first);
  const second = withRightParity(deployment, evidence.second);
  for (const [name, proof] of [
    ['first', first],
    ['second', second],
  ] as const) {
    const signer = trafficProofSigner(deployment, proof);
    if (signer !== proof.device) {
      return {
        ok: false,
        message: `the ${name} proof is signed by ${signer ?? 'nobody'}, not by device ${proof.device}`,
      };
    }
  }
  const { device, epoch, seq } = first;
  if (second.device !== device) return { ok: false, message: `the proofs are of ${device} and ${second.device}` };
  const [digest, other] = [trafficProofDigestHex(deployment, first), trafficProofDigestHex(deployment, second)];
  if (digest === other) return { ok: false, message: 'both are the same proof' };
  if (seq === second.seq) {
    const isSlashable = epoch === second.epoch;
    const place = isSlashable
      ? `epoch ${epoch}, number ${seq}`
      : `number ${seq}, in epochs ${epoch} and ${second.epoch}`;
    return {
      ok: true,
      isSlashable,
      message: `device ${device} signed two proofs for ${place}: ${digest} and ${other}`,
    };
  }
  const [earlier, later, expected] = seq < second.seq ? [first, second, digest] : [second, first, other];
  if (later.seq === earlier.seq + 1n && later.prev !== expected) {
    const message = `device ${device} signed proof ${later.seq} after ${later.prev}, and ${expected} as proof ${earlier.seq}`;
    return { ok: true, isSlashable: false, message };
  }
  return { ok: false, message: `proofs ${seq} and ${second.seq} do not contradict each other` };
}

function proofJson(proof: SignedTrafficProof): object {
  return Object.fromEntries(
    Object.entries(proof).map(([name, value]) => [name, typeof value === 'bigint' ? value.toString() : value]),
  );
}
