/**
 * Two signed proofs that contradict each other, as the arguments of DeviceRegistry.slashEquivocation. Anyone can check and
 * use them: nothing in it is the collector's word.
 */
import { bytesFromHex, type Hex, hexFromBytes } from '../protocol/hex.ts';
import {
  type RegistryDeployment,
  type SignedTrafficProof,
  trafficProofDigestHex,
  trafficProofSigner,
} from '../protocol/traffic-proof.ts';

export type SlashArguments = {
  readonly first: ProofArgument;
  readonly firstSignature: SignatureArgument;
  readonly second: ProofArgument;
  readonly secondSignature: SignatureArgument;
};

/** The words of a TrafficProof in the order of its type. */
type ProofArgument = Omit<SignedTrafficProof, 'signature' | 'sessionsRoot' | 'prev'> & {
  readonly sessionsRoot: Uint8Array;
  readonly prev: Uint8Array;
};
type SignatureArgument = { readonly r: Uint8Array; readonly vs: Uint8Array };

export type Evidence =
  | { readonly ok: true; readonly value: SlashArguments }
  | { readonly ok: false; readonly message: string };

/** Checks what the contract will check, so that nobody pays gas for a refusal. */
export function slashArguments(
  deployment: RegistryDeployment,
  first: SignedTrafficProof,
  second: SignedTrafficProof,
): Evidence {
  const isOnePlace = first.device === second.device && first.epoch === second.epoch && first.seq === second.seq;
  if (!isOnePlace) return { ok: false, message: 'the proofs are not of one device, epoch and number' };
  if (trafficProofDigestHex(deployment, first) === trafficProofDigestHex(deployment, second)) {
    return { ok: false, message: 'both are the same proof' };
  }
  const signatures: SignatureArgument[] = [];
  for (const proof of [first, second]) {
    const signature = signatureForContract(deployment, proof);
    if (signature === undefined) {
      const signer = trafficProofSigner(deployment, proof);
      return { ok: false, message: `a proof is signed by ${signer ?? 'nobody'}, not by the device` };
    }
    signatures.push(signatureArgument(signature));
  }
  const [firstSignature, secondSignature] = signatures as [SignatureArgument, SignatureArgument];
  return {
    ok: true,
    value: { first: proofArgument(first), firstSignature, second: proofArgument(second), secondSignature },
  };
}

/** As others check it: the collector does not insist on the parity bit of EIP-2098, everybody else does. */
export function withRightParity(deployment: RegistryDeployment, proof: SignedTrafficProof): SignedTrafficProof {
  const signature = signatureForContract(deployment, proof);
  return signature === undefined ? proof : { ...proof, signature };
}

/** With the parity bit that recovers to the device. */
function signatureForContract(deployment: RegistryDeployment, proof: SignedTrafficProof): Hex | undefined {
  const flipped = bytesFromHex(proof.signature);
  flipped[32] = (flipped[32] as number) ^ 0x80;
  return [proof.signature, hexFromBytes(flipped)].find(
    (signature) => trafficProofSigner(deployment, { ...proof, signature }) === proof.device,
  );
}

/** For other tools (cast send ... "$(jq ...)"): bytes as hex, numbers as decimal strings. */
export function evidenceJson(evidence: SlashArguments): string {
  const write = (_name: string, value: unknown): unknown => {
    if (typeof value === 'bigint') return value.toString();
    return value instanceof Uint8Array ? (hexFromBytes(value) satisfies Hex) : value;
  };
  return JSON.stringify(evidence, write, 2);
}

function proofArgument({ signature: _, sessionsRoot, prev, ...proof }: SignedTrafficProof): ProofArgument {
  return { ...proof, sessionsRoot: bytesFromHex(sessionsRoot), prev: bytesFromHex(prev) };
}

function signatureArgument(signature: Hex): SignatureArgument {
  const bytes = bytesFromHex(signature);
  return { r: bytes.slice(0, 32), vs: bytes.slice(32) };
}
