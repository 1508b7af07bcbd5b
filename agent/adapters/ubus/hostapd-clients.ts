/**
 * Reads what hostapd says about stations. Absent, misspelt or hostile values are left out, never guessed.
 */
import type { BlobmsgTable } from '../../../openwrt/node-openwrt-ubus/src/blobmsg.ts';
import type { DeviceName, Mac } from '../../core/model.ts';
import { parseDeviceName, parseMac } from '../../core/names.ts';

/** Association ids are 1..2007 (IEEE 802.11): no BSS holds more. */
export const MAX_STATIONS_PER_BSS = 2_007;

const PREFIX = 'hostapd.';

/** Interface of an object "hostapd.phy0-ap1" or, in 22.03, "hostapd.wlan0-1"; undefined for hostapd's other objects. */
export function portFromObjectPath(path: string): DeviceName | undefined {
  return path.startsWith(PREFIX) ? parseDeviceName(path.slice(PREFIX.length)) : undefined;
}

/** Stations of a get_clients reply that are associated and authorised; undefined if it is not such a reply. */
export function authorisedStations(reply: BlobmsgTable | undefined): ReadonlySet<Mac> | undefined {
  const clients = reply?.['clients'];
  if (clients === null || typeof clients !== 'object' || Array.isArray(clients)) return undefined;
  const macs = new Set<Mac>();
  for (const [address, client] of Object.entries(clients as BlobmsgTable)) {
    if (macs.size >= MAX_STATIONS_PER_BSS) break;
    const mac = parseMac(address);
    if (mac === undefined || client === null || typeof client !== 'object') continue;
    const { assoc, authorized } = client as BlobmsgTable;
    if (assoc === true && authorized === true) macs.add(mac);
  }
  return macs;
}

/** The station that a notification is about. */
export function stationOfNotification(data: BlobmsgTable): Mac | undefined {
  const { address } = data;
  return typeof address === 'string' ? parseMac(address) : undefined;
}
