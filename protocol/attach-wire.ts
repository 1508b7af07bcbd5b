/** Decoding the two requests of a device that takes up a session, from untrusted JSON: for a challenge, and its answer. */
import * as v from 'valibot';
import type { Address } from './address.ts';
import type { SignedAttach } from './attach.ts';
import { addressSchema, bytes32Schema, type Decoded, decode, signatureSchema } from './schema.ts';

/** Whose running session is asked for: the signer of its channel. */
export type ChallengeRequest = { readonly signer: Address };

export const challengeRequestSchema = v.pipe(
  v.strictObject({ v: v.literal(1), signer: addressSchema }),
  v.transform(({ signer }): ChallengeRequest => ({ signer })),
);

export const attachSchema = v.pipe(
  v.strictObject({ v: v.literal(1), ch: bytes32Schema, challenge: bytes32Schema, sig: signatureSchema }),
  v.transform(({ ch, challenge, sig }): SignedAttach => ({ channelId: ch, challenge, signature: sig })),
);

export function decodeChallengeRequest(input: unknown): Decoded<ChallengeRequest> {
  return decode(challengeRequestSchema, input);
}

export function decodeAttach(input: unknown): Decoded<SignedAttach> {
  return decode(attachSchema, input);
}
