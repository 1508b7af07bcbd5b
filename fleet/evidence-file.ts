/**
 * Evidence that one key has signed two histories, as a file that needs nobody's word: the two signed proofs and the contract
 * whose domain they are signed for. Whoever has it checks it off-line and may slash with it.
 */
import * as v from 'valibot';
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

export type EvidenceFile = {
  readonly deployment: RegistryDeployment;
  readonly first: SignedTrafficProof;
  readonly second: SignedTrafficProof;
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

const evidenceSchema = v.pipe(
  v.strictObject({
    v: v.literal(1),
    kind: v.literal('ssp-equivocation'),
    chainId: uint64Schema,
    registry: addressSchema,
    first: proofSchema,
    second: proofSchema,
  }),
  v.transform(
    ({ chainId, registry, first, second }): EvidenceFile => ({ deployment: { chainId, registry }, first, second }),
  ),
);

/** One line of GET /v1/equivocations. */
const listedSchema = v.object({
  equivocations: v.array(v.object({ isSlashable: v.boolean(), first: proofSchema, second: proofSchema })),
});

export function decodeEvidenceFile(input: unknown): Decoded<EvidenceFile> {
  return decode(evidenceSchema, input);
}

/** The contradictions that a collector lists of a device. */
export function decodeEquivocations(input: unknown): Decoded<v.InferOutput<typeof listedSchema>> {
  return decode(listedSchema, input);
}

export function evidenceFileJson({ deployment, first, second }: EvidenceFile): object {
  const { chainId, registry } = deployment;
  return {
    v: 1,
    kind: 'ssp-equivocation',
    chainId: `${chainId}`,
    registry,
    first: proofJson(first),
    second: proofJson(second),
  };
}

/** Checked from the two proofs alone: one device signed both, and they cannot both be true. */
export function examineEvidence({ deployment, first, second }: EvidenceFile): EvidenceFinding {
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
