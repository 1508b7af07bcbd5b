/**
 * DHCP notifications of dnsmasq and odhcpd, under all names they had from OpenWrt 22.03 to 25.12:
 * dhcp.ack {mac, ip, name}, dhcp.lease4 {mac, ipv4, hostname}, dhcp.release, dhcp.release4, dhcp.expire4.
 */
import type { BlobmsgTable } from '../../../openwrt/node-openwrt-ubus/src/blobmsg.ts';
import type { DeviceName } from '../../core/model.ts';
import { parseIp, parseMac } from '../../core/names.ts';
import type { StationEvent } from '../../ports.ts';
import { parseHostname } from '../hostname.ts';

const LEASED = new Set(['dhcp.ack', 'dhcp.lease4']);
const RELEASED = new Set(['dhcp.release', 'dhcp.release4', 'dhcp.expire4']);

/** The event, or undefined if the notification means nothing to us: unknown, malformed, or of another network. */
export function stationEventFromDhcp(
  type: string,
  data: BlobmsgTable,
  guestDevices: readonly DeviceName[],
): StationEvent | undefined {
  if (!LEASED.has(type) && !RELEASED.has(type)) return undefined;
  // A lease on the owner's own network must never bind an address to a guest.
  const device = data['interface'];
  if (typeof device === 'string' && !guestDevices.some((name) => name === device)) return undefined;
  const mac = textOf(data['mac'], parseMac);
  const address = textOf(data['ip'] ?? data['ipv4'], parseIp);
  if (mac === undefined || address === undefined) return undefined;
  if (RELEASED.has(type)) return { kind: 'released', mac, address };
  const hostname = parseHostname(data['name'] ?? data['hostname']);
  return { kind: 'leased', lease: { mac, address, ...(hostname === undefined ? {} : { hostname }) } };
}

function textOf<T>(value: unknown, parse: (text: string) => T | undefined): T | undefined {
  return typeof value === 'string' ? parse(value) : undefined;
}
