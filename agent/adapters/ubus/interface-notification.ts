/** netifd's notifications: interface.update and interface.down, each of which may come twice. */
import type { BlobmsgTable } from '../../../openwrt/node-openwrt-ubus/src/blobmsg.ts';
import type { DeviceName } from '../../core/model.ts';

/** True if a guest device may be concerned: an interface that is down does not say which device it had. */
export function concernsGuests(type: string, data: BlobmsgTable, guestDevices: readonly DeviceName[]): boolean {
  if (type !== 'interface.update' && type !== 'interface.down') return false;
  const named = [data['l3_device'], data['device']].filter((device) => typeof device === 'string');
  return named.length === 0 || guestDevices.some((guest) => named.includes(guest));
}
