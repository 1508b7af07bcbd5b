/**
 * The kernel's neighbour table as text: /proc/net/arp, and what `ip neigh show` prints. Only the plain form is read: it is
 * the same from iproute2 and from busybox, which has no JSON. Entries the kernel has not resolved are left out.
 */
import type { DeviceName, IpAddress, Mac } from '../../core/model.ts';
import { parseIp, parseMac } from '../../core/names.ts';

export type Neighbour = { readonly mac: Mac; readonly address: IpAddress };

/** The kernel keeps 1024 entries for each family unless told otherwise (gc_thresh3); no more than this is looked at. */
export const MAX_NEIGHBOURS = 16_384;

/** ATF_COM: the entry is complete. */
const COMPLETE = 0x2;

/** States without a usable link-layer address (nud_state2str). */
const UNRESOLVED = new Set(['FAILED', 'INCOMPLETE', 'NONE', 'NOARP']);

/** IPv4 neighbours on these devices, from /proc/net/arp: address, type, flags, MAC, mask, device. */
export function neighboursFromArp(text: string, devices: readonly DeviceName[]): readonly Neighbour[] {
  return linesOf(text).flatMap((line) => {
    const [address, , flags, mac, , device] = line.split(/\s+/);
    const isComplete = (Number.parseInt(flags ?? '', 16) & COMPLETE) !== 0;
    return isComplete && devices.some((name) => name === device) ? neighbourFrom(address, mac) : [];
  });
}

/** The neighbour of this IPv4 address, from the same text: asked for each request, it reads one line and not a thousand. */
export function neighbourFromArp(
  text: string,
  devices: readonly DeviceName[],
  address: IpAddress,
): Neighbour | undefined {
  // The first line is the heading.
  const start = `\n${address} `;
  for (let at = text.indexOf(start); at >= 0; at = text.indexOf(start, at + 1)) {
    const end = text.indexOf('\n', at + 1);
    const [found] = neighboursFromArp(text.slice(at + 1, end < 0 ? text.length : end), devices);
    if (found !== undefined) return found;
  }
  return undefined;
}

/** Neighbours of one device, from `ip neigh show dev DEVICE`: ADDRESS [dev X] lladdr MAC [router] [used ...] STATE. */
export function neighboursFromIp(text: string): readonly Neighbour[] {
  return linesOf(text).flatMap((line) => {
    const words = line.trim().split(/\s+/);
    const at = words.indexOf('lladdr');
    return at < 0 || UNRESOLVED.has(words.at(-1) ?? '') ? [] : neighbourFrom(words[0], words[at + 1]);
  });
}

function linesOf(text: string): readonly string[] {
  return text.split('\n', MAX_NEIGHBOURS);
}

function neighbourFrom(addressText = '', macText = ''): readonly Neighbour[] {
  const address = parseIp(addressText);
  const mac = parseMac(macText);
  return address === undefined || mac === undefined ? [] : [{ mac, address }];
}
