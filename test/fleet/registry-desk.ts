/** A collector with a registry behind it, as fleet/main.ts joins them: proofs are judged by who is enrolled. */
import { join } from 'node:path';
import type { Test } from 'tap';
import type { KnownDevice } from '../../fleet/device-standing.ts';
import { readersFrom } from '../../fleet/listing-access.ts';
import { Registry } from '../../fleet/registry.ts';
import { addRegistryRoutes } from '../../fleet/registry-routes.ts';
import { RegistryStore } from '../../fleet/registry-store.ts';
import type { Shard } from '../../fleet/shard.ts';
import type { Address } from '../../protocol/address.ts';
import { type EnrolmentCredential, signEnrolment } from '../../protocol/enrolment.ts';
import type { Hex } from '../../protocol/hex.ts';
import { signKeyRotation } from '../../protocol/key-rotation.ts';
import { jsonFromKeyRotation } from '../../protocol/key-rotation-wire.ts';
import { bytes32FromText } from '../../protocol/short-text.ts';
import { signVendorAttestation } from '../../protocol/vendor-attestation.ts';
import { testKey } from '../support/protocol-arbitraries.ts';
import { DEPLOYMENT, NOW_S } from './fake-router.ts';
import { COLLECTOR, type OpenCollector, openCollector } from './open-collector.ts';
import '../support/own-testdir.ts';

export type Key = ReturnType<typeof testKey>;
export const VENDOR = testKey('vendor');

export type Desk = OpenCollector & {
  readonly registry: Registry;
  readonly registryStore: RegistryStore;
  readonly setNow: (nowS: bigint) => void;
  readonly enrol: (key: Key, credential: EnrolmentCredential) => ReturnType<Registry['enrol']>;
  readonly rotate: (rotation: Rotation) => Promise<{ readonly statusCode: number; json: () => unknown }>;
};

export type Rotation = { readonly from: Key; readonly to: Key; readonly nextSeq: bigint; readonly prev: Hex };

/** `shard`: one of several that share the registry in the folder above. */
export async function openDesk(test: Test, directory = test.testdir(), shard?: Shard): Promise<Desk> {
  let now = NOW_S;
  const nowS = () => now;
  const registryStore = new RegistryStore(join(directory, shard === undefined ? '' : '..', 'registry.db'));
  const part = shard === undefined ? {} : { shard };
  const vendors = new Map([[7n, VENDOR.address]]);
  const registry = new Registry({
    store: registryStore,
    deployment: DEPLOYMENT,
    collector: COLLECTOR.address,
    vendors,
    nowS,
  });
  const devices = (address: Address): KnownDevice | undefined => {
    const standing = registry.standing(address);
    return standing && { linkBytesPerS: 125_000_000n, ...standing, ...registry.links(address) };
  };
  const access = {
    nowS,
    readersOf: readersFrom(registry, registryStore, vendors, [testKey('fleet').address]),
    rotationConflicts: (device: Address) => registry.rotationConflicts(device),
  };
  const collector = await openCollector(directory, [], { devices, ...access, ...part });
  await addRegistryRoutes(collector.app, {
    ...access,
    ...part,
    registry,
    store: registryStore,
    deployment: DEPLOYMENT,
    collector: COLLECTOR,
    chainOf: (device) => collector.store.chain(device),
    inTurn: (f) => collector.store.tx(f),
    correctClock: (correction) => collector.intake.correctClock(correction),
  });
  const close = async (): Promise<void> => {
    await collector.close();
    registryStore.close();
  };
  return {
    ...collector,
    close,
    registry,
    registryStore,
    setNow: (at) => {
      now = at;
    },
    enrol: ({ address, secretKey }, credential) => {
      const { nonce } = registry.challenge();
      const enrolment = { device: address, collector: COLLECTOR.address, nonce, credential };
      return registry.enrol(signEnrolment(DEPLOYMENT, enrolment, secretKey));
    },
    rotate: async (rotation) =>
      await collector.app.inject({ method: 'POST', url: '/v1/rotations', payload: rotationJson(rotation) }),
  };
}

export function rotationJson({ from, to, nextSeq, prev }: Rotation) {
  const rotation = { device: from.address, successor: to.address, nextSeq, prev };
  return jsonFromKeyRotation(signKeyRotation(DEPLOYMENT, rotation, from.secretKey, to.secretKey));
}

export function attested({ address }: Key, notAfter = NOW_S + 86_400n * 365n, by = VENDOR): EnrolmentCredential {
  const attestation = { vendorId: 7n, device: address, model: bytes32FromText('R1'), notAfter };
  return { method: 'attestation', attestation: signVendorAttestation(DEPLOYMENT, attestation, by.secretKey) };
}
