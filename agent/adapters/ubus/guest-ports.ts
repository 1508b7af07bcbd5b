/** Which BSSs belong to the guest network, by what netifd says about the guest bridges. */
import type { UbusClient } from '../../../openwrt/node-openwrt-ubus/src/client.ts';
import type { DeviceName } from '../../core/model.ts';

/**
 * Ports of the guest devices; undefined if netifd does not tell, or a guest device is no bridge (a VLAN on top of one, for
 * example): then no port can be ruled out.
 */
export async function guestPorts(
  client: UbusClient,
  guestDevices: readonly DeviceName[],
  timeoutMs: number,
): Promise<ReadonlySet<string> | undefined> {
  const ports = new Set<string>();
  for (const device of guestDevices) {
    const status = await client
      .call('network.device', 'status', { name: device }, { timeoutMs })
      .catch(() => undefined);
    const members = status?.['bridge-members'];
    if (!Array.isArray(members)) return undefined;
    ports.add(device);
    for (const member of members) if (typeof member === 'string') ports.add(member);
  }
  return ports;
}
