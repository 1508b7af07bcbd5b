/**
 * The lab needs to make network namespaces. As root it simply does; anyone else gets a user namespace of their own, in
 * which they are root over networks that nobody else sees.
 */
import { spawnSync } from 'node:child_process';
import { accessSync, constants, existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';

const MARK = 'LAB_IN_USER_NAMESPACE';
const OUTER = 'LAB_OUTER_PROCESS';
const TOOLS: Readonly<Record<string, string>> = {
  ip: 'iproute2',
  bridge: 'iproute2',
  ss: 'iproute2',
  nft: 'nftables',
  dnsmasq: 'dnsmasq-base',
  udhcpc: 'udhcpc',
  ethtool: 'ethtool',
  ping: 'iputils-ping',
  setpriv: 'util-linux',
  unshare: 'util-linux',
};

/**
 * Returns if this process may build the lab. Otherwise runs itself again in a user namespace and exits with its code,
 * or says what is missing and exits with 1.
 */
export function elevate(): void {
  process.env['PATH'] = `${process.env['PATH'] ?? ''}${delimiter}/usr/sbin${delimiter}/sbin`;
  const missing = Object.keys(TOOLS).filter((tool) => !isInPath(tool));
  if (missing.length > 0) {
    const packages = [...new Set(missing.map((tool) => TOOLS[tool]))].join(' ');
    refuse(`The lab needs ${missing.join(', ')}. On Debian: apt install ${packages}`);
  }
  if (process.env[MARK] !== undefined || canMakeNamespaces()) return;
  const again = spawnSync(
    'sh',
    [
      '-c',
      ENTER,
      'sh',
      '--user',
      '--map-root-user',
      '--net',
      '--mount',
      '--pid',
      '--fork',
      '--mount-proc',
      '--kill-child',
      'sh',
      '-c',
      PREPARE,
      'sh',
      process.execPath,
      ...process.execArgv,
      ...process.argv.slice(1),
    ],
    { stdio: 'inherit', env: { ...process.env, [MARK]: '1' } },
  );
  if (again.status === null || again.error !== undefined) {
    refuse(
      'The lab needs root, or a kernel that lets users make namespaces (sysctl user.max_user_namespaces, kernel.unprivileged_userns_clone)',
    );
  }
  process.exit(again.status);
}

/** True inside the user namespace. */
export function isInUserNamespace(): boolean {
  return process.env[MARK] !== undefined;
}

/** What leads in there, as the beginning of a command for another terminal; nothing if the lab is not in one. */
export function wayInside(): string {
  const outer = process.env[OUTER];
  // The process that made the namespaces is not in all of them itself, its only child is.
  const inner = `$(cat /proc/${outer}/task/${outer}/children)`;
  return isInUserNamespace() ? `nsenter -t ${inner} --preserve-credentials -U -m -n -p ` : '';
}

/** A process id as it is seen outside: inside it is another one. */
const ENTER = `${OUTER}=$$ exec unshare "$@"`;
/** `ip netns` keeps its names in /run/netns, which belongs to root outside. */
const PREPARE = 'mount -t tmpfs lab /run && mkdir -p /run/netns && exec "$@"';

function canMakeNamespaces(): boolean {
  if (process.getuid?.() !== 0) return false;
  return spawnSync('unshare', ['--net', '--mount', 'true'], { stdio: 'ignore' }).status === 0;
}

function isInPath(tool: string): boolean {
  return (process.env['PATH'] ?? '').split(delimiter).some((directory) => {
    const file = join(directory, tool);
    if (!existsSync(file)) return false;
    try {
      accessSync(file, constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}

function refuse(message: string): never {
  process.stderr.write(`${message}\n`);
  process.exit(1);
}
