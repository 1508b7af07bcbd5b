/** Clock statements and corrections as JSON, and decoding them from untrusted JSON. */
import * as v from 'valibot';
import type { SignedClockCorrection, SignedClockStatement } from './clock-statement.ts';
import type { Hex } from './hex.ts';
import {
  addressSchema,
  bytes32Schema,
  type Decoded,
  decode,
  signatureSchema,
  uint32Schema,
  uint40Schema,
} from './schema.ts';

export type ClockStatementJson = {
  readonly v: 1;
  readonly collector: Hex;
  readonly device: Hex;
  readonly nonce: Hex;
  readonly timeS: string;
  readonly sig: Hex;
};
export type ClockCorrectionJson = {
  readonly v: 1;
  readonly device: Hex;
  readonly fromSeq: string;
  readonly toSeq: string;
  readonly bootS: string;
  readonly statement: Hex;
  readonly sig: Hex;
};

const clockStatementSchema = v.pipe(
  v.strictObject({
    v: v.literal(1),
    collector: addressSchema,
    device: addressSchema,
    nonce: bytes32Schema,
    timeS: uint40Schema,
    sig: signatureSchema,
  }),
  v.transform(
    ({ collector, device, nonce, timeS, sig }): SignedClockStatement => ({
      collector,
      device,
      nonce,
      timeS,
      signature: sig,
    }),
  ),
);

const clockCorrectionSchema = v.pipe(
  v.strictObject({
    v: v.literal(1),
    device: addressSchema,
    fromSeq: uint32Schema,
    toSeq: uint32Schema,
    bootS: uint40Schema,
    statement: bytes32Schema,
    sig: signatureSchema,
  }),
  v.check(({ fromSeq, toSeq }) => fromSeq <= toSeq, 'fromSeq no greater than toSeq'),
  v.transform(
    ({ device, fromSeq, toSeq, bootS, statement, sig }): SignedClockCorrection => ({
      device,
      fromSeq,
      toSeq,
      bootS,
      statement,
      signature: sig,
    }),
  ),
);

export function decodeClockStatement(input: unknown): Decoded<SignedClockStatement> {
  return decode(clockStatementSchema, input);
}

export function decodeClockCorrection(input: unknown): Decoded<SignedClockCorrection> {
  return decode(clockCorrectionSchema, input);
}

export function jsonFromClockStatement(statement: SignedClockStatement): ClockStatementJson {
  const { collector, device, nonce, timeS, signature } = statement;
  return { v: 1, collector, device, nonce, timeS: `${timeS}`, sig: signature };
}

export function jsonFromClockCorrection(correction: SignedClockCorrection): ClockCorrectionJson {
  const { device, fromSeq, toSeq, bootS, statement, signature } = correction;
  return { v: 1, device, fromSeq: `${fromSeq}`, toSeq: `${toSeq}`, bootS: `${bootS}`, statement, sig: signature };
}
