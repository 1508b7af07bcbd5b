/** Key rotations as JSON, and decoding them from untrusted JSON. */
import * as v from 'valibot';
import type { Hex } from './hex.ts';
import type { SignedKeyRotation } from './key-rotation.ts';
import { addressSchema, bytes32Schema, type Decoded, decode, signatureSchema, uint32Schema } from './schema.ts';
import { GENESIS_PREV } from './traffic-proof.ts';

export type KeyRotationJson = {
  readonly v: 1;
  readonly device: Hex;
  readonly successor: Hex;
  readonly nextSeq: string;
  readonly prev: Hex;
  readonly sig: Hex;
  readonly successorSig: Hex;
};

const keyRotationSchema = v.pipe(
  v.strictObject({
    v: v.literal(1),
    device: addressSchema,
    successor: addressSchema,
    nextSeq: uint32Schema,
    prev: bytes32Schema,
    sig: signatureSchema,
    successorSig: signatureSchema,
  }),
  v.check(({ device, successor }) => device !== successor, 'another key as successor'),
  v.check(
    ({ nextSeq, prev }) => (nextSeq === 0n) === (prev === GENESIS_PREV),
    'no proof before number 0, and one before any other',
  ),
  v.transform(
    ({ device, successor, nextSeq, prev, sig, successorSig }): SignedKeyRotation => ({
      device,
      successor,
      nextSeq,
      prev,
      signature: sig,
      successorSignature: successorSig,
    }),
  ),
);

export function decodeKeyRotation(input: unknown): Decoded<SignedKeyRotation> {
  return decode(keyRotationSchema, input);
}

export function jsonFromKeyRotation(rotation: SignedKeyRotation): KeyRotationJson {
  const { device, successor, nextSeq, prev, signature, successorSignature } = rotation;
  return { v: 1, device, successor, nextSeq: `${nextSeq}`, prev, sig: signature, successorSig: successorSignature };
}
