/**
 * Schemas of the protocol's scalar values, and the one way to decode untrusted JSON: a value or a refusal that names
 * path, expected and got. Whole messages stand beside their types (voucher-wire.ts, open-wire.ts, ...).
 */
import * as v from 'valibot';
import { parseAddress } from './address.ts';
import { type Hex, isHexOfLength } from './hex.ts';
import { isCompactSignature } from './signature.ts';
import { uint64FromDecimal } from './units.ts';

export type Refusal = { readonly path: string; readonly expected: string; readonly got: string };
export type Decoded<T> = { readonly ok: true; readonly value: T } | ({ readonly ok: false } & Refusal);

/** Decimal string to bigint in 0..2^64-1. */
export const uint64Schema = v.pipe(
  v.string(),
  v.maxLength(20),
  v.check((text) => uint64FromDecimal(text) !== undefined, 'decimal string of 0..2^64-1'),
  v.transform((text): bigint => BigInt(text)),
);

/** Decimal string to bigint in 0..2^40-1: unix seconds and durations, which are uint40 in what is signed. */
export const uint40Schema = v.pipe(
  uint64Schema,
  v.check((value) => value < 1n << 40n, 'decimal string of 0..2^40-1'),
);

/** Decimal string to bigint in 0..2^32-1: counters and serial numbers. */
export const uint32Schema = v.pipe(
  uint64Schema,
  v.check((value) => value < 1n << 32n, 'decimal string of 0..2^32-1'),
);

/** 20 bytes of hex, lower-cased. */
export const addressSchema = v.pipe(
  v.string(),
  v.check((text) => parseAddress(text) !== undefined, 'address (0x and 40 hex digits)'),
  v.transform((text): Hex => text.toLowerCase() as Hex),
);

/** 32 bytes of hex, lower-cased. */
export const bytes32Schema = v.pipe(
  v.string(),
  v.check((text) => isHexOfLength(text, 32), '32 bytes of hex (0x and 64 hex digits)'),
  v.transform((text): Hex => text.toLowerCase() as Hex),
);

/** EIP-2098 signature, 64 bytes of hex. */
export const signatureSchema = v.pipe(
  v.string(),
  v.check((text) => isCompactSignature(text), 'EIP-2098 signature (0x and 128 hex digits)'),
  v.transform((text): Hex => text.toLowerCase() as Hex),
);

/** Decodes `input` by `schema`; the refusal shows at most 40 characters of what was got, and of its path. */
export function decode<Schema extends v.GenericSchema>(schema: Schema, input: unknown): Decoded<v.InferOutput<Schema>> {
  const result = v.safeParse(schema, input, { abortEarly: true });
  if (result.success) return { ok: true, value: result.output };
  const issue = result.issues[0];
  return {
    ok: false,
    path: shortened(v.getDotPath(issue) ?? ''),
    expected: issue.type === 'check' ? issue.message : (issue.expected ?? issue.message),
    got: printed(issue.input),
  };
}

function printed(input: unknown): string {
  const text =
    typeof input === 'string' ? JSON.stringify(input) : String(typeof input === 'object' ? typeof input : input);
  return shortened(text);
}

/** Keys and values are the sender's: neither may fill a log. */
function shortened(text: string): string {
  return text.length > 40 ? `${text.slice(0, 37)}...` : text;
}
