/**
 * A device's signed statement of whom it earns for. The registry takes each nonce once and in order, so an old binding cannot
 * come back after a change of owner.
 */
import type { Address } from './address.ts';
import { hashStruct, type StructType, typedDigest } from './eip712.ts';
import { type CompactSignature, recoverSigner, signDigest } from './signature.ts';
import { type RegistryDeployment, registrySeparator } from './traffic-proof.ts';

export type DeviceBinding = {
  readonly device: Address;
  readonly operator: Address;
  /** 0 for a device's first binding, then one more each time. */
  readonly nonce: bigint;
};

export type SignedDeviceBinding = DeviceBinding & { readonly signature: CompactSignature };

const DEVICE_BINDING: StructType = {
  name: 'DeviceBinding',
  fields: [
    ['device', 'address'],
    ['operator', 'address'],
    ['nonce', 'uint256'],
  ],
};

export function deviceBindingDigest(deployment: RegistryDeployment, binding: DeviceBinding): Uint8Array {
  const { device, operator, nonce } = binding;
  return typedDigest(registrySeparator(deployment), hashStruct(DEVICE_BINDING, { device, operator, nonce }));
}

export function signDeviceBinding(
  deployment: RegistryDeployment,
  binding: DeviceBinding,
  deviceKey: Uint8Array,
): SignedDeviceBinding {
  return { ...binding, signature: signDigest(deviceBindingDigest(deployment, binding), deviceKey) };
}

/** True if the binding was signed by the device it names. */
export function isDeviceBindingSigned(deployment: RegistryDeployment, binding: SignedDeviceBinding): boolean {
  return recoverSigner(deviceBindingDigest(deployment, binding), binding.signature) === binding.device;
}
