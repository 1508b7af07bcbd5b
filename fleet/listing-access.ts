/**
 * Who may read what is on file of a device: the device itself and the keys that went on in its place, whom it earns for, its
 * vendor, and whom the collector's owner has named. Whoever asks signs for it (protocol/listing-access.ts); a 401 says until when
 * by this collector's clock, so that a router without a clock can ask too.
 */
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Address } from '../protocol/address.ts';
import { decodeDeviceBinding } from '../protocol/identity-wire.ts';
import { readerIn } from '../protocol/listing-access.ts';
import type { RegistryDeployment } from '../protocol/traffic-proof.ts';
import type { Recover } from './judge-proof.ts';
import type { Registry } from './registry.ts';
import type { RegistryStore } from './registry-store.ts';
import { MAX_ROTATIONS } from './vendor-revocations.ts';

export type ListingAccessDeps = {
  readonly deployment: RegistryDeployment;
  readonly collector: { readonly address: Address };
  readonly nowS: () => bigint;
  readonly recover?: Recover;
  /** Beside the device itself. */
  readonly readersOf?: (device: Address) => readonly Address[];
};

/** Enough for a few pages of a list, and for a slow uplink. */
const TOLD_S = 300n;

/** True if the request may read; else it has been answered. */
export function mayRead(
  { deployment, collector, nowS, recover, readersOf = () => [] }: ListingAccessDeps,
  device: Address,
  request: FastifyRequest,
  reply: FastifyReply,
): boolean {
  const now = nowS();
  const { authorization } = request.headers;
  const asked = { device, collector: collector.address };
  const reader = authorization === undefined ? undefined : readerIn(deployment, authorization, asked, now, recover);
  if (reader !== undefined && (reader === device || readersOf(device).includes(reader))) return true;
  const message =
    reader === undefined
      ? 'This is for the device, its operator and its vendor: sign ListingAccess with untilS of the header ssp-until.'
      : `${reader} is neither device ${device} nor its operator or vendor, nor a reader that this collector knows.`;
  if (reader === undefined) reply.header('www-authenticate', 'SSP-Access').header('ssp-until', `${now + TOLD_S}`);
  reply.code(reader === undefined ? 401 : 403).send({ error: { code: 'no-access', message } });
  return false;
}

/** As the registry has it. `readers`: whom the collector's owner has named. */
export function readersFrom(
  registry: Registry,
  store: RegistryStore,
  vendors: ReadonlyMap<bigint, Address>,
  readers: readonly Address[],
): (device: Address) => readonly Address[] {
  return (device) => {
    const allowed: Address[] = [...readers];
    let at: Address | undefined = device;
    for (let steps = 0; at !== undefined && steps <= MAX_ROTATIONS; steps++) {
      const binding = decodeDeviceBinding(store.document('binding', at));
      if (binding.ok) allowed.push(binding.value.operator);
      const vendorId = store.device(at)?.vendorId;
      const vendor = vendorId === undefined ? undefined : vendors.get(vendorId);
      if (vendor !== undefined && !registry.isVendorKeyRevoked(vendor)) allowed.push(vendor);
      at = registry.links(at).handedOver?.successor;
      if (at !== undefined) allowed.push(at);
    }
    return allowed;
  };
}
