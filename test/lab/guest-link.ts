/** How a guest gets on the network, like a phone: DHCPv4 by udhcpc (asking for option 114), IPv6 by SLAAC. */
import { existsSync, readFileSync, rmSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { GUEST_NET6, ROUTER_GUEST_IP4 } from './addresses.ts';
import type { Lab } from './lab.ts';
import { until } from './wait.ts';
import type { GuestHost } from './world.ts';

export type Addresses = {
  readonly ip4: string;
  readonly ip6: string;
  readonly dns: string;
  /** DHCP option 114 (RFC 8910), absent if it was not offered. */
  readonly captiveUrl?: string;
};

const SCRIPT = fileURLToPath(new URL('./udhcpc-script.sh', import.meta.url));
const PREFIX6 = GUEST_NET6.replace('::/64', ':');

/** Brings the interface up and waits for an address of each family. */
export async function connectToNetwork(lab: Lab, guest: GuestHost): Promise<Addresses> {
  await guest.host.must(['ip', 'link', 'set', 'eth0', 'up']);
  const [offer, ip6] = await Promise.all([leaseIp4(lab, guest), slaacAddress(guest)]);
  return { ...offer, ip6 };
}

/** Asks for a lease and stays there to renew it, as a phone's client does. */
export async function leaseIp4(lab: Lab, guest: GuestHost): Promise<Omit<Addresses, 'ip6'>> {
  const file = lab.path(`dhcp-${guest.host.name}`);
  rmSync(file, { force: true });
  guest.host.start(
    'udhcpc',
    [
      'udhcpc',
      '-f',
      '-i',
      'eth0',
      '-s',
      SCRIPT,
      '-t',
      '10',
      '-T',
      '1',
      '-O',
      '114',
      '-x',
      `hostname:${guest.host.name}`,
    ],
    {
      logFile: lab.path(`udhcpc-${guest.host.name}.log`),
      env: { LAB_DHCP_FILE: file },
    },
  );
  await until(`a DHCP lease for ${guest.host.name}`, 10_000, () => existsSync(file));
  const offer = new Map(
    readFileSync(file, 'utf8')
      .split('\n')
      .map((line) => line.split(/=(.*)/s) as [string, string]),
  );
  const hex = offer.get('opt114') ?? '';
  return {
    ip4: offer.get('ip') ?? '',
    dns: offer.get('dns')?.split(' ')[0] ?? ROUTER_GUEST_IP4,
    ...(hex === '' ? {} : { captiveUrl: Buffer.from(hex, 'hex').toString('utf8') }),
  };
}

export async function slaacAddress(guest: GuestHost): Promise<string> {
  return await until(`an IPv6 address for ${guest.host.name}`, 10_000, async () => {
    const all = await addresses6(guest);
    return all.find((address) => address.startsWith(PREFIX6));
  });
}

/** Addresses in the guest prefix that the interface holds now. */
export async function addresses6(guest: GuestHost): Promise<readonly string[]> {
  const text = await guest.host.must(['ip', '-j', '-6', 'addr', 'show', 'dev', 'eth0', 'scope', 'global']);
  const [link] = JSON.parse(text) as readonly {
    readonly addr_info?: readonly { readonly local?: string; readonly tentative?: boolean }[];
  }[];
  return (link?.addr_info ?? []).flatMap(({ local, tentative }) =>
    local === undefined || tentative === true ? [] : [local],
  );
}
