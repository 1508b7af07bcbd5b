/**
 * Flow offload takes packets past the forward hook: neither counted nor stopped. Which flowtables stand in the kernel,
 * and whether guests' flows can get into one. In software and in hardware alike: nft's JSON does not tell them apart (its
 * flowtables have no flags there), and both hide what passes.
 */
import type { DeviceName } from '../../core/model.ts';
import { linkReader } from './guest-links.ts';
import { type NftPlace, runNft } from './nft-child.ts';
import { isArray, isObject, type Json, type JsonObject } from './nft-json.ts';
import { objectsFromAnswer } from './nft-runner.ts';
import { readVendorOffloads } from './vendor-offload.ts';

export type Flowtable = { readonly name: string; readonly devices: readonly string[] };

export type Offload = {
  readonly offloaded: boolean;
  /** "inet fw4 ft on lan1, wan" for each flowtable that guests' flows can get into, then what vendors' kernels have of their own. */
  readonly which: readonly string[];
};

/**
 * Decides from nft's listing of flowtables. A flow is in a flowtable in both directions as soon as the firewall put it
 * there, whichever devices it came by: a flowtable on the uplink alone still hides what guests download. So any flowtable
 * with a device counts.
 */
export function offloadFromListing(listed: readonly JsonObject[], guestPorts: readonly DeviceName[]): Offload {
  const ports = new Set<string>(guestPorts);
  const which = flowtablesFromListing(listed)
    .filter(({ devices }) => devices.length > 0)
    .map(({ name, devices }) => {
      const guests = devices.filter((device) => ports.has(device));
      return `${name} on ${guests.length > 0 ? guests.join(', ') : devices.join(', ')}`;
    });
  return { offloaded: which.length > 0, which };
}

export function flowtablesFromListing(listed: readonly JsonObject[]): Flowtable[] {
  return listed.flatMap(({ flowtable }) => {
    if (!isObject(flowtable)) return [];
    const { family, table, name, dev } = flowtable as { readonly [key: string]: Json };
    const devices = (isArray(dev) ? dev : [dev]).filter((device) => typeof device === 'string');
    return [{ name: `${family} ${table} ${name}`, devices }];
  });
}

/** Asks the kernel. @throws NftError if nft cannot be run. */
export async function readOffload(place: NftPlace, guestDevices: readonly DeviceName[]): Promise<Offload> {
  const { stdout } = await runNft(place, ['-j', 'list', 'flowtables']);
  const links = await Promise.all(guestDevices.map(linkReader(place.netns)));
  const ports = links.map((link) => link.ports);
  const { which } = offloadFromListing(objectsFromAnswer(stdout), [...guestDevices, ...ports.flat()]);
  const all = [...which, ...(await readVendorOffloads())];
  return { offloaded: all.length > 0, which: all };
}
