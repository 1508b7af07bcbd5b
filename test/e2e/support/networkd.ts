/** A real systemd-networkd in a guest's namespace, with folders and a message bus of its own; it takes the interface over from udhcpc. */
import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { Guest } from '../../lab/guest.ts';
import type { Lab } from '../../lab/lab.ts';
import { until } from '../../lab/wait.ts';
import { hasBusDaemon, privateBus } from './private-bus.ts';

const FOLDER = fileURLToPath(new URL('../../../.tools/networkd', import.meta.url));
const FETCH = fileURLToPath(new URL('../../lab/fetch-networkd', import.meta.url));

/** Nothing is said of the portal: to ask for it is networkd's own default. Its lease is that of the MAC, as udhcpc's was. */
const NETWORK = `[Match]
Name=eth0
[Network]
DHCP=ipv4
[DHCPv4]
ClientIdentifier=mac
SendHostname=no
[IPv6AcceptRA]
DHCPv6Client=no
`;

export type Networkd = {
  /** What `networkctl status` shows as the captive portal of the guest's interface; absent if it shows none. */
  readonly captivePortal: () => Promise<string | undefined>;
  /** Asks the router for the lease again, and waits for its answer. */
  readonly renew: () => Promise<void>;
  readonly stop: () => Promise<void>;
};

/** Why it cannot be had, or false. Where the lab has no way out, `make test` has fetched it before. */
export function whyNoNetworkd(): string | false {
  if (!hasBusDaemon) return 'needs dbus: sh tools/install-packages test';
  const { status, stderr } = spawnSync('sh', [FETCH], { encoding: 'utf8', timeout: 130_000 });
  return status === 0 ? false : stderr.trim() || 'sh test/lab/fetch-networkd did not end';
}

export async function startNetworkd(lab: Lab, { host: { host }, mac }: Guest): Promise<Networkd> {
  const bus = privateBus(lab, 'networkd');
  const files = { network: lab.path('10-guest.network'), users: lab.path('passwd'), machine: lab.path('machine-id') };
  writeFileSync(files.network, NETWORK);
  writeFileSync(files.machine, '5'.repeat(32));
  // It gives up root for its own user; a lab that is a user namespace has no other user than root.
  const users = readFileSync('/etc/passwd', 'utf8').replace(/^systemd-network:.*\n/m, '');
  writeFileSync(files.users, `${users.trimEnd()}\nsystemd-network:x:0:0::/:/usr/sbin/nologin\n`);
  const script = `
    mount -t tmpfs -o mode=755 tmpfs /run
    mkdir -p /run/systemd/network; cp ${files.network} /run/systemd/network/
    mount --bind ${files.users} /etc/passwd
    [ ! -e /etc/machine-id ] || mount --bind ${files.machine} /etc/machine-id
    # Where /sys cannot be written networkd does not wait for udev, which tells nothing in here.
    mount -o remount,bind,ro /sys
    ip address flush dev eth0; ip link set eth0 down
    ${bus.start}
    exec ${FOLDER}/systemd-networkd`;
  const env = { ...bus.env, LD_LIBRARY_PATH: FOLDER, SYSTEMD_LOG_TARGET: 'console' };
  const logFile = lab.path('networkd.log');
  const running = host.start('networkd', ['unshare', '--mount', 'sh', '-ec', script], { logFile, env });
  const environment = Object.entries(env).map(([name, value]) => `${name}=${value}`);
  // The same folders: networkctl reads part of what it shows from networkd's files.
  const inside = ['nsenter', '--mount', `--target=${running.pid}`, 'env', ...environment, `${FOLDER}/networkctl`];
  const status = async () => await host.must([...inside, '--no-pager', '--lines=0', 'status', 'eth0']);
  const answers = () =>
    readFileSync(lab.path('dnsmasq.log'), 'utf8')
      .split('\n')
      .filter((line) => isAnswerTo(mac, line)).length;
  await until('systemd-networkd to be configured', 20_000, async () =>
    (await status()).includes('routable (configured)'),
  );
  return {
    captivePortal: async () => /Captive Portal: (\S+)/.exec(await status())?.[1],
    renew: async () => {
      const before = answers();
      await host.must([...inside, 'renew', 'eth0']);
      await until('the lease to be renewed', 10_000, () => answers() > before);
    },
    stop: () => running.stop(),
  };
}

function isAnswerTo(mac: string, line: string): boolean {
  return line.includes('DHCPACK(') && line.includes(mac);
}
