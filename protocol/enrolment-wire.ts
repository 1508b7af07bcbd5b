/** Enrolment challenges and enrolments as JSON, and decoding them from untrusted JSON. */
import * as v from 'valibot';
import type { EnrolmentChallenge, EnrolmentCredential, SignedEnrolment } from './enrolment.ts';
import type { Hex } from './hex.ts';
import { jsonFromVendorAttestation, type VendorAttestationJson, vendorAttestationSchema } from './identity-wire.ts';
import { addressSchema, bytes32Schema, type Decoded, decode, signatureSchema, uint40Schema } from './schema.ts';
import { isShortText } from './short-text.ts';

export type EnrolmentChallengeJson = {
  readonly v: 1;
  readonly collector: Hex;
  readonly nonce: Hex;
  readonly expiresS: string;
};
type CredentialJson =
  | { readonly method: 'attestation'; readonly attestation: VendorAttestationJson }
  | { readonly method: 'serial'; readonly serial: string }
  | { readonly method: 'key'; readonly key: Hex };
export type EnrolmentJson = {
  readonly v: 1;
  readonly device: Hex;
  readonly collector: Hex;
  readonly nonce: Hex;
  readonly credential: CredentialJson;
  readonly sig: Hex;
};

const challengeSchema = v.pipe(
  v.strictObject({ v: v.literal(1), collector: addressSchema, nonce: bytes32Schema, expiresS: uint40Schema }),
  v.transform(({ collector, nonce, expiresS }): EnrolmentChallenge => ({ collector, nonce, expiresS })),
);

const credentialSchema = v.variant('method', [
  v.strictObject({ method: v.literal('attestation'), attestation: vendorAttestationSchema }),
  v.strictObject({
    method: v.literal('serial'),
    serial: v.pipe(v.string(), v.check(isShortText, '1..32 printable ASCII characters')),
  }),
  v.strictObject({ method: v.literal('key'), key: bytes32Schema }),
]);

const enrolmentSchema = v.pipe(
  v.strictObject({
    v: v.literal(1),
    device: addressSchema,
    collector: addressSchema,
    nonce: bytes32Schema,
    credential: credentialSchema,
    sig: signatureSchema,
  }),
  v.transform(
    ({ device, collector, nonce, credential, sig }): SignedEnrolment => ({
      device,
      collector,
      nonce,
      credential,
      signature: sig,
    }),
  ),
);

export function decodeEnrolmentChallenge(input: unknown): Decoded<EnrolmentChallenge> {
  return decode(challengeSchema, input);
}

export function decodeEnrolment(input: unknown): Decoded<SignedEnrolment> {
  return decode(enrolmentSchema, input);
}

export function jsonFromEnrolmentChallenge({ collector, nonce, expiresS }: EnrolmentChallenge): EnrolmentChallengeJson {
  return { v: 1, collector, nonce, expiresS: `${expiresS}` };
}

export function jsonFromEnrolment({ device, collector, nonce, credential, signature }: SignedEnrolment): EnrolmentJson {
  return { v: 1, device, collector, nonce, credential: jsonFromCredential(credential), sig: signature };
}

function jsonFromCredential(credential: EnrolmentCredential): CredentialJson {
  return credential.method === 'attestation'
    ? { method: 'attestation', attestation: jsonFromVendorAttestation(credential.attestation) }
    : credential;
}
