/** Ports of the guest bridges, from sysfs: they come and go with every restart of the access point. */
import { readdir } from 'node:fs/promises';
import type { DeviceName } from '../../core/model.ts';
import { parseDeviceName } from '../../core/names.ts';

export type PortsOf = (device: DeviceName) => Promise<readonly DeviceName[]>;

/** Ports of a bridge in alphabetical order; none if the device is no bridge or does not exist. */
export async function bridgePorts(device: DeviceName): Promise<readonly DeviceName[]> {
  const names = await readdir(`/sys/class/net/${device}/brif`).catch(() => []);
  return names
    .map(parseDeviceName)
    .filter((name) => name !== undefined)
    .sort();
}
