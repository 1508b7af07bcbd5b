/** The guest devices' own addresses, as the kernel has them now: where the portal listens, and which networks guests may be in. */
import { networkInterfaces } from 'node:os';
import type { DeviceName, IpAddress } from '../core/model.ts';
import { isLinkLocal, parseIp } from '../core/names.ts';

export type GuestNetwork = {
  /** Networks that guests' addresses may lie in; link-local ones are left out. */
  readonly prefixes: () => readonly { readonly address: IpAddress; readonly length: number }[];
  /** Addresses to listen on, link-local ones with their zone ("fe80::1%br-guest"). */
  readonly addresses: () => readonly string[];
};

export type InterfaceReader = () => NodeJS.Dict<readonly { readonly address: string; readonly cidr: string | null }[]>;

export function guestNetwork(devices: readonly DeviceName[], read: InterfaceReader = networkInterfaces): GuestNetwork {
  const entries = () => {
    const all = read();
    return devices.flatMap((device) => (all[device] ?? []).map(({ address, cidr }) => ({ address, cidr, device })));
  };
  return {
    prefixes: () =>
      entries().flatMap(({ cidr }) => {
        const [text = '', length] = (cidr ?? '').split('/');
        const address = parseIp(text);
        return address === undefined || isLinkLocal(address) ? [] : [{ address, length: Number(length) }];
      }),
    addresses: () =>
      entries().map(({ address, device }) => (address.startsWith('fe80:') ? `${address}%${device}` : address)),
  };
}
