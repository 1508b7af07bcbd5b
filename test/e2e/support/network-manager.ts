/** Debian's NetworkManager in a guest's namespace, with a message bus, folders and an /etc of its own; nothing of the host is touched. */
import { writeFileSync } from 'node:fs';
import { ROUTER_GUEST_IP4 } from '../../lab/addresses.ts';
import type { Guest } from '../../lab/guest.ts';
import type { Lab } from '../../lab/lab.ts';
import { until } from '../../lab/wait.ts';
import { privateBus } from './private-bus.ts';

/** The check is NetworkManager's own; only the name it asks and what a free internet says there are the lab's. */
const SETTINGS = `[main]
plugins=keyfile
dhcp=internal
dns=none
no-auto-default=*
[device]
wifi.scan-rand-mac-address=no
[connectivity]
uri=http://connectivitycheck.gstatic.com/nm
response=the internet
interval=300
[logging]
level=INFO
`;
const PROFILE = `[connection]
id=guest
type=ethernet
interface-name=eth0
[ethernet]
cloned-mac-address=preserve
[ipv4]
method=auto
[ipv6]
method=auto
`;

export type NetworkManager = {
  /** What its own check finds now: none, limited, portal or full. */
  readonly connectivity: () => Promise<string>;
  readonly stop: () => Promise<void>;
};

export async function startNetworkManager(lab: Lab, { host: { host } }: Guest): Promise<NetworkManager> {
  const bus = privateBus(lab, 'nm');
  const files = { settings: lab.path('nm.conf'), profile: lab.path('nm-guest') };
  writeFileSync(files.settings, SETTINGS);
  writeFileSync(files.profile, PROFILE);
  const resolv = lab.path('nm-resolv.conf');
  writeFileSync(resolv, `nameserver ${ROUTER_GUEST_IP4}\n`);
  const script = `
    mount -t tmpfs tmpfs /run; mount -t tmpfs tmpfs /etc/NetworkManager; mount -t tmpfs tmpfs /var/lib/NetworkManager
    mkdir -p /etc/NetworkManager/system-connections /run/NetworkManager
    install -m 600 ${files.profile} /etc/NetworkManager/system-connections/guest.nmconnection
    install -m 644 ${files.settings} /etc/NetworkManager/NetworkManager.conf
    touch /etc/resolv.conf; mount --bind ${resolv} /etc/resolv.conf
    mount -o remount,bind,ro /sys
    # What another client has set up NetworkManager would leave alone; it shall ask DHCP itself.
    ip address flush dev eth0; ip link set eth0 down
    ${bus.start}
    exec NetworkManager --debug --config=/etc/NetworkManager/NetworkManager.conf`;
  const argv = ['unshare', '--mount', 'sh', '-ec', script];
  const running = host.start('network-manager', argv, { logFile: lab.path('network-manager.log'), env: bus.env });
  const nmcli = async (...words: readonly string[]) =>
    await host.run(['env', `DBUS_SYSTEM_BUS_ADDRESS=${bus.env.DBUS_SYSTEM_BUS_ADDRESS}`, 'nmcli', ...words]);
  // It calls itself connected as soon as one family is; the portal is looked for over IPv4.
  await until('NetworkManager to be connected, with an IPv4 address', 20_000, async () => {
    const { stdout } = await nmcli('-t', '-f', 'GENERAL.STATE,IP4.ADDRESS', 'device', 'show', 'eth0');
    return stdout.includes('100 (connected)') && stdout.includes('IP4.ADDRESS[1]:');
  });
  return {
    connectivity: async () => (await nmcli('networking', 'connectivity', 'check')).stdout.trim(),
    stop: () => running.stop(),
  };
}
