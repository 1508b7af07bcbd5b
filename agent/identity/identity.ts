/**
 * Who this router is, as it can show to anyone off-line: its key's address, its vendor's attestation, whom it earns for. The
 * two documents are public, and kept as JSON files beside the device key.
 */
import type { Address } from '../../protocol/address.ts';
import {
  type DeviceBinding,
  deviceBindingDigest,
  isDeviceBindingSigned,
  type SignedDeviceBinding,
} from '../../protocol/device-binding.ts';
import { textFromBytes32 } from '../../protocol/short-text.ts';
import type { RegistryDeployment } from '../../protocol/traffic-proof.ts';
import {
  revocationListSigner,
  type SignedRevocationList,
  type SignedVendorAttestation,
  vendorAttestationSigner,
} from '../../protocol/vendor-attestation.ts';
import type { Signer } from '../ports.ts';

export type Identity = {
  readonly device: Address;
  readonly attestation?: SignedVendorAttestation;
  readonly binding?: SignedDeviceBinding;
};

/** `vendorKey`: what signed the attestation; compare it with the vendor's key in the DeviceRegistry. */
export type IdentityReport = {
  readonly device: Address;
  readonly vendor?: { readonly id: bigint; readonly key: Address; readonly model: string; readonly notAfter: bigint };
  readonly operator?: { readonly address: Address; readonly nonce: bigint };
  /** What is wrong, each with what to do. */
  readonly faults: readonly string[];
};

/** Checks all that can be checked without a network. `revocations`: a vendor's signed list, where one is at hand. */
export function examineIdentity(
  deployment: RegistryDeployment,
  { device, attestation, binding }: Identity,
  nowS: bigint,
  revocations?: SignedRevocationList,
): IdentityReport {
  const faults: string[] = [];
  const key = attestation === undefined ? undefined : vendorAttestationSigner(deployment, attestation);
  if (attestation !== undefined) {
    if (attestation.device !== device)
      faults.push(`the attestation is for ${attestation.device}: ask the vendor for one for ${device}`);
    if (key === undefined) faults.push('the attestation is signed by nobody: ask the vendor for another');
    if (attestation.notAfter < nowS)
      faults.push(`the attestation ended at ${attestation.notAfter}: ask the vendor for another`);
    faults.push(...revocationFaults(deployment, { device, attestation, key }, revocations));
  }
  if (binding !== undefined && (binding.device !== device || !isDeviceBindingSigned(deployment, binding))) {
    faults.push('the binding is not signed by this device: make another with shareagent identity bind');
  }
  return {
    device,
    ...(attestation === undefined || key === undefined ? {} : { vendor: vendorOf(attestation, key) }),
    ...(binding === undefined ? {} : { operator: { address: binding.operator, nonce: binding.nonce } }),
    faults,
  };
}

/** Names whom the device earns for. The nonce is one more than the last: an old binding cannot come back. */
export function bindTo(
  deployment: RegistryDeployment,
  signer: Signer,
  operator: Address,
  before: SignedDeviceBinding | undefined,
): SignedDeviceBinding {
  const nonce = before === undefined || before.device !== signer.address ? 0n : before.nonce + 1n;
  const binding: DeviceBinding = { device: signer.address, operator, nonce };
  return { ...binding, signature: signer.sign(deviceBindingDigest(deployment, binding)) };
}

function vendorOf({ vendorId: id, model, notAfter }: SignedVendorAttestation, key: Address) {
  return { id, key, model: textFromBytes32(model) ?? model, notAfter };
}

function revocationFaults(
  deployment: RegistryDeployment,
  { device, attestation, key }: { device: Address; attestation: SignedVendorAttestation; key: Address | undefined },
  list: SignedRevocationList | undefined,
): readonly string[] {
  if (list === undefined || list.vendorId !== attestation.vendorId) return [];
  if (revocationListSigner(deployment, list) !== key) {
    return ['the revocation list is not signed by the key that signed the attestation'];
  }
  return list.devices.includes(device)
    ? [`vendor ${list.vendorId} has taken this device back (list ${list.serial})`]
    : [];
}
