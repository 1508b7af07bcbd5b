/** Vendor attestations, revocation lists and device bindings as JSON, and decoding them from untrusted JSON. */
import * as v from 'valibot';
import type { SignedDeviceBinding } from './device-binding.ts';
import type { Hex } from './hex.ts';
import {
  addressSchema,
  bytes32Schema,
  type Decoded,
  decode,
  signatureSchema,
  uint32Schema,
  uint40Schema,
  uint64Schema,
} from './schema.ts';
import { isAscending, type SignedRevocationList, type SignedVendorAttestation } from './vendor-attestation.ts';

/** Of one vendor: beyond it, the vendor stops attesting with that key. 42 characters each: about 700 kB of JSON. */
export const MAX_REVOKED_DEVICES = 16_384;

type TextOf<T> = { readonly [Field in keyof T]: T[Field] extends bigint ? string : T[Field] };
export type VendorAttestationJson = { readonly v: 1 } & TextOf<Omit<SignedVendorAttestation, 'signature'>> & {
    readonly sig: Hex;
  };
export type RevocationListJson = { readonly v: 1 } & TextOf<Omit<SignedRevocationList, 'signature'>> & {
    readonly sig: Hex;
  };
export type DeviceBindingJson = { readonly v: 1 } & TextOf<Omit<SignedDeviceBinding, 'signature'>> & {
    readonly sig: Hex;
  };

export const vendorAttestationSchema = v.pipe(
  v.strictObject({
    v: v.literal(1),
    vendorId: uint32Schema,
    device: addressSchema,
    model: bytes32Schema,
    notAfter: uint40Schema,
    sig: signatureSchema,
  }),
  v.transform(
    ({ vendorId, device, model, notAfter, sig }): SignedVendorAttestation => ({
      vendorId,
      device,
      model,
      notAfter,
      signature: sig,
    }),
  ),
);

const revocationListSchema = v.pipe(
  v.strictObject({
    v: v.literal(1),
    vendorId: uint32Schema,
    serial: uint32Schema,
    issuedS: uint40Schema,
    devices: v.pipe(
      v.array(addressSchema),
      v.check((devices) => devices.length <= MAX_REVOKED_DEVICES, `at most ${MAX_REVOKED_DEVICES} devices`),
      v.check((devices) => isAscending(devices), 'addresses in ascending order, each once'),
    ),
    sig: signatureSchema,
  }),
  v.transform(
    ({ vendorId, serial, issuedS, devices, sig }): SignedRevocationList => ({
      vendorId,
      serial,
      issuedS,
      devices,
      signature: sig,
    }),
  ),
);

export const deviceBindingSchema = v.pipe(
  v.strictObject({
    v: v.literal(1),
    device: addressSchema,
    operator: addressSchema,
    nonce: uint64Schema,
    sig: signatureSchema,
  }),
  v.transform(({ device, operator, nonce, sig }): SignedDeviceBinding => ({ device, operator, nonce, signature: sig })),
);

export function decodeVendorAttestation(input: unknown): Decoded<SignedVendorAttestation> {
  return decode(vendorAttestationSchema, input);
}

export function decodeRevocationList(input: unknown): Decoded<SignedRevocationList> {
  return decode(revocationListSchema, input);
}

export function decodeDeviceBinding(input: unknown): Decoded<SignedDeviceBinding> {
  return decode(deviceBindingSchema, input);
}

export function jsonFromVendorAttestation(attestation: SignedVendorAttestation): VendorAttestationJson {
  const { vendorId, device, model, notAfter, signature } = attestation;
  return { v: 1, vendorId: `${vendorId}`, device, model, notAfter: `${notAfter}`, sig: signature };
}

export function jsonFromRevocationList(list: SignedRevocationList): RevocationListJson {
  const { vendorId, serial, issuedS, devices, signature } = list;
  return { v: 1, vendorId: `${vendorId}`, serial: `${serial}`, issuedS: `${issuedS}`, devices, sig: signature };
}

export function jsonFromDeviceBinding(binding: SignedDeviceBinding): DeviceBindingJson {
  const { device, operator, nonce, signature } = binding;
  return { v: 1, device, operator, nonce: `${nonce}`, sig: signature };
}
