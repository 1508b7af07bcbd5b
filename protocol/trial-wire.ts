/** Decoding what a guest may say with its wish for the free trial, from untrusted JSON. */
import * as v from 'valibot';
import type { Address } from './address.ts';
import { addressSchema, type Decoded, decode } from './schema.ts';

/** `key`: address of the guest's own key, unproven: one trial for a key and day, whatever its MAC. */
export type TrialRequest = { readonly key?: Address };

export const trialRequestSchema = v.pipe(
  v.strictObject({ v: v.literal(1), key: addressSchema }),
  v.transform(({ key }): TrialRequest => ({ key })),
);

/** No body, or an empty object, names no key. */
export function decodeTrialRequest(input: unknown): Decoded<TrialRequest> {
  const isEmpty = typeof input === 'object' && input !== null && Object.keys(input).length === 0;
  if (input === undefined || input === null || isEmpty) return { ok: true, value: {} };
  return decode(trialRequestSchema, input);
}
