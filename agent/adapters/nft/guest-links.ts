/** Guest devices and the ports of guest bridges as they are now: they come and go with every restart of the network. */
import { execFile } from 'node:child_process';
import { readdir, readFile } from 'node:fs/promises';
import { promisify } from 'node:util';
import type { DeviceName } from '../../core/model.ts';
import { parseDeviceName } from '../../core/names.ts';

export type GuestLink = {
  /** The kernel's number for the device; undefined if there is no such device. A device made anew has a new one. */
  readonly index?: number;
  /** Ports of a bridge in alphabetical order; none if the device is no bridge. */
  readonly ports: readonly DeviceName[];
};

export type LinkReader = (device: DeviceName) => Promise<GuestLink>;

/** A look into another namespace starts a process; changes are rare. */
const OTHER_NAMESPACE_MS = 1_000;

/** From sysfs, which shows one namespace; tests and benchmarks look into others by name. */
export function linkReader(netns: string | undefined): LinkReader {
  if (netns === undefined) return readOwnLink;
  let links: Promise<readonly ListedLink[]> = Promise.resolve([]);
  let readMs = Number.NEGATIVE_INFINITY;
  return async (device) => {
    if (performance.now() - readMs > OTHER_NAMESPACE_MS) {
      readMs = performance.now();
      links = listLinks(netns);
    }
    return linkFromList(await links, device);
  };
}

export async function readOwnLink(device: DeviceName): Promise<GuestLink> {
  const folder = `/sys/class/net/${device}`;
  const [index, names] = await Promise.all([
    readFile(`${folder}/ifindex`, 'utf8').catch(() => ''),
    readdir(`${folder}/brif`).catch(() => []),
  ]);
  return guestLink(Number(index), names);
}

type ListedLink = { readonly ifname: string; readonly ifindex: number; readonly master?: string };

async function listLinks(netns: string): Promise<readonly ListedLink[]> {
  const { stdout } = await promisify(execFile)('ip', ['-n', netns, '-j', 'link', 'show']);
  return JSON.parse(stdout) as readonly ListedLink[];
}

function linkFromList(links: readonly ListedLink[], device: DeviceName): GuestLink {
  const own = links.find(({ ifname }) => ifname === device);
  return guestLink(
    own?.ifindex ?? 0,
    links.filter(({ master }) => master === device).map(({ ifname }) => ifname),
  );
}

function guestLink(index: number, names: readonly string[]): GuestLink {
  const ports = names
    .map(parseDeviceName)
    .filter((name) => name !== undefined)
    .sort();
  return index > 0 ? { index, ports } : { ports };
}
